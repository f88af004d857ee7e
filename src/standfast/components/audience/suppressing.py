"""The do-not-mail list: addresses that get no marketing mail, whoever imports them again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import connection

from standfast.components.audience.models import DoNotMail, DoNotMailReason
from standfast.components.audience.queries import QUERIES
from standfast.platform import events
from standfast.protocols.address import AddressError, parse_address


class Suppressed(NamedTuple):
    """`added` addresses are new on do-not-mail, `refused` are no addresses: (text, why)."""

    added: int
    refused: list[tuple[str, str]]


def add_do_not_mail(
    *, account_id: int, entries: Iterable[str], reason: DoNotMailReason = DoNotMailReason.MANUAL, detail: str = ""
) -> Suppressed:
    """Put addresses on do-not-mail, known people or not; in the account's scope."""
    emails: dict[str, str] = {}
    refused: list[tuple[str, str]] = []
    for text in entries:
        try:
            address = parse_address(text)
            emails[address.key] = address.email
        except AddressError as error:
            refused.append((text[:255], error.reason))
    now = dt.datetime.now(dt.UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES.add_do_not_mail.sql,
            {"account_id": account_id, "keys": list(emails), "emails": list(emails.values()), "reason": reason.value,
             "detail": detail[:255], "at": now},
        )  # fmt: skip
        added = [row[0] for row in cursor.fetchall()]
        _tell(cursor, account_id, "do_not_mail_added", added, {"reason": reason.value, "detail": detail[:255]})
    return Suppressed(len(added), refused)


def lift_do_not_mail(*, account_id: int, email: str, by_user_id: int | None = None) -> bool:
    """Take an address off do-not-mail; False where it was not on it. In the account's scope."""
    try:
        key = parse_address(email).key
    except AddressError:
        key = email.strip().lower()
    gone, _ = DoNotMail.objects.filter(account_id=account_id, email_key=key).delete()
    if gone:
        with connection.cursor() as cursor:
            _tell(cursor, account_id, "do_not_mail_removed", [key], {"by": by_user_id})
    return bool(gone)


def _tell(cursor: Any, account_id: int, kind: str, keys: list[str], data: dict[str, Any]) -> None:
    cursor.execute(QUERIES.contacts_of_keys.sql, {"account_id": account_id, "keys": keys})
    known = [row[1] for row in cursor.fetchall()]
    now = dt.datetime.now(dt.UTC)
    events.append(cursor, account_id=account_id, events=[events.Event(now, kind, one, data=data) for one in known])
