"""Delete rows by what they are found by, up to a thousand by a handful of statements. In the account's scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from standfast.components.tables.columns import Column
from standfast.components.tables.entries import Values, drop_entries, entries_of, entry_of, owners_of
from standfast.components.tables.queries import QUERIES
from standfast.components.tables.reading import NotFindable, conditions
from standfast.components.tables.structure import locked
from standfast.components.tables.values import Stored, found_by
from standfast.components.tables.writing import ROWS_MAX, rows_of

Wanted = dict[Column, Stored]


def delete_rows(*, account_id: int, table_id: int, wheres: Sequence[Mapping[str, Any]], zone: dt.tzinfo) -> int:
    """Delete for each of `wheres` the row with its values, one at least of a unique column; returns how many there were.

    Raises Table.DoesNotExist, NotFindable.
    """
    if len(wheres) > ROWS_MAX:
        raise NotFindable(f"{len(wheres):,} records: send at most {ROWS_MAX:,} at a time")
    table = locked(account_id, table_id)
    wanted = [conditions(table.structure, where, zone) for where in wheres]
    if not all(any(column.is_unique for column in one) for one in wanted):
        keys = ", ".join(column.name for column in table.structure if column.is_unique)
        raise NotFindable(f"rows are deleted by a unique column: {keys}")
    where = {"account_id": account_id, "store_id": table.store_id}
    with connection.cursor() as cursor:
        owners = owners_of(cursor, where, [_entry(one) for one in wanted])
        rows = rows_of(cursor, where, set(owners.values()))
        pairs = [(owners.get(_entry(one)), one) for one in wanted]
        numbers = sorted({number for number, one in pairs if number in rows and _has(rows[number], one)})
        if numbers:
            drop_entries(cursor, where, [e for n in numbers for e in entries_of(table.structure, n, rows[n])])
            cursor.execute(QUERIES.drop_rows.sql, {**where, "numbers": numbers})
            table.row_count -= len(numbers)
            table.save(update_fields=["row_count"])
    return len(numbers)


def _entry(wanted: Wanted) -> bytes:
    """Of a value that is of a unique column and not null."""
    column = next(column for column in wanted if column.is_unique)
    return entry_of(column, wanted[column], 0) or b""


def _has(values: Values, wanted: Wanted) -> bool:
    return all(found_by(column, values.get(column.id)) == found_by(column, value) for column, value in wanted.items())
