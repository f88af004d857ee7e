"""Let the planner know an account's people after many came in."""

from __future__ import annotations

from typing import Any

from standfast.platform import statistics

TABLES = ("audience_contact", "audience_subscription")


def learn_people(cursor: Any, *, account_id: int, people_at_least: int) -> None:
    """See `platform.statistics.learn`. `cursor` is in a transaction, as its last deed."""
    for table in TABLES:
        statistics.learn(cursor, table=table, account_id=account_id, rows_at_least=people_at_least)
