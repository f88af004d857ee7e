"""Relational tables: an account's own typed data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages, in_batches
from standfast_client.values import Moment, Reading, Writing, given, parameters

ROWS_AT_ONCE = 1000
DataType: TypeAlias = Literal["String", "Text", "Float", "Integer", "Bigint", "Boolean", "DateTime", "Email", "UID"]
ColumnKey: TypeAlias = Literal["None", "Index", "Unique"]


class ColumnIn(TypedDict):
    """A column to add, or what changes in the one of this name."""

    name: str
    data_type: NotRequired[DataType]
    key: NotRequired[ColumnKey]
    primary_key: NotRequired[bool]
    length: NotRequired[int]
    auto_increment: NotRequired[bool]
    allow_null: NotRequired[bool]
    sendable: NotRequired[bool]


class Column(TypedDict):
    name: str
    data_type: str
    key: str
    primary_key: bool
    length: int | None
    auto_increment: bool
    allow_null: bool
    sendable: bool


class Table(TypedDict):
    id: int
    name: str
    columns: list[Column]
    row_count: int
    created_at: Moment
    updated_at: Moment


class Row(TypedDict):
    id: int
    values: dict[str, Any]
    created_at: Moment
    updated_at: Moment


class RowSaved(TypedDict):
    """outcome: created, updated, unchanged or refused."""

    outcome: str
    id: int | None
    reason: str | None


class RowsSaved(TypedDict):
    results: list[RowSaved]


class RowsDeleted(TypedDict):
    deleted: int


class Tables(Group):
    @operation("GET", "/tables")
    def all(self, **more: Unpack[Reading]) -> list[Table]:
        return self._calls.get(list[Table], "/tables", **more)

    @operation("POST", "/tables")
    def make(self, *, name: str, columns: Sequence[ColumnIn], **more: Unpack[Writing]) -> Table:
        return self._calls.write(Table, "POST", "/tables", {"name": name, "columns": list(columns)}, **more)

    @operation("GET", "/tables/{table_id}")
    def get(self, table_id: int, **more: Unpack[Reading]) -> Table:
        return self._calls.get(Table, at("/tables/{}", table_id), **more)

    @operation("PATCH", "/tables/{table_id}")
    def change(
        self,
        table_id: int,
        *,
        name: str | None = None,
        columns: Sequence[ColumnIn] = (),
        drop: Sequence[str] = (),
        **more: Unpack[Writing],
    ) -> Table:
        """Rename it; add, change and drop columns. While it has rows, types stay."""
        body = given(name=name, columns=list(columns), drop=list(drop))
        return self._calls.write(Table, "PATCH", at("/tables/{}", table_id), body, **more)

    @operation("DELETE", "/tables/{table_id}")
    def delete(self, table_id: int, **more: Unpack[Writing]) -> None:
        """Delete it with its rows."""
        self._calls.delete(at("/tables/{}", table_id), **more)

    @operation("POST", "/tables/{table_id}/truncate")
    def empty(self, table_id: int, **more: Unpack[Writing]) -> Table:
        """Take all of its rows away."""
        return self._calls.write(Table, "POST", at("/tables/{}/truncate", table_id), **more)

    @operation("GET", "/tables/{table_id}/rows")
    def rows(
        self,
        table_id: int,
        *,
        column: str | None = None,
        value: str | None = None,
        limit: int = 500,
        **more: Unpack[Reading],
    ) -> Pages[Row]:
        """Rows in the order they came; with column and value those that have it there, in a column with a key."""

        def read(cursor: str | None) -> Page[Row]:
            asked = parameters(column=column, value=value, cursor=cursor, limit=limit)
            return self._calls.get(Page[Row], at("/tables/{}/rows", table_id), asked, **more)

        return Pages(read)

    @operation("POST", "/tables/{table_id}/rows/upsert")
    def save_rows(self, table_id: int, rows: Iterable[Mapping[str, Any]], **more: Unpack[Writing]) -> list[RowSaved]:
        """Make or change any number of rows, 1,000 a call, found by the primary key or a unique value."""
        where = at("/tables/{}/rows/upsert", table_id)

        def send(batch: list[Mapping[str, Any]], **more: Unpack[Writing]) -> list[RowSaved]:
            return self._calls.write(RowsSaved, "POST", where, {"rows": batch}, **more)["results"]

        return in_batches(rows, send, most=ROWS_AT_ONCE, **more)

    @operation("POST", "/tables/{table_id}/rows/delete")
    def delete_rows(self, table_id: int, *, keys: Iterable[str | int], **more: Unpack[Writing]) -> int:
        """Delete any number of rows by their primary keys; returns how many there were."""
        where = at("/tables/{}/rows/delete", table_id)

        def send(batch: list[str | int], **more: Unpack[Writing]) -> list[int]:
            return [self._calls.write(RowsDeleted, "POST", where, {"keys": batch}, **more)["deleted"]]

        return sum(in_batches(keys, send, most=ROWS_AT_ONCE, **more))
