"""The products of an account, by the shop's own numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction

from standfast.components.commerce.models import Product
from standfast.components.commerce.queries import QUERIES

TEXTS = ("description", "category", "brand", "adcode")


class ItemTaken(ValueError):
    """Another product of the account has this number."""


def add_product(*, account_id: int, item_id: str, values: Mapping[str, Any]) -> Product | None:
    """A new product; values as in TEXTS, and price. None where the number is known. In the account's scope."""
    given = {**dict.fromkeys(TEXTS, ""), "price": None, **values}
    at = dt.datetime.now(dt.UTC)
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.add_product.sql, {"account_id": account_id, "item_id": item_id, "at": at, **given})
        row = cursor.fetchone()
    return Product.objects.get(account_id=account_id, id=row[0]) if row else None


def save_product(*, account_id: int, item_id: str, values: Mapping[str, Any]) -> tuple[Product, bool]:
    """Make a product or change the one of that number; whether it is new. In the account's scope."""
    made = add_product(account_id=account_id, item_id=item_id, values=values)
    if made is not None:
        return made, True
    mine = Product.objects.filter(account_id=account_id, item_id=item_id)
    mine.update(**values, updated_at=dt.datetime.now(dt.UTC))
    found = mine.first()
    if found is None:  # deleted between the two
        return save_product(account_id=account_id, item_id=item_id, values=values)
    return found, False


def change_product(*, account_id: int, product_id: int, values: Mapping[str, Any]) -> Product | None:
    """Set columns of a product, its number too; None where there is none. Raises ItemTaken."""
    mine = Product.objects.filter(account_id=account_id, id=product_id)
    try:
        with transaction.atomic():
            mine.update(**values, updated_at=dt.datetime.now(dt.UTC))
    except IntegrityError as error:
        raise ItemTaken(values.get("item_id", "")) from error
    return mine.first()


def delete_product(*, account_id: int, product_id: int) -> bool:
    """Take a product out of the catalogue; orders keep what they say of it. False where there is none."""
    gone, _ = Product.objects.filter(account_id=account_id, id=product_id).delete()
    return bool(gone)
