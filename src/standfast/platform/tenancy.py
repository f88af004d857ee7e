"""Which account a transaction belongs to. Row-level security compares it with every row, so a forgotten filter shows nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.migrations.operations import RunSQL

POLICY = "nullif(current_setting('app.account_id', true), '')::bigint"


@contextmanager
def account_scope(account_id: int) -> Iterator[None]:
    """A transaction that sees this account only. Nested scopes must name the same account."""
    with transaction.atomic():
        enter(connection.cursor(), account_id)
        yield


def enter(cursor: Any, account_id: int) -> None:
    """Set the account for the rest of the cursor's transaction. SET takes no parameters: an int cannot carry SQL."""
    cursor.execute(f"SET LOCAL app.account_id = '{int(account_id)}'")


def enter_user(cursor: Any, user_id: int) -> None:
    """Set the signed-in user, who may see their own memberships in any account."""
    cursor.execute(f"SET LOCAL app.user_id = '{int(user_id)}'")


def leave_user(cursor: Any) -> None:
    """Forget the signed-in user for the rest of the transaction."""
    cursor.execute("SET LOCAL app.user_id = ''")


class TenantTable(RunSQL):
    """Migration operation: row-level security for a table with `account_id`."""

    def __init__(self, table: str, *, also: str = "") -> None:
        test = f"account_id = {POLICY}" + (f" OR {also}" if also else "")
        super().__init__(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY account ON {table} USING ({test}) WITH CHECK ({test});",
            f"DROP POLICY account ON {table}; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;",
        )
        self._constructor_args = ((table,), {"also": also} if also else {})

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        return self.__class__.__name__, *self._constructor_args
