"""Read rows: pages in the order they came, and those with a value. In the account's scope."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import connection

from standfast.components.tables.columns import Column, Structure
from standfast.components.tables.entries import span_of
from standfast.components.tables.models import Table
from standfast.components.tables.queries import QUERIES
from standfast.components.tables.values import Stored, typed
from standfast.components.tables.writing import loaded

PAGE_BYTES_MAX = 8 * 1024 * 1024


class NotFindable(ValueError):
    """Rows cannot be found so; the text says what to do."""


class FoundRow(NamedTuple):
    """`values` by the column's name, in the columns' order, nulls too, as they are kept (see values.typed)."""

    number: int
    values: dict[str, Stored]
    created_at: dt.datetime
    updated_at: dt.datetime


class Page(NamedTuple):
    """Some rows, and whether there are more, of the page or after it: `size` or PAGE_BYTES_MAX was reached."""

    rows: list[FoundRow]
    is_cut: bool


def page_of(table: Table, *, size: int, after: int = 0, skip: int = 0) -> Page:
    """Up to `size` rows after a row's number, or after the first `skip`."""
    return _page(table, QUERIES.page.sql, {"after": after, "skip": skip}, size)


def page_with(table: Table, where: Mapping[str, Any], *, zone: dt.tzinfo, size: int, after: int = 0) -> Page:
    """The same of rows with all of some values, one at least of a column with a key. Raises NotFindable."""
    wanted = conditions(table.structure, where, zone)
    column = min((one for one in wanted if one.is_found_by), key=lambda one: not one.is_unique, default=None)
    if column is None:
        keys = ", ".join(one.name for one in table.structure if one.is_found_by)
        raise NotFindable(f"rows are found by a column with a key: {keys}")
    contains = {str(one.id): value for one, value in wanted.items() if one is not column}
    first, last = span_of(column, wanted[column], after=after)
    return _page(table, QUERIES.page_found.sql, {"first": first, "last": last, "contains": json.dumps(contains)}, size)


def conditions(structure: Structure, where: Mapping[str, Any], zone: dt.tzinfo) -> dict[Column, Stored]:
    """Columns and the typed values that rows must have in them. Raises NotFindable."""
    wanted: dict[Column, Stored] = {}
    for name, value in where.items():
        column = structure.named(name)
        if column is None:
            raise NotFindable(f"there is no column {name[:64]!r}")
        try:
            wanted[column] = typed(column, value, zone=zone)
        except ValueError as error:
            raise NotFindable(f"{column.name}: {error}") from None
        if wanted[column] is None:
            raise NotFindable(f"{column.name}: can't be blank")
    return wanted


def _page(table: Table, query: str, given: dict[str, Any], size: int) -> Page:
    limits = {"size": size + 1, "bytes_max": PAGE_BYTES_MAX}
    with connection.cursor() as cursor:
        cursor.execute(query, {"account_id": table.account_id, "store_id": table.store_id, **given, **limits})
        found = cursor.fetchall()
    rows = [_row(table.structure, *each[:4]) for each in found[:size]]
    return Page(rows, bool(found) and found[0][4] > len(rows))


def _row(structure: Structure, number: int, text: str, created_at: dt.datetime, updated_at: dt.datetime) -> FoundRow:
    data = loaded(text)
    return FoundRow(number, {column.name: data.get(column.id) for column in structure}, created_at, updated_at)
