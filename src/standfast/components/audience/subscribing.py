"""Put people on lists and take them off, with an event for each who moved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from standfast.components.audience.locking import lock_people
from standfast.components.audience.models import List
from standfast.components.audience.queries import QUERIES
from standfast.platform import events


def create_list(*, account_id: int, name: str, description: str = "") -> List:
    """A new empty list, or the one of that name."""
    made, _ = List.objects.get_or_create(
        account_id=account_id, name=name.strip()[:255], defaults={"description": description}
    )
    return made


def delete_list(*, account_id: int, list_id: int) -> List:
    """Delete a list with its subscriptions; an import onto it ends. In the account's scope. Raises List.DoesNotExist.

    The lock keeps an import from adding to the list between the two deletions.
    """
    one = List.objects.get(account_id=account_id, pk=list_id)
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
        cursor.execute(
            "DELETE FROM audience_subscription WHERE account_id = %s AND list_id = %s", [account_id, list_id]
        )
        one.delete()
    return one


def subscribe(*, account_id: int, list_id: int, contact_ids: Sequence[int], reason: str = "manual") -> int:
    """Subscribe people to a list, also those who unsubscribed from it; returns how many were not on it.

    In the account's scope. Raises List.DoesNotExist for a list of nobody or of another account.
    """
    now = dt.datetime.now(dt.UTC)
    with connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
        List.objects.only("pk").get(account_id=account_id, pk=list_id)  # under the lock: nobody deletes it now
        cursor.execute(
            QUERIES.subscribe.sql,
            {"account_id": account_id, "list_id": list_id, "contact_ids": list(contact_ids), "at": now},
        )
        moved = [row[0] for row in cursor.fetchall()]
        data = {"list": list_id, "reason": reason}
        events.append(
            cursor, account_id=account_id, events=[events.Event(now, "subscribed", one, data=data) for one in moved]
        )
    return len(moved)


def unsubscribe(
    *,
    account_id: int,
    list_id: int | None,
    contact_ids: Sequence[int],
    reason: str = "manual",
    more: Mapping[str, Any] | None = None,
) -> int:
    """Unsubscribe people from a list, or from all where it is None; returns how many ended. In the account's scope.

    more: what else the events tell.
    """
    now = dt.datetime.now(dt.UTC)
    with connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
        cursor.execute(
            QUERIES.unsubscribe.sql,
            {"account_id": account_id, "list_id": list_id, "contact_ids": list(contact_ids), "at": now},
        )
        ended = cursor.fetchall()
        told = [
            events.Event(now, "unsubscribed", contact, data={"list": left, "reason": reason, **(more or {})})
            for contact, left in ended
        ]
        events.append(cursor, account_id=account_id, events=told)
    return len(ended)


def remove_from_lists(*, account_id: int, list_ids: Sequence[int] | None, contact_ids: Sequence[int]) -> int:
    """Take people off lists, or off all where it is None, as if they had never been there; returns how many places ended.

    In the account's scope. That somebody unsubscribed from the list is forgotten with it.
    """
    now = dt.datetime.now(dt.UTC)
    with connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
        lists = None if list_ids is None else list(list_ids)
        cursor.execute(
            QUERIES.remove_from_lists.sql,
            {"account_id": account_id, "list_ids": lists, "contact_ids": list(contact_ids)},
        )
        gone = cursor.fetchall()
        told = [events.Event(now, "removed_from_list", contact, data={"list": left}) for contact, left in gone]
        events.append(cursor, account_id=account_id, events=told)
    return len(gone)
