"""What every change of orders is made of: the values wanted, the rows written, the events told. Within one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from standfast.components.commerce.amounts import plain, within
from standfast.components.commerce.models import Order, OrderItem
from standfast.components.commerce.queries import QUERIES
from standfast.platform.events import Event

ITEMS_MAX = 500
COLUMNS = (
    "order_date", "status", "grand_total", "campaign_id", "send_id", "coupon_code", "source_name", "source_type",
)  # fmt: skip
ITEM_COLUMNS = ("item_id", "price", "quantity", "description", "adcode", "category")
PLACED, UPDATED, DELETED = "order_placed", "order_updated", "order_deleted"


class Item(NamedTuple):
    """`price` is the extended price: of the whole quantity."""

    item_id: str
    price: Decimal
    quantity: Decimal = Decimal(1)
    description: str = ""
    adcode: str = ""
    category: str = ""


class Wanted(NamedTuple):
    """How an order shall be. None leaves what is there; a new order needs a date, a status and items.

    Without a `grand_total` a new order costs what its items do, and a known one moves by as much as they do: postage,
    taxes and discounts stay.
    """

    order_date: dt.datetime | None = None
    status: str | None = None
    items: Sequence[Item] | None = None
    grand_total: Decimal | None = None
    campaign_id: int | None = None
    send_id: int | None = None
    coupon_code: str | None = None
    source_name: str | None = None
    source_type: str | None = None


class TotalTooLarge(ValueError):
    """The items' prices make more than an order can cost."""


def total_of(wanted: Wanted, *, before: Decimal = Decimal(0), items_before: Sequence[Item] = ()) -> Decimal:
    """The grand total that is wanted. Raises TotalTooLarge."""
    if wanted.grand_total is not None:
        return wanted.grand_total
    if wanted.items is None:
        return before
    moved = (
        before
        + sum((one.price for one in wanted.items), Decimal(0))
        - sum((one.price for one in items_before), Decimal(0))
    )
    try:
        return within(max(moved, Decimal(0)))
    except ValueError as error:
        raise TotalTooLarge(str(error)) from None


def items_of(account_id: int, order_ids: Iterable[int]) -> dict[int, list[Item]]:
    """The items of orders, in their order; an empty list where there are none."""
    found: dict[int, list[Item]] = {one: [] for one in order_ids}
    rows = OrderItem.objects.filter(account_id=account_id, order_id__in=list(found)).order_by("order_id", "line")
    for order_id, *values in rows.values_list("order_id", *ITEM_COLUMNS):
        found[order_id].append(Item(*values))
    return found


def write_items(cursor: Any, *, account_id: int, items: Mapping[int, Sequence[Item]], at: dt.datetime) -> None:
    """The items of orders that have none; products that are not known yet come into the catalogue."""
    rows = [(order_id, line, *one) for order_id, each in items.items() for line, one in enumerate(each, 1)]
    if not rows:
        return
    columns = dict(zip(("order_id", "line", *ITEM_COLUMNS), map(list, zip(*rows, strict=True)), strict=True))
    cursor.execute(QUERIES.add_items.sql, {"account_id": account_id, **columns})
    cursor.execute(QUERIES.meet_products.sql, {"account_id": account_id, "at": at, **columns})


def told(kind: str, order: Order, at: dt.datetime, *, was: Order | None = None) -> Event:
    """An event of the log. Of a change it tells the total and campaign before too, so that sums can be kept by it alone."""
    data: dict[str, Any] = {
        "order": order.id, "original_order_id": order.original_order_id, "status": order.status,
        "total": plain(order.grand_total), "campaign": order.campaign_id,
    }  # fmt: skip
    if was is not None:
        data |= {"was_total": plain(was.grand_total), "was_campaign": was.campaign_id}
    return Event(at, kind, order.contact_id, order.send_id, data=data)
