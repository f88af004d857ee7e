"""What tracking does on events: counts them, in sets, once each.

A person's click counts as their opening where no opening was seen (images off). Machines are counted apart: an event without
the verdict "human" is a machine's. Test sends have no contact and count for nobody. An unsubscription that was taken back, and
an uncertain message whose outcome became known, no longer count.
"""

from __future__ import annotations

from typing import Any

from standfast.components.tracking.queries import QUERIES
from standfast.platform.consumers import Consumer


def fold(cursor: Any, account_id: int, after: int, upto: int) -> None:
    """Add the account's events with after < position <= upto to the roll-ups, in the cursor's transaction."""
    span = {"account_id": account_id, "after": after, "upto": upto}
    cursor.execute(QUERIES.fold_responses.sql, span)
    cursor.execute(QUERIES.fold_links.sql, span)


COUNTERS = Consumer("counters", fold)
CONSUMERS: list[Consumer] = [COUNTERS]
