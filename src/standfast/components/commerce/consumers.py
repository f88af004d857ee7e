"""What commerce does on events: of an erased person it keeps figures that lead to nobody."""

from __future__ import annotations

from typing import Any

from standfast.components.audience.api import lock_people
from standfast.components.commerce.queries import QUERIES
from standfast.platform.consumers import Consumer


def fold(cursor: Any, account_id: int, after: int, upto: int) -> None:
    """Forget those who were erased by the events with after < position <= upto."""
    cursor.execute(QUERIES.erased.sql, {"account_id": account_id, "after": after, "upto": upto})
    people = {"account_id": account_id, "contact_ids": [row[0] for row in cursor.fetchall()]}
    if people["contact_ids"]:
        lock_people(cursor, account_id=account_id)  # nobody tells the log of their orders meanwhile
        cursor.execute(QUERIES.forget_people.sql, people)
        cursor.execute(QUERIES.forget_in_log.sql, people)


CONSUMERS: list[Consumer] = [Consumer("commerce", fold)]
