"""How many people a list has: kept on its row, exact where they are few, taken anew by a job where they are many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from procrastinate.exceptions import AlreadyEnqueued

from standfast.components.audience.models import List
from standfast.components.audience.queries import QUERIES

FEW = 1000  # of a list with no more, a reader gets the count of the moment
LISTS_MAX = 200  # on a page of more, every count is the kept one
OLD = dt.timedelta(minutes=10)
COLUMNS = ("subscribers", "unsubscribes", "soft_bounces", "hard_bounces", "complaints")


def count_list(cursor: Any, *, account_id: int, list_id: int) -> None:
    """Take a list's counts and keep them: one pass over its people. Within the account's scope, or as the loader."""
    cursor.execute(QUERIES.count_list.sql, {"account_id": account_id, "list_id": list_id})
    counts = list(cursor.fetchone())
    cursor.execute(
        "UPDATE audience_list SET subscribers = %s, unsubscribes = %s, soft_bounces = %s, hard_bounces = %s, complaints = %s, "
        "refreshed_at = %s WHERE account_id = %s AND id = %s",
        [*counts, dt.datetime.now(dt.UTC), account_id, list_id],
    )


def is_small(*, account_id: int, list_id: int, most: int = FEW) -> bool:
    """Whether a list has no more people than that; reads one more at the most."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM audience_subscription WHERE account_id = %s AND list_id = %s LIMIT %s) x",
            [account_id, list_id, most + 1],
        )
        return int(cursor.fetchone()[0]) <= most


def freshen(lists: Sequence[List]) -> list[int]:
    """Count the small ones of an account's lists anew, in place; returns the ids of those whose kept counts are old."""
    old = []
    now = dt.datetime.now(dt.UTC)
    for one in lists if len(lists) <= LISTS_MAX else ():
        if is_small(account_id=one.account_id, list_id=one.pk):
            with connection.cursor() as cursor:
                cursor.execute(QUERIES.count_list.sql, {"account_id": one.account_id, "list_id": one.pk})
                for name, value in zip(COLUMNS, cursor.fetchone(), strict=True):
                    setattr(one, name, value)
            one.refreshed_at = now
        elif one.refreshed_at is None or one.refreshed_at < now - OLD:
            old.append(one.pk)
    return old


def take_soon(*, account_id: int, list_ids: Sequence[int]) -> None:
    """Queue the count of lists, once each, in the transaction."""
    from standfast.components.audience.jobs import count_people  # the job calls count_list

    for list_id in list_ids:
        lock = f"audience.count_people.{account_id}.{list_id}"
        try:
            with transaction.atomic():
                count_people.configure(queueing_lock=lock).defer(account_id=account_id, list_id=list_id)
        except AlreadyEnqueued:
            continue
