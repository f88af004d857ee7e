"""Structures of relational tables, on the host api."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from standfast.components.tables.columns import Column, ColumnDraft, DataType, TableInvalid
from standfast.components.tables.models import Table
from standfast.components.tables.structure import change_table, create_table, delete_table, empty_table
from standfast.platform.rest.answers import Answer, moment
from standfast.platform.rest.call import Call, invalid, missing
from standfast.platform.rest.finding import numbered_page
from standfast.platform.rest.routes import route

READ, WRITE, SECTION = "tables:read", "tables:write", "2.11"
LENGTHS = {DataType.FLOAT: "24,5", DataType.INTEGER: 11, DataType.BIGINT: 20, DataType.BOOLEAN: 1}
"""What the product shows as the length of types that have none here."""
_PLACE = re.compile(r"columns\.\d+")
ROOT = "relational_table"


@contextmanager
def told() -> Iterator[None]:
    """What the component raises, in the product's words."""
    try:
        yield
    except Table.DoesNotExist:
        raise missing("Relational table is not present!") from None
    except TableInvalid as error:
        field = "columns" if _PLACE.fullmatch(error.field) else error.field
        raise invalid(**{field: error.text}) from None


def _row(table: Table) -> dict[str, Any]:
    return {"id": table.pk, "account_id": table.account_id, "name": table.name,
            "columns": [_column(column) for column in table.structure],
            "created_at": moment(table.created_at), "updated_at": moment(table.updated_at)}  # fmt: skip


def _column(column: Column) -> dict[str, Any]:
    return {"name": column.name, "key": column.key, "data_type": column.data_type, "primary_key": column.primary_key,
            "field_length": LENGTHS.get(column.data_type, column.length), "auto_increment": column.auto_increment,
            "allow_null": column.allow_null, "sendable": column.sendable}  # fmt: skip


@route("GET", "relational_tables", scope=READ, section=SECTION)
def relational_tables(call: Call) -> Answer:
    every = Table.objects.filter(account_id=call.account_id)
    return numbered_page(call, every.order_by("id"), _row, root="relational_tables")


@route("POST", "relational_tables", scope=WRITE, section=SECTION)
def create(call: Call) -> Answer:
    body = call.wrapped("relational_table")
    name, (drafts, _) = body.text("name").strip(), _drafts(body)
    if not name:
        raise invalid(name="can't be blank")
    with told():
        return Answer(_row(create_table(account_id=call.account_id, name=name, columns=drafts)), 201, root=ROOT)


@route("GET", "relational_tables/<table_id:int>", scope=READ, section=SECTION)
def show(call: Call) -> Answer:
    with told():
        return Answer(_row(Table.objects.get(account_id=call.account_id, pk=_id(call))), root=ROOT)


@route("PUT", "relational_tables/<table_id:int>", scope=WRITE, section=SECTION)
def update(call: Call) -> Answer:
    """Columns that are named are added or changed, those with `_destroy` dropped, the others stay."""
    body = call.wrapped("relational_table")
    name, (drafts, drop) = body.text("name").strip() or None, _drafts(body)
    with told():
        table = change_table(account_id=call.account_id, table_id=_id(call), name=name, columns=drafts, drop=drop)
    return Answer(_row(table), root=ROOT)


@route("DELETE", "relational_tables/<table_id:int>", scope=WRITE, section=SECTION)
def delete(call: Call) -> Answer:
    with told():
        delete_table(account_id=call.account_id, table_id=_id(call))
    return Answer(None)


@route("GET", "relational_tables/<table_id:int>/truncate", scope=WRITE, section=SECTION)
def truncate(call: Call) -> Answer:
    """Takes all rows away, although it is a GET: so the product has it."""
    with told():
        return Answer(_row(empty_table(account_id=call.account_id, table_id=_id(call))), root=ROOT)


def _id(call: Call) -> int:
    return int(call.path["table_id"])


def _drafts(body: Call) -> tuple[list[ColumnDraft], list[str]]:
    """The columns to make or change, and the names of those to drop. Raises CallError."""
    given = body.value("columns")
    given = list(given.values()) if isinstance(given, dict) else given
    if given is None or given == "":
        return [], []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise invalid(columns="must be a list of columns")
    calls = [Call(body.method, body.account_id, body.path, {}, one, body.address) for one in given]
    drop = [one.text("name") for one in calls if one.flag("_destroy")]
    return [_draft(one) for one in calls if not one.flag("_destroy")], drop


def _draft(one: Call) -> ColumnDraft:
    flags = {
        name: one.flag(name) if one.value(name) is not None else None
        for name in ("primary_key", "auto_increment", "sendable")
    }
    allow_null = one.flag("allow_null", True) if one.value("allow_null") is not None else None
    data_type, key, length = one.text("data_type") or None, one.text("key") or None, one.text("field_length")
    # of types without a length whatever stands there is ignored: "24,5", 11 ...
    has_length = data_type is None or data_type.strip().lower() in ("string", "text")
    number = one.number("field_length") if length and has_length else None
    return ColumnDraft(one.text("name").strip(), data_type, key, length=number, allow_null=allow_null, **flags)
