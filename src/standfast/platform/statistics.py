"""What the planner knows about an account that is only now filled."""

from __future__ import annotations

from typing import Any

ROWS_MIN = 1000
"""Below that every plan is good enough."""


def learn(cursor: Any, *, table: str, account_id: int, rows_at_least: int) -> None:
    """Have PostgreSQL look at a table in which an account has got `rows_at_least` rows, if it does not know them yet.

    Autovacuum would within a minute. Until then a new account counts for one row: every index seems as good as another, and
    look-ups by (account, id) read the whole account each time. Where the account is less than a fiftieth of the table nothing
    is done: there the statistics speak of an average account. Last in the transaction: concurrent calls wait for each other.
    """
    if rows_at_least >= ROWS_MIN:
        cursor.execute("SELECT platform_learn(%s::regclass, %s, %s)", [table, account_id, rows_at_least])
