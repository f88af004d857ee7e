"""Brands of an account, and addresses that get no mail of one of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction

from standfast.components.audience.models import Brand, BrandDoNotMail
from standfast.components.audience.queries import QUERIES
from standfast.platform import events
from standfast.protocols.address import parse_address


def brand_named(*, account_id: int, name: str) -> Brand:
    """The account's brand of this name, made where there is none."""
    return Brand.objects.get_or_create(account_id=account_id, name=" ".join(name.split())[:255])[0]


def add_brand_do_not_mail(*, account_id: int, brand_id: int, email: str) -> bool:
    """Keep mail of a brand from an address; False where it was kept before. In the account's scope. Raises AddressError."""
    address = parse_address(email)
    now = dt.datetime.now(dt.UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES.add_brand_do_not_mail.sql,
            {
                "account_id": account_id,
                "brand_id": brand_id,
                "keys": [address.key],
                "emails": [address.email],
                "at": now,
            },
        )
        added = bool(cursor.fetchall())
        if added:
            _tell(cursor, account_id, "brand_do_not_mail_added", address.key, [brand_id])
    return added


def lift_brand_do_not_mail(*, account_id: int, key: str, brand_id: int | None) -> int:
    """Let mail of a brand, or of all, reach an address again; returns of how many it did not. In the account's scope."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.lift_brand_do_not_mail.sql, {"account_id": account_id, "brand_id": brand_id, "key": key})
        lifted = [row[0] for row in cursor.fetchall()]
        if lifted:
            _tell(cursor, account_id, "brand_do_not_mail_removed", key, lifted)
    return len(lifted)


def delete_brand(*, account_id: int, brand_id: int) -> None:
    """Delete a brand with its do-not-mail. In the account's scope. Raises Brand.DoesNotExist."""
    with transaction.atomic():
        one = Brand.objects.select_for_update().get(account_id=account_id, pk=brand_id)
        BrandDoNotMail.objects.filter(account_id=account_id, brand_id=brand_id).delete()
        one.delete()


def _tell(cursor: Any, account_id: int, kind: str, key: str, brand_ids: list[int]) -> None:
    cursor.execute(QUERIES.contacts_of_keys.sql, {"account_id": account_id, "keys": [key]})
    known = [row[1] for row in cursor.fetchall()]
    now = dt.datetime.now(dt.UTC)
    told = [events.Event(now, kind, one, data={"brand": brand}) for one in known for brand in brand_ids]
    events.append(cursor, account_id=account_id, events=told)
