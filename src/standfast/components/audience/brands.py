"""Brands of an account, which mail is theirs, and addresses that get no mail of one of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import RestrictedError

from standfast.components.audience.models import Brand, BrandDoNotMail, BrandedMail, DoNotMailReason
from standfast.components.audience.queries import QUERIES
from standfast.platform import events
from standfast.protocols.address import parse_address

BRANDS_MAX = 500


class BrandInUse(Exception):
    """The brand cannot be deleted: something bears it."""


class NoSuchBrand(LookupError):
    """The account has no such brand."""


def brand_named(*, account_id: int, name: str) -> Brand:
    """The account's brand of this name, made where there is none."""
    return Brand.objects.get_or_create(account_id=account_id, name=" ".join(name.split())[:255])[0]


def find_brand(*, account_id: int, brand_id: int | None = None, name: str = "") -> Brand | None:
    """The account's brand of that id, or without one of that name. In the account's scope."""
    brands = Brand.objects.filter(account_id=account_id)
    if brand_id is not None:
        return brands.filter(pk=brand_id).first()
    return brands.filter(name=" ".join(name.split())).first()


def brands_of(*, account_id: int) -> list[tuple[int, str]]:
    """(id, name) of the account's brands by name. In the account's scope."""
    return list(Brand.objects.filter(account_id=account_id).order_by("name").values_list("pk", "name")[:BRANDS_MAX])


def delete_brand(*, account_id: int, brand_id: int) -> Brand:
    """Delete a brand with its do-not-mail. In the account's scope. Raises Brand.DoesNotExist, BrandInUse.

    A brand under which mail has left stays: its people must be able to unsubscribe from that, and who did is kept with it.
    """
    with transaction.atomic():
        one = Brand.objects.select_for_update().get(account_id=account_id, pk=brand_id)
        if BrandedMail.objects.filter(account_id=account_id, brand_id=brand_id).exists():
            raise BrandInUse("Mail was sent under this brand. Who wants no more of it is kept with the brand.")
        try:
            one.delete()
        except RestrictedError as error:
            raise BrandInUse("Campaigns or lists belong to this brand. Change or delete them first.") from error
        BrandDoNotMail.objects.filter(account_id=account_id, brand_id=brand_id).delete()
    return one


def bear_brand(*, account_id: int, send_id: int, brand_of: Mapping[int, int]) -> None:
    """Say whose mail it is: brand_of a message's seq, or of 0 for a whole send, once. In the account's scope.

    The brands are held until the commit, so that nobody deletes one meanwhile. Raises NoSuchBrand.
    """
    brands = sorted(set(brand_of.values()))
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.hold_brands.sql, {"account_id": account_id, "brand_ids": brands})
        if len(cursor.fetchall()) < len(brands):
            raise NoSuchBrand("The brand does not exist any more.")
        cursor.execute(
            QUERIES.bear_brand.sql,
            {
                "account_id": account_id,
                "send_id": send_id,
                "seqs": list(brand_of),
                "brand_ids": list(brand_of.values()),
            },
        )


def brand_of_mail(*, account_id: int, send_id: int, seq: int) -> int | None:
    """The brand that a recipient's mail bears. In the account's scope."""
    found = BrandedMail.objects.filter(account_id=account_id, send_id=send_id, seq__in=(0, seq)).order_by("-seq")
    return found.values_list("brand_id", flat=True).first()


def add_brand_do_not_mail(
    *, account_id: int, brand_id: int, email: str, reason: DoNotMailReason = DoNotMailReason.API
) -> bool:
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
                "reason": reason.value,
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


def _tell(cursor: Any, account_id: int, kind: str, key: str, brand_ids: list[int]) -> None:
    cursor.execute(QUERIES.contacts_of_keys.sql, {"account_id": account_id, "keys": [key]})
    known = [row[1] for row in cursor.fetchall()]
    now = dt.datetime.now(dt.UTC)
    told = [events.Event(now, kind, one, data={"brand": brand}) for one in known for brand in brand_ids]
    events.append(cursor, account_id=account_id, events=told)
