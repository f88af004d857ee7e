"""Rows of relational tables, on the host rdb: /<account>/<table>/create.json and the like."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from standfast.components.tables.columns import Column, DataType
from standfast.components.tables.compatible.structures import READ, SECTION, WRITE, told
from standfast.components.tables.deleting import delete_rows
from standfast.components.tables.models import Table
from standfast.components.tables.reading import FoundRow, NotFindable, page_of, page_with
from standfast.components.tables.values import Stored
from standfast.components.tables.writing import ROWS_MAX, RowsRefused, Written, write_rows
from standfast.platform.rest.answers import EASTERN, Answer, moment
from standfast.platform.rest.call import Call, CallError, invalid
from standfast.platform.rest.routes import route

NO_RECORD = "Record not found."
REASONS_MAX = 20
Record = Mapping[str, Any]


@route("GET", "<table>", scope=READ, section=SECTION, host="rdb")
def records(call: Call) -> Answer:
    """`page` and `per` as in other lists; a page of more than some megabytes is refused, not cut."""
    table, (page, per) = _table(call), call.page()
    found = page_of(table, size=per, skip=(page - 1) * per)
    if found.is_cut and len(found.rows) < per:
        raise invalid(per=f"makes too large a page; {len(found.rows)} of these rows fit in one")
    return Answer({"records": [_shown(table, row) for row in found.rows]}, root="result")


@route("POST", "<table>/show", scope=READ, section=SECTION, host="rdb")
def show(call: Call) -> Answer:
    """The first row with the given values, one at least of a column with a key."""
    table, where = _table(call), _one(call)
    try:
        found = page_with(table, where, zone=EASTERN, size=1)
    except NotFindable as error:
        raise _failed(str(error)) from None
    if not found.rows:
        return Answer({"result": {"error": NO_RECORD}})
    return Answer({"result": {"record": _shown(table, found.rows[0])}})


@route("POST", "<table>/create", scope=WRITE, section=SECTION, host="rdb")
def create(call: Call) -> Answer:
    """All of the records or none."""
    results = _written(call, change=False, all_or_none=True)
    return Answer({"result": {"created": len(results)}})


@route("PUT", "<table>/update", scope=WRITE, section=SECTION, host="rdb")
def update(call: Call) -> Answer:
    """All of the records or none; those of no row are not counted."""
    results = _written(call, create=False, all_or_none=True)
    return Answer({"result": {"updated": sum(one.outcome != "missing" for one in results)}})


@route("PUT", "<table>/upsert", scope=WRITE, section=SECTION, host="rdb")
@route("POST", "<table>/upsert", scope=WRITE, section=SECTION, host="rdb")
def upsert(call: Call) -> Answer:
    """Record by record: what is refused is counted and told."""
    results = _written(call)
    reasons = _reasons(results)
    done = {"success": len(results) - len(reasons), "failed": len(reasons), "errors": reasons[:REASONS_MAX]}
    return Answer({"result": {"updated": done}})


@route("DELETE", "<table>/delete", scope=WRITE, section=SECTION, host="rdb")
def delete(call: Call) -> Answer:
    table = _table(call)
    try:
        with told():
            gone = delete_rows(account_id=call.account_id, table_id=table.pk, wheres=_given(call), zone=EASTERN)
    except NotFindable as error:
        raise _failed(str(error)) from None
    return Answer({"record": {}} if gone else {"result": {"error": NO_RECORD}})


def _table(call: Call) -> Table:
    name = call.path["table"]
    with told():
        if not name.isprintable():  # no table is called so, and the database takes no NUL
            raise Table.DoesNotExist
        return Table.objects.get(account_id=call.account_id, name=name)


def _written(call: Call, **how: bool) -> list[Written]:
    table, given = _table(call), _given(call)
    try:
        with told():
            return write_rows(account_id=call.account_id, table_id=table.pk, records=given, zone=EASTERN, **how)
    except RowsRefused as refused:
        reasons = _reasons(refused.results)
        more = f" And {len(reasons) - 3:,} more." if len(reasons) > 3 else ""
        raise _failed("Nothing was written. " + " ".join(f"{one}." for one in reasons[:3]) + more) from None


def _reasons(results: Sequence[Written]) -> list[str]:
    return [f"record {n}: {one.reason}" for n, one in enumerate(results, 1) if one.outcome == "refused"]


def _failed(text: str) -> CallError:
    """On this host an error stands in `result`; elsewhere clients read `error`."""
    return CallError(422, {"result": {"error": text}, "error": text})


def _one(call: Call) -> Record:
    given = _given(call)
    if len(given) != 1:
        raise _failed("Send one record.")
    return given[0]


def _given(call: Call) -> list[Record]:
    """The records of a call: `record` or `records`, an object or an array; or bare, as an array or an object. Raises CallError."""
    value: Any = call.items
    if value is None:
        value = next((call.value(name) for name in ("record", "records") if call.value(name) is not None), call.params)
    given = list(value) if isinstance(value, list) else [value]
    if not given or not all(isinstance(one, Mapping) and one for one in given):
        raise _failed("Send `record`, an object of column names and values, or an array of such.")
    if len(given) > ROWS_MAX:
        raise _failed(f"These are {len(given):,} records; send at most {ROWS_MAX:,} at a time.")
    return given


def _shown(table: Table, row: FoundRow) -> dict[str, Any]:
    return {column.name: _value(column, row.values[column.name]) for column in table.structure}


def _value(column: Column, stored: Stored) -> Any:
    """Booleans as 1 and 0, times with Eastern offset."""
    if column.data_type is DataType.BOOLEAN and stored is not None:
        return int(bool(stored))
    if column.data_type is DataType.DATETIME and isinstance(stored, str):
        return moment(dt.datetime.fromisoformat(stored))
    return stored
