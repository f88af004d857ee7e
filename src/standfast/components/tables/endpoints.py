"""Relational tables and their rows, for programs: the part of /api/v1 that belongs to tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from django.http import HttpResponse
from ninja import Field, Query, Router, Status

from standfast.components.tables.columns import COLUMNS_MAX, ColumnDraft, DataType, Key, TableInvalid
from standfast.components.tables.deleting import delete_rows
from standfast.components.tables.models import Table
from standfast.components.tables.reading import FoundRow, NotFindable, page_of, page_with
from standfast.components.tables.structure import change_table, create_table, delete_table, empty_table
from standfast.components.tables.writing import ROWS_MAX, write_rows
from standfast.platform.rest.finding import ID_MAX, Paging, cursor_of, id_after, page_shape
from standfast.platform.rest.operation import Request, Schema, operation
from standfast.platform.rest.problems import FieldFault, not_found, unprocessable

router = Router(tags=["Relational tables"])
_READ, _WRITE = "tables:read", "tables:write"
_HELP = "see in GET /tables what the table has"


class ColumnIn(Schema):
    """A column to add, or what changes in the one of this name; what is left out stays, or takes the default."""

    name: str = Field(max_length=64, examples=["order_number"], description="Letters, figures, underscores.")
    data_type: DataType | None = None
    key: Key | None = Field(None, description="Index: rows are found by it. Unique: each value in one row only.")
    primary_key: bool | None = Field(None, description="Exactly one column is.")
    length: int | None = Field(None, ge=1, le=65_535, description="Of String (255 at most) and Text (65535 bytes).")
    auto_increment: bool | None = None
    allow_null: bool | None = Field(None, description="True where nothing is said.")
    sendable: bool | None = Field(None, description="Email and UID: the column names a person.")


class ColumnOut(Schema):
    name: str
    data_type: DataType
    key: Key
    primary_key: bool
    length: int | None
    auto_increment: bool
    allow_null: bool
    sendable: bool


class TableIn(Schema):
    name: str = Field(max_length=64, examples=["orders"], description="Of a-z, 0-9 and _.")
    columns: list[ColumnIn] = Field(min_length=1, max_length=COLUMNS_MAX)


class TableChange(Schema):
    """What is left out stays. While a table has rows, types stay, and a new column must allow null."""

    name: str | None = Field(None, max_length=64)
    columns: list[ColumnIn] = Field([], max_length=COLUMNS_MAX, description="Columns to add or change, by name.")
    drop: list[str] = Field([], max_length=COLUMNS_MAX, description="Names of columns to drop, with their values.")


class TableOut(Schema):
    id: int
    name: str
    columns: list[ColumnOut] = Field(alias="structure")
    row_count: int
    created_at: dt.datetime
    updated_at: dt.datetime


class RowOut(Schema):
    id: int
    values: dict[str, Any] = Field(description="By column; times in UTC.")
    created_at: dt.datetime
    updated_at: dt.datetime


class Rows(Schema):
    rows: list[dict[str, Any]] = Field(
        min_length=1, max_length=ROWS_MAX, examples=[[{"order_number": 7, "email": "alice@example.net"}]]
    )


class RowOutcome(Schema):
    outcome: Literal["created", "updated", "unchanged", "refused"]
    id: int | None
    reason: str | None


class RowsOut(Schema):
    results: list[RowOutcome] = Field(description="One for each row, in order.")


class Keys(Schema):
    keys: list[str | int] = Field(min_length=1, max_length=ROWS_MAX, description="Values of the primary key.")


class Deleted(Schema):
    deleted: int


@operation(router, "GET", "/tables", scope=_READ, response=list[TableOut], summary="All tables")
def tables(request: Request) -> list[Table]:
    return list(Table.objects.filter(account_id=request.account_id).order_by("id"))


@operation(router, "POST", "/tables", scope=_WRITE, response={201: TableOut}, summary="Make a table")
def make_table(request: Request, body: TableIn) -> Status[Table]:
    with _told():
        return Status(201, create_table(account_id=request.account_id, name=body.name, columns=_drafts(body.columns)))


@operation(router, "GET", "/tables/{table_id}", scope=_READ, response=TableOut, summary="One table")
def table(request: Request, table_id: int) -> Table:
    return _table(request, table_id)


@operation(
    router,
    "PATCH",
    "/tables/{table_id}",
    scope=_WRITE,
    response=TableOut,
    summary="Rename a table, add, change and drop columns",
)
def alter_table(request: Request, table_id: int, body: TableChange) -> Table:
    changes: Any = {"name": body.name, "columns": _drafts(body.columns), "drop": body.drop}
    with _told():
        return change_table(account_id=request.account_id, table_id=_id(table_id), **changes)


@operation(
    router, "DELETE", "/tables/{table_id}", scope=_WRITE, response={204: None}, summary="Delete a table with its rows"
)
def end_table(request: Request, table_id: int) -> HttpResponse:
    with _told():
        delete_table(account_id=request.account_id, table_id=_id(table_id))
    return HttpResponse(status=204)


@operation(
    router,
    "POST",
    "/tables/{table_id}/truncate",
    scope=_WRITE,
    response=TableOut,
    summary="Take all rows of a table away",
)
def truncate_table(request: Request, table_id: int) -> Table:
    with _told():
        return empty_table(account_id=request.account_id, table_id=_id(table_id))


@operation(
    router,
    "GET",
    "/tables/{table_id}/rows",
    scope=_READ,
    response=page_shape(RowOut),
    summary="Rows of a table in the order they came",
    description="A page ends early where its rows are large: go on while there is a `next`.",
)
def rows(
    request: Request,
    table_id: int,
    *,
    paging: Query[Paging],
    column: str | None = Query(None, max_length=64, description="Rows with `value` in this column, which has a key."),
    value: str | None = Query(None, max_length=255),
) -> dict[str, Any]:
    found, after = _table(request, table_id), id_after(paging.cursor)
    if (column is None) != (value is None):
        raise unprocessable(FieldFault("query.column", "goes together with `value`", "send both or neither"))
    with _told("query.column"):
        if column is None:
            found_rows = page_of(found, size=paging.limit, after=after)
        else:
            found_rows = page_with(found, {column: value}, zone=dt.UTC, size=paging.limit, after=after)
    following = cursor_of(found_rows.rows[-1].number) if found_rows.is_cut else None
    return {"data": [_row(row) for row in found_rows.rows], "next": following}


@operation(
    router,
    "POST",
    "/tables/{table_id}/rows/upsert",
    scope=_WRITE,
    response=RowsOut,
    summary="Make or change rows",
    description="A row is found by its primary key or, where it names none, by a unique value. Columns that are left out stay. "
    "Times without an offset are UTC.",
)
def save_rows(request: Request, table_id: int, body: Rows) -> dict[str, Any]:
    with _told():
        written = write_rows(account_id=request.account_id, table_id=_id(table_id), records=body.rows, zone=dt.UTC)
    return {"results": [{"outcome": one.outcome, "id": one.number, "reason": one.reason or None} for one in written]}


@operation(
    router,
    "POST",
    "/tables/{table_id}/rows/delete",
    scope=_WRITE,
    response=Deleted,
    summary="Delete rows by their primary keys",
)
def drop_rows(request: Request, table_id: int, body: Keys) -> dict[str, int]:
    found = _table(request, table_id)
    wheres = [{found.structure.primary.name: key} for key in body.keys]
    with _told("body.keys"):
        deleted = delete_rows(account_id=found.account_id, table_id=found.pk, wheres=wheres, zone=dt.UTC)
    return {"deleted": deleted}


def _id(table_id: int) -> int:
    if not 0 < table_id < ID_MAX:
        raise not_found("table")
    return table_id


def _table(request: Request, table_id: int) -> Table:
    with _told():
        return Table.objects.get(account_id=request.account_id, pk=_id(table_id))


def _row(row: FoundRow) -> dict[str, Any]:
    return {"id": row.number, "values": row.values, "created_at": row.created_at, "updated_at": row.updated_at}


def _drafts(columns: list[ColumnIn]) -> list[ColumnDraft]:
    return [ColumnDraft(**column.model_dump()) for column in columns]


@contextmanager
def _told(field: str = "body") -> Iterator[None]:
    """What the component raises, as problems; `field` is where what rows are looked for by stands."""
    try:
        yield
    except Table.DoesNotExist:
        raise not_found("table") from None
    except TableInvalid as error:
        raise unprocessable(FieldFault(f"body.{error.field}", error.text, _HELP)) from None
    except NotFindable as error:
        raise unprocessable(FieldFault(field, str(error), _HELP)) from None
