"""Place orders, one or many: new ones are written, those that the shop told of before are changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction

from standfast.components.audience.api import Contact, lock_people
from standfast.components.commerce.changing import changed
from standfast.components.commerce.models import Order
from standfast.components.commerce.queries import QUERIES
from standfast.components.commerce.writing import COLUMNS, PLACED, Wanted, told, total_of, write_items
from standfast.platform import events

ORDERS_MAX = 1000


class OrderRow(NamedTuple):
    """An order of a contact under the shop's number."""

    contact_id: int
    original_order_id: str
    wanted: Wanted


class Saved(NamedTuple):
    """What became of a row: created, updated, unchanged, or refused; then `order_id` is None and `reason` says why."""

    outcome: str
    order_id: int | None
    reason: str = ""


class NotUnique(ValueError):
    """The contact has an order under this number already."""


def place_order(*, account_id: int, row: OrderRow, unique: bool = False) -> int:
    """A new order; returns its id. In the account's scope. Raises NotUnique where `unique` asks, TotalTooLarge.

    The people's lock makes callers at once wait for each other: of two that ask for a unique order one is refused.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
        if unique and _known(cursor, account_id, [row]):
            raise NotUnique
        [order] = _added(cursor, account_id, [row], at := dt.datetime.now(dt.UTC))
        events.append(cursor, account_id=account_id, events=[told(PLACED, order, at)])
    return order.id


def save_orders(*, account_id: int, rows: Sequence[OrderRow]) -> list[Saved]:
    """Place or change up to a thousand orders, found by contact and number; one result per row, in order.

    In the account's scope. Of several rows for one order the last wins; of several orders under one number the newest is
    changed. Raises TotalTooLarge, and ValueError for more rows than that.
    """
    if len(rows) > ORDERS_MAX:
        raise ValueError(f"{len(rows)} orders: pass at most {ORDERS_MAX:,} at a time.")
    last = {row[:2]: row for row in rows}
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
        people = {row.contact_id for row in rows}
        there = set(Contact.objects.filter(account_id=account_id, id__in=people).values_list("id", flat=True))
        wanted = {key: row for key, row in last.items() if row.contact_id in there}
        known = _known(cursor, account_id, list(wanted.values()))
        at = dt.datetime.now(dt.UTC)
        new = [row for key, row in wanted.items() if key not in known]
        added = _added(cursor, account_id, new, at)
        saved = {row[:2]: Saved("created", one.id) for row, one in zip(new, added, strict=True)}
        moved = changed(cursor, account_id=account_id, at=at, wanted={known[key]: wanted[key].wanted for key in known})
        for key, order_id in known.items():
            saved[key] = Saved("updated" if order_id in moved else "unchanged", order_id)
        news = [told(PLACED, one, at) for one in added]
        events.append(cursor, account_id=account_id, events=[*news, *moved.values()])
    gone = Saved("refused", None, "there is no such contact")
    return [saved.get(row[:2], gone) for row in rows]


def _known(cursor: Any, account_id: int, rows: Sequence[OrderRow]) -> dict[tuple[int, str], int]:
    keys = {
        "contact_id": [row.contact_id for row in rows],
        "original_order_id": [row.original_order_id for row in rows],
    }
    cursor.execute(QUERIES.known_orders.sql, {"account_id": account_id, **keys})
    return {(contact_id, number): order_id for contact_id, number, order_id in cursor.fetchall()}


def _added(cursor: Any, account_id: int, rows: Sequence[OrderRow], at: dt.datetime) -> list[Order]:
    if not rows:
        return []
    cursor.execute(QUERIES.take_ids.sql, {"count": len(rows)})
    orders = [_new(account_id, order_id, row, at) for (order_id,), row in zip(cursor.fetchall(), rows, strict=True)]
    names = ("id", "contact_id", "original_order_id", *COLUMNS)
    columns = {name: [getattr(one, name) for one in orders] for name in names}
    cursor.execute(QUERIES.add_orders.sql, {"account_id": account_id, "at": at, **columns})
    items = {one.id: row.wanted.items or () for one, row in zip(orders, rows, strict=True)}
    write_items(cursor, account_id=account_id, items=items, at=at)
    return orders


def _new(account_id: int, order_id: int, row: OrderRow, at: dt.datetime) -> Order:
    wanted = row.wanted
    if wanted.order_date is None or wanted.status is None or wanted.items is None:
        raise ValueError("a new order needs a date, a status and items")
    return Order(
        account_id=account_id, id=order_id, contact_id=row.contact_id, original_order_id=row.original_order_id,
        order_date=wanted.order_date, status=wanted.status, grand_total=total_of(wanted), campaign_id=wanted.campaign_id,
        send_id=wanted.send_id, coupon_code=wanted.coupon_code or "", source_name=wanted.source_name or "",
        source_type=wanted.source_type or "", created_at=at, updated_at=at,
    )  # fmt: skip
