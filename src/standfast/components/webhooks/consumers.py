"""What webhooks do on events: a row for each endpoint that wants to hear of it, in the transaction of the position."""

from __future__ import annotations

import datetime as dt
from typing import Any

from standfast.components.webhooks.queries import QUERIES
from standfast.platform.consumers import Consumer


def fold(cursor: Any, account_id: int, after: int, upto: int) -> None:
    """Make the deliveries of the events with after < position <= upto."""
    span = {"account_id": account_id, "after": after, "upto": upto, "now": dt.datetime.now(dt.UTC)}
    cursor.execute(QUERIES.enqueue.sql, span)


CONSUMERS: list[Consumer] = [Consumer("webhooks", fold)]
