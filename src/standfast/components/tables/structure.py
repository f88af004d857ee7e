"""Make, change, empty and delete tables. All in the account's scope."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction

from standfast.components.tables.columns import (
    NAME_MAX,
    Column,
    ColumnDraft,
    DataType,
    Structure,
    TableInvalid,
    restructured,
)
from standfast.components.tables.entries import column_span
from standfast.components.tables.models import Store, Table
from standfast.components.tables.queries import QUERIES

TABLES_MAX = 200
REBUILT_MAX = 1_000_000
"""Rows of a table at most while a column gets a key or stops to allow null, for both read all of them."""
_NAME = re.compile(rf"[a-z0-9_]{{1,{NAME_MAX}}}")


def create_table(*, account_id: int, name: str, columns: Sequence[ColumnDraft]) -> Table:
    """Raises TableInvalid."""
    if Table.objects.filter(account_id=account_id).count() >= TABLES_MAX:
        raise TableInvalid("name", f"the account has {TABLES_MAX} tables; delete one first")
    structure = restructured((), columns, drop=(), next_id=1, has_rows=False)
    table = Table(account_id=account_id, name=_named(name), next_column=len(structure) + 1)
    table.columns = structure.to_json()
    table.store = Store.objects.create(account_id=account_id)
    return _saved(table)


def change_table(
    *,
    account_id: int,
    table_id: int,
    name: str | None = None,
    columns: Sequence[ColumnDraft] = (),
    drop: Sequence[str] = (),
) -> Table:
    """Rename a table, add and change the columns that are named, and drop some; the others stay.

    Dropping only forgets: a later column of the same name has none of the values. Raises Table.DoesNotExist, TableInvalid.
    """
    table = locked(account_id, table_id)
    before = {column.id: column for column in table.structure}
    after = restructured(table.structure, columns, drop=drop, next_id=table.next_column, has_rows=table.row_count > 0)
    table.name = table.name if name is None else _named(name)
    table.columns, table.structure = after.to_json(), after
    table.next_column += sum(column.id not in before for column in after)
    if table.row_count:
        _rebuild(table, before, after)
    return _saved(table)


def empty_table(*, account_id: int, table_id: int) -> Table:
    """Take all rows away; a column that counts by itself begins at 1 again. Raises Table.DoesNotExist."""
    table = locked(account_id, table_id)
    _end(table)
    table.store = Store.objects.create(account_id=account_id)
    table.next_auto, table.last_row, table.row_count = 1, 0, 0
    table.save()
    return table


def delete_table(*, account_id: int, table_id: int) -> None:
    """Raises Table.DoesNotExist."""
    table = locked(account_id, table_id)
    _end(table)
    table.delete()


def locked(account_id: int, table_id: int) -> Table:
    """The table, with the right to write to it until the transaction ends. Raises Table.DoesNotExist.

    One writer a table: sets that touch the same rows in different orders would deadlock, and a value that is looked for
    must not be written meanwhile. A row and not an advisory lock: it holds on whichever node the account's rows are.
    """
    return Table.objects.select_for_update().get(account_id=account_id, pk=table_id)


def _end(table: Table) -> None:
    Store.objects.filter(account_id=table.account_id, pk=table.store_id).update(ended_at=dt.datetime.now(dt.UTC))


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise TableInvalid("name", f"must be 1 to {NAME_MAX} of a-z, 0-9 and _")
    return name


def _saved(table: Table) -> Table:
    try:
        with transaction.atomic():
            table.save()
    except IntegrityError:
        raise TableInvalid("name", "has already been taken") from None
    return table


def _rebuild(table: Table, before: dict[int, Column], after: Structure) -> None:
    """Bring what rows are found by to the new structure, and see that the rows fit it."""
    where = {"account_id": table.account_id, "store_id": table.store_id}
    with connection.cursor() as cursor:
        for column in after:
            was = before.pop(column.id, None)
            if was is None:
                continue
            changed = (was.is_found_by, was.is_unique) != (column.is_found_by, column.is_unique)
            if changed and was.is_found_by:
                _drop(cursor, where, was)
            if changed and column.is_found_by:
                _build(cursor, table, column, where)
            if was.allow_null and not column.allow_null and _filled(cursor, table, column, where) < table.row_count:
                raise TableInvalid("columns", f"{column.name!r}: there are rows without a value")
        for gone in before.values():
            if gone.is_found_by:
                _drop(cursor, where, gone)


def _drop(cursor: Any, where: dict[str, int], column: Column) -> None:
    first, ended = column_span(column)
    cursor.execute(QUERIES.drop_column.sql, {**where, "first": first, "ended": ended})


def _build(cursor: Any, table: Table, column: Column, where: dict[str, int]) -> None:
    filled = _filled(cursor, table, column, where)
    folded = column.data_type is DataType.EMAIL
    cursor.execute(
        QUERIES.build_entries.sql,
        {**where, "column_id": column.id, "name": str(column.id), "folded": folded, "is_unique": column.is_unique},
    )
    if cursor.rowcount < filled:
        twice = filled - cursor.rowcount
        raise TableInvalid(
            "columns", f"{column.name!r}: cannot be unique, {twice:,} rows have a value of an earlier row"
        )


def _filled(cursor: Any, table: Table, column: Column, where: dict[str, int]) -> int:
    if table.row_count > REBUILT_MAX:
        raise TableInvalid("columns", f"{column.name!r}: cannot change so in a table of over {REBUILT_MAX:,} rows")
    cursor.execute(QUERIES.filled.sql, {**where, "name": str(column.id)})
    return int(cursor.fetchone()[0])
