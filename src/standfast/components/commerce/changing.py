"""Change orders, take items out of them, delete them."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection, transaction

from standfast.components.audience.api import lock_people
from standfast.components.commerce.models import Order
from standfast.components.commerce.queries import QUERIES
from standfast.components.commerce.writing import (
    COLUMNS,
    DELETED,
    UPDATED,
    Item,
    Wanted,
    items_of,
    told,
    total_of,
    write_items,
)
from standfast.platform import events


def change_order(*, account_id: int, order_id: int, wanted: Wanted) -> bool:
    """Change an order, with an event where something is different; False where there is none. In the account's scope.

    Raises TotalTooLarge.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
        if not Order.objects.filter(account_id=account_id, id=order_id).exists():
            return False
        at = dt.datetime.now(dt.UTC)
        moved = changed(cursor, account_id=account_id, at=at, wanted={order_id: wanted})
        events.append(cursor, account_id=account_id, events=list(moved.values()))
    return True


def remove_items(*, account_id: int, order_id: int, item_ids: Collection[str]) -> int:
    """Take items out of an order, whose total falls by their prices; returns how many went. In the account's scope."""
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
        before = items_of(account_id, [order_id])[order_id]
        left = [one for one in before if one.item_id not in item_ids]
        if len(left) < len(before):
            at = dt.datetime.now(dt.UTC)
            moved = changed(cursor, account_id=account_id, at=at, wanted={order_id: Wanted(items=left)})
            events.append(cursor, account_id=account_id, events=list(moved.values()))
    return len(before) - len(left)


def delete_order(*, account_id: int, order_id: int) -> bool:
    """Delete an order with its items; False where there is none. In the account's scope."""
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
        order = Order.objects.filter(account_id=account_id, id=order_id).first()
        if order is None:
            return False
        cursor.execute(QUERIES.drop_items.sql, {"account_id": account_id, "ids": [order_id]})
        cursor.execute(QUERIES.delete_order.sql, {"account_id": account_id, "id": order_id})
        events.append(cursor, account_id=account_id, events=[told(DELETED, order, dt.datetime.now(dt.UTC))])
    return True


def changed(cursor: Any, *, account_id: int, at: dt.datetime, wanted: Mapping[int, Wanted]) -> dict[int, events.Event]:
    """Change orders that exist, under the people's lock; the event of each in which something is different."""
    orders = Order.objects.filter(account_id=account_id, id__in=list(wanted))
    items = items_of(account_id, wanted)
    told_of: dict[int, events.Event] = {}
    rows: list[Order] = []
    lines: dict[int, list[Item]] = {}
    for was in orders:
        one = _changed(was, wanted[was.id], items[was.id])
        asked = wanted[was.id].items
        if asked is not None and list(asked) != items[was.id]:
            lines[was.id] = list(asked)
        if was.id in lines or any(getattr(one, name) != getattr(was, name) for name in COLUMNS):
            rows.append(one)
            told_of[was.id] = told(UPDATED, one, at, was=was)
    if rows:
        columns = {name: [getattr(one, name) for one in rows] for name in ("id", *COLUMNS)}
        cursor.execute(QUERIES.change_orders.sql, {"account_id": account_id, "at": at, **columns})
    if lines:
        cursor.execute(QUERIES.drop_items.sql, {"account_id": account_id, "ids": list(lines)})
        write_items(cursor, account_id=account_id, items=lines, at=at)
    return told_of


def _changed(was: Order, wanted: Wanted, items: list[Item]) -> Order:
    one = copy.copy(was)
    for name in COLUMNS:
        value = getattr(wanted, name)
        if value is not None:
            setattr(one, name, value)
    one.grand_total = total_of(wanted, before=was.grand_total, items_before=items)
    return one
