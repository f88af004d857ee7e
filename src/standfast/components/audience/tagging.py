"""Give people tags and take them away, many at a time, with an event for each in whom something changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from standfast.components.audience.locking import lock_people
from standfast.components.audience.queries import QUERIES
from standfast.platform import events


def tag_people(*, account_id: int, contact_ids: Sequence[int], add: Sequence[int], drop: Sequence[int]) -> int:
    """Returns how many people changed. In the account's scope; the caller has seen to it that the tags exist."""
    now = dt.datetime.now(dt.UTC)
    with connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
        cursor.execute(
            QUERIES.tag_people.sql,
            {
                "account_id": account_id,
                "contact_ids": list(contact_ids),
                "add": list(add),
                "drop": list(drop),
                "at": now,
            },
        )
        changed = [row[0] for row in cursor.fetchall()]
        told = [events.Event(now, "contact_updated", one, data={"way": "tags"}) for one in changed]
        events.append(cursor, account_id=account_id, events=told)
    return len(changed)
