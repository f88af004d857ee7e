"""A table of Alice's, and the ways to it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from standfast.components.accounts.api import Account
from standfast.components.tables.columns import ColumnDraft
from standfast.components.tables.entries import entries_of
from standfast.components.tables.models import IndexEntry, Row, Table
from standfast.components.tables.reading import page_of
from standfast.components.tables.structure import create_table
from standfast.components.tables.writing import Written, write_rows
from standfast.platform.tenancy import account_scope

COLUMNS = (
    ColumnDraft("id", "Integer", primary_key=True, auto_increment=True),
    ColumnDraft("email", "Email", "Unique", sendable=True),
    ColumnDraft("city", "String", "Index"),
    ColumnDraft("note", "Text"),
)


class Shelf:
    """`shelf.write({...}, ...)` upserts, `shelf.all()` reads every row's values."""

    def __init__(self, account_id: int, table_id: int) -> None:
        self.account_id, self.table_id = account_id, table_id

    def write(self, *records: dict[str, Any], **how: bool) -> list[Written]:
        with account_scope(self.account_id):
            return write_rows(account_id=self.account_id, table_id=self.table_id, records=records, zone=dt.UTC, **how)

    def table(self) -> Table:
        with account_scope(self.account_id):
            return Table.objects.get(account_id=self.account_id, pk=self.table_id)

    def all(self) -> list[dict[str, Any]]:
        with account_scope(self.account_id):
            return [row.values for row in page_of(self.table(), size=10_000).rows]

    def entries(self) -> dict[bytes, int]:
        """Every entry that stands, and its row."""
        with account_scope(self.account_id):
            found = IndexEntry.objects.filter(account_id=self.account_id, store_id=self.table().store_id)
            return {bytes(entry): number for entry, number in found.values_list("entry", "number")}

    def entries_due(self) -> dict[bytes, int]:
        """Those that the rows ask for."""
        table, due = self.table(), {}
        with account_scope(self.account_id):
            for row in Row.objects.filter(account_id=self.account_id, store_id=table.store_id):
                values = {int(key): value for key, value in row.data.items()}
                due |= dict.fromkeys(entries_of(table.structure, row.number, values), row.number)
        return due


@pytest.fixture
def account_id(transactional_db) -> int:
    """Alice's account. Nobody signs in here, and users cost seconds."""
    return Account.objects.create(name="Alice's shop", address="1 High Street, Toronto").pk


@pytest.fixture
def other_id(transactional_db) -> int:
    """Charlie's."""
    return Account.objects.create(name="Charlie's shop", address="2 Low Street, Toronto").pk


@pytest.fixture
def shelf(account_id) -> Shelf:
    with account_scope(account_id):
        table = create_table(account_id=account_id, name="orders", columns=COLUMNS)
    return Shelf(account_id, table.pk)
