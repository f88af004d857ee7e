"""Change one person by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction

from standfast.components.audience.locking import lock_people
from standfast.components.audience.models import Contact
from standfast.platform import events
from standfast.protocols.address import parse_address


class Taken(ValueError):
    """Another person of the account has this address or number."""


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
        what = "number (UID)" if "uid" in str(error) else "address"
        raise Taken(f"Somebody else in this account has this {what}.") from error
    if done:
        with connection.cursor() as cursor:
            told = events.Event(now, "contact_updated", contact_id, data={"by": by_user_id})
            events.append(cursor, account_id=account_id, events=[told])
    return bool(done)
