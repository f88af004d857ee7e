"""Orders and products as the reference product shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from standfast.components.commerce.amounts import plain
from standfast.components.commerce.models import Order, Product
from standfast.components.commerce.queries import QUERIES
from standfast.components.commerce.writing import Item, items_of
from standfast.platform.rest.answers import moment

SHOWN_MAX = 100  # orders of one person
_ORDER = (
    "id", "original_order_id", "order_date", "status", "grand_total", "campaign_id", "coupon_code", "source_name", "source_type",
    "created_at", "updated_at",
)  # fmt: skip


def order_rows(account_id: int, orders: Sequence[Order]) -> list[dict[str, Any]]:
    if not orders:
        return []
    items = items_of(account_id, [one.id for one in orders])
    return [_order_row(one, [_item_row(each) for each in items[one.id]]) for one in orders]


def orders_of(account_id: int, contact_id: int) -> list[dict[str, Any]]:
    """The newest orders of a person, newest first."""
    with connection.cursor() as cursor:
        asked = {"account_id": account_id, "contact_id": contact_id, "most": SHOWN_MAX}
        cursor.execute(QUERIES.orders_of.sql, asked)
        rows = [dict(zip(_ORDER, row, strict=True)) for row in cursor.fetchall()]
    return order_rows(account_id, [Order(account_id=account_id, contact_id=contact_id, **row) for row in rows])


def product_row(one: Product) -> dict[str, Any]:
    row: dict[str, Any] = {"id": one.id, "account_id": one.account_id, "item_id": one.item_id}
    row |= {name: getattr(one, name) or None for name in ("description", "category", "brand", "adcode")}
    return row | {"price": None if one.price is None else plain(one.price), "created_at": moment(one.created_at),
                  "updated_at": moment(one.updated_at)}  # fmt: skip


def _order_row(one: Order, items: list[dict[str, Any]]) -> dict[str, Any]:
    """The items stand under both names by which clients read them."""
    texts = {name: getattr(one, name) or None for name in ("coupon_code", "source_name", "source_type")}
    return {
        "id": one.id, "account_id": one.account_id, "contact_id": one.contact_id,
        "original_order_id": one.original_order_id, "order_date": moment(one.order_date), "order_status": one.status,
        "grand_total": plain(one.grand_total), "campaign_id": one.campaign_id, **texts,
        "created_at": moment(one.created_at), "updated_at": moment(one.updated_at), "products": items, "order_items": items,
    }  # fmt: skip


def _item_row(one: Item) -> dict[str, Any]:
    row: dict[str, Any] = {"item_id": one.item_id, "price": plain(one.price), "quantity": plain(one.quantity)}
    return row | {name: getattr(one, name) or None for name in ("description", "adcode", "category")}
