"""What rows are found by: for each value of a column with a key an entry, which begins with the column and a digest of the value.

One short key with one index, as then no missing statistics can plan a look-up or a deletion wrongly: of a table that grew a
moment ago PostgreSQL believes that it has one row, and would rather read all of it than look a thousand entries up.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from typing import Any

from standfast.components.tables.columns import Column
from standfast.components.tables.queries import QUERIES
from standfast.components.tables.values import Stored, found_by

Values = dict[int, Stored]  # by the column's id
_LAST = 2**63 - 1


def entry_of(column: Column, stored: Stored, number: int) -> bytes | None:
    """Column (4 bytes), digest (16), and where the value may stand in other rows too the row's number (8). None for null.

    In a unique column the primary key lets each value in once. The SQL of `build-entries` says the same.
    """
    value = found_by(column, stored)
    if value is None:
        return None
    start = _start(column.id) + hashlib.sha256(value.encode()).digest()[:16]
    return start if column.is_unique else start + struct.pack(">q", number)


def entries_of(columns: Iterable[Column], number: int, values: Values) -> list[bytes]:
    """All entries of a row."""
    found = (entry_of(column, values.get(column.id), number) for column in columns if column.is_found_by)
    return [entry for entry in found if entry is not None]


def span_of(column: Column, stored: Stored, *, after: int) -> tuple[bytes, bytes]:
    """The first and the last entry of a value that is not null; without those of rows up to `after` where there may be more."""
    first, last = entry_of(column, stored, min(after, _LAST - 1) + 1), entry_of(column, stored, _LAST)
    assert first is not None and last is not None
    return first, last


def column_span(column: Column) -> tuple[bytes, bytes]:
    """Where a column's entries begin, and where they have ended."""
    return _start(column.id), _start(column.id + 1)


def owners_of(cursor: Any, where: Mapping[str, int], entries: Iterable[bytes]) -> dict[bytes, int]:
    """The numbers of the rows that some entries belong to."""
    wanted = sorted(set(entries))
    if not wanted:
        return {}
    cursor.execute(QUERIES.owners.sql, {**where, "entries": wanted})
    return {bytes(entry): number for entry, number in cursor.fetchall()}


def add_entries(cursor: Any, where: Mapping[str, int], entries: Mapping[bytes, int]) -> None:
    if entries:
        given = {"entries": list(entries), "numbers": list(entries.values())}
        cursor.execute(QUERIES.add_entries.sql, {**where, **given})


def drop_entries(cursor: Any, where: Mapping[str, int], entries: Iterable[bytes]) -> None:
    if gone := sorted(entries):
        cursor.execute(QUERIES.drop_entries.sql, {**where, "entries": gone})


def _start(column_id: int) -> bytes:
    return struct.pack(">i", column_id)
