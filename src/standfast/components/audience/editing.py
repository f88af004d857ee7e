"""Change one person by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction

from standfast.components.audience.locking import lock_people
from standfast.components.audience.models import Contact
from standfast.components.audience.upsert import TEXT_FIELDS, ContactRow
from standfast.platform import events
from standfast.protocols.address import parse_address


class Taken(ValueError):
    """Another person of the account has this address or number: `field` is email or uid."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


def edit_contact(*, account_id: int, contact_id: int, values: Mapping[str, Any], by_user_id: int | None = None) -> bool:
    """Set columns of a contact (also the e-mail address); False where there is none. Raises Taken, AddressError."""
    address = parse_address(values["email"])
    now = dt.datetime.now(dt.UTC)
    changed = {**values, "email": address.email, "email_key": address.key, "uid": values.get("uid") or None}
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                lock_people(cursor, account_id=account_id)
            done = Contact.objects.filter(account_id=account_id, id=contact_id).update(**changed, updated_at=now)
    except IntegrityError as error:
        field = "uid" if "uid" in str(error) else "email"
        what = "number (UID)" if field == "uid" else "address"
        raise Taken(f"Somebody else in this account has this {what}.", field) from error
    if done:
        with connection.cursor() as cursor:
            told = events.Event(now, "contact_updated", contact_id, data={"by": by_user_id})
            events.append(cursor, account_id=account_id, events=[told])
    return bool(done)


def change_contact(*, account_id: int, contact_id: int, row: ContactRow) -> bool:
    """What upsert_contacts does to a known person, but to the one of this id: the e-mail address may change too.

    In the account's scope; False where there is none. An empty row.email leaves the address. Raises Taken, AddressError.
    """
    with connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
    one = Contact.objects.filter(account_id=account_id, id=contact_id).first()
    if one is None:
        return False
    texts = {name: value.strip()[:255] for name in TEXT_FIELDS if (value := getattr(row, name)) is not None}
    merged = {**one.fields, **(row.fields or {})}
    tags = (set(one.tag_ids) | set(row.tag_ids or ())) - set(row.drop_tag_ids or ())
    values = {
        "email": row.email or one.email, "uid": one.uid, **texts,
        "fields": {key: value for key, value in merged.items() if value is not None},
        "tag_ids": one.tag_ids if tags == set(one.tag_ids) else sorted(tags),
    }  # fmt: skip
    if all(getattr(one, name) == value for name, value in values.items()):
        return True
    return edit_contact(account_id=account_id, contact_id=contact_id, values=values)
