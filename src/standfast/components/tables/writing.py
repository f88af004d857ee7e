"""Create, update and upsert rows, up to a thousand by a handful of statements.

What the records touch is read under the table's lock, each record is applied to that in order, as if it had come alone, and
what became of it is written at once. A refused record changes nothing and says why.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection

from standfast.components.tables.columns import Column, Structure
from standfast.components.tables.entries import Values, add_entries, drop_entries, entries_of, entry_of, owners_of
from standfast.components.tables.models import Table
from standfast.components.tables.queries import QUERIES
from standfast.components.tables.structure import locked
from standfast.components.tables.values import Stored, typed

ROWS_MAX = 1000
TABLE_ROWS_MAX = 10_000_000
RECORD_BYTES_MAX = 262_144
AUTO_MAX = 2**62


class Written(NamedTuple):
    """What became of a record: created, updated, unchanged, missing (no such row to update), or refused and why."""

    outcome: str
    number: int | None
    reason: str = ""


class RowsRefused(ValueError):
    """Nothing was written, for some of the records cannot be; `results` has one for each, in order."""

    def __init__(self, results: Sequence[Written]) -> None:
        super().__init__("Some records cannot be written.")
        self.results = results


def write_rows(
    *,
    account_id: int,
    table_id: int,
    records: Sequence[Mapping[str, Any]],
    zone: dt.tzinfo,
    create: bool = True,
    change: bool = True,
    all_or_none: bool = False,
) -> list[Written]:
    """Write up to ROWS_MAX records, column names to values, in the account's scope; one result each, in order.

    A record is of the row with its primary key, or where it names none, of the row with one of its unique values. A column
    that is not named stays as it is. Raises Table.DoesNotExist, RowsRefused (with `all_or_none`), ValueError for too many.
    """
    if len(records) > ROWS_MAX:
        raise ValueError(f"{len(records):,} records: send at most {ROWS_MAX:,} at a time.")
    batch = Batch(locked(account_id, table_id), create=create, change=change)
    drafts = [_read(batch.structure, record, zone) for record in records]
    batch.load([draft for draft in drafts if isinstance(draft, dict)])
    results = [batch.apply(draft) if isinstance(draft, dict) else Written("refused", None, draft) for draft in drafts]
    if all_or_none and any(result.outcome == "refused" for result in results):
        raise RowsRefused(results)
    batch.save(dt.datetime.now(dt.UTC))
    return results


class Batch:
    """The rows that some records touch: as they were, and as they become.

    `owners`: the rows of the unique entries that records name; what a row gives up here has none any more.
    """

    def __init__(self, table: Table, *, create: bool, change: bool) -> None:
        self.table, self.structure = table, table.structure
        self.create, self.change = create, change
        self.where = {"account_id": table.account_id, "store_id": table.store_id}
        self.uniques = [column for column in self.structure if column.is_unique]
        self.owners: dict[bytes, int] = {}
        self.before: dict[int, Values] = {}
        self.after: dict[int, Values] = {}
        self.written: dict[int, str] = {}

    def load(self, drafts: Sequence[Values]) -> None:
        named = {entry for draft in drafts for entry in self._uniques(draft)}
        with connection.cursor() as cursor:
            self.owners = owners_of(cursor, self.where, named)
            self.before = rows_of(cursor, self.where, set(self.owners.values()))
        self.after = {number: dict(values) for number, values in self.before.items()}

    def apply(self, given: Values) -> Written:
        """What becomes of the next record."""
        number = self._row_of(given)
        if number is not None and self.change:
            became = {**self.after[number], **given}
        elif number is None and not self.create:
            return Written("missing", None)
        else:
            number, became = None, self._new(given)
        became = {key: value for key, value in became.items() if value is not None}
        text = json.dumps({str(key): value for key, value in became.items()}, ensure_ascii=False)
        if reason := self._objection(number, became, text):
            return Written("refused", None, reason)
        if number is not None and became == self.after[number]:
            return Written("unchanged", number)
        return self._put(number, became, text)

    def save(self, at: dt.datetime) -> None:
        """Write what became; at most four statements."""
        if not self.written:
            return
        old = {
            entry: n
            for n, values in self.before.items()
            if n in self.written
            for entry in entries_of(self.structure, n, values)
        }
        new = {entry: n for n in self.written for entry in entries_of(self.structure, n, self.after[n])}
        with connection.cursor() as cursor:
            given: dict[str, Any] = {"numbers": list(self.written), "data": list(self.written.values()), "at": at}
            cursor.execute(QUERIES.write_rows.sql, {**self.where, **given})
            drop_entries(cursor, self.where, [entry for entry in old if new.get(entry) != old[entry]])
            add_entries(cursor, self.where, {entry: n for entry, n in new.items() if old.get(entry) != n})
        self.table.save(update_fields=["last_row", "next_auto", "row_count"])

    def _row_of(self, given: Values) -> int | None:
        primary = self.structure.primary
        if given.get(primary.id) is not None:
            given = {primary.id: given[primary.id]}
        return next((self.owners[entry] for entry in self._uniques(given) if entry in self.owners), None)

    def _new(self, given: Values) -> Values:
        auto = self.structure.auto
        if auto is not None and given.get(auto.id) is None:
            return {**given, auto.id: self.table.next_auto}
        return dict(given)

    def _objection(self, number: int | None, became: Values, text: str) -> str:
        """Why a row cannot become so; "" where it can."""
        for column in self.structure:
            if not column.allow_null and column.id not in became:
                return f"{column.name}: can't be blank"
        for entry, column in self._uniques(became).items():
            if self.owners.get(entry, number) != number:
                return f"{column.name}: has already been taken"
        if number is None and self.table.row_count >= TABLE_ROWS_MAX:
            return f"the table has {TABLE_ROWS_MAX:,} rows, which is the limit"
        if len(text.encode()) > RECORD_BYTES_MAX:
            return f"the record is larger than {RECORD_BYTES_MAX:,} bytes"
        auto = self.structure.auto
        if auto is not None and not _in_range(became.get(auto.id), auto):
            return f"{auto.name}: has no numbers left"
        return ""

    def _put(self, number: int | None, became: Values, text: str) -> Written:
        outcome = "created" if number is None else "updated"
        if number is None:
            self.table.last_row += 1
            self.table.row_count += 1
            number = self.table.last_row
        for entry in self._uniques(self.after.get(number, {})):
            self.owners.pop(entry, None)
        self.owners |= dict.fromkeys(self._uniques(became), number)
        self.after[number], self.written[number] = became, text
        auto = self.structure.auto
        counted = became.get(auto.id) if auto is not None else None
        if isinstance(counted, int):
            self.table.next_auto = max(self.table.next_auto, counted + 1)
        return Written(outcome, number)

    def _uniques(self, values: Values) -> dict[bytes, Column]:
        """The entries of the values that only one row may have."""
        found = ((entry_of(column, values.get(column.id), 0), column) for column in self.uniques)
        return {entry: column for entry, column in found if entry is not None}


def rows_of(cursor: Any, where: Mapping[str, int], numbers: set[int]) -> dict[int, Values]:
    if not numbers:
        return {}
    cursor.execute(QUERIES.rows_numbered.sql, {**where, "numbers": sorted(numbers)})
    return {number: loaded(text) for number, text in cursor.fetchall()}


def loaded(text: str) -> Values:
    """A row's data as it is kept, as values by the column's id."""
    return {int(key): value for key, value in json.loads(text).items()}


def _read(structure: Structure, record: Mapping[str, Any], zone: dt.tzinfo) -> Values | str:
    """The record's values by column, typed; or why it cannot be taken."""
    values: Values = {}
    for name, value in record.items():
        column = structure.named(name)
        if column is None:
            return f"there is no column {name[:64]!r}"
        try:
            values[column.id] = typed(column, value, zone=zone)
        except ValueError as error:
            return f"{column.name}: {error}"
    return values or "the record is empty"


def _in_range(counted: Stored, column: Column) -> bool:
    try:
        typed(column, counted, zone=dt.UTC)
    except ValueError:
        return False
    return isinstance(counted, int) and counted < AUTO_MAX
