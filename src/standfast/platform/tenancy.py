"""Which account a transaction belongs to. Row-level security compares it with every row, so a forgotten filter shows nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.migrations.operations import RunSQL

from standfast.platform.database import at_once, begun, quoted

POLICY = "nullif(current_setting('app.account_id', true), '')::bigint"


@contextmanager
def account_scope(account_id: int) -> Iterator[None]:
    """A transaction that sees this account only. Nested scopes must name the same account."""
    with transaction.atomic():
        at_once(*_begin(), _named(account_id))
        yield


@contextmanager
def scope_asking(account_id: int, question: str, parameters: Any) -> Iterator[Any]:
    """The same, begun with a question in the same round trip: yields the JSON value in the first column of the first row of its
    answer, None where there is none."""
    with transaction.atomic():
        yield _value(at_once(*_begin(), _named(account_id), quoted(question, parameters)))


def ask(account_id: int, question: str, parameters: Any) -> Any:
    """The answer alone, in one round trip, which is a transaction of its own."""
    return _value(at_once(_named(account_id), quoted(question, parameters)))


def enter(cursor: Any, account_id: int) -> None:
    """Set the account for the rest of the cursor's transaction."""
    cursor.execute(_named(account_id))


def _named(account_id: int) -> str:
    """SET takes no parameters: an int cannot carry SQL."""
    return f"SET LOCAL app.account_id = '{int(account_id)}'"


def _begin() -> Sequence[str]:
    return () if begun() else ("BEGIN",)


def _value(result: Any) -> Any:
    text = result.get_value(0, 0) if result.ntuples else None
    return None if text is None else json.loads(text)


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
