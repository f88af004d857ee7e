"""Freeze an audience into a send: one row per recipient, in one statement, with everybody left out counted by reason."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection

from standfast.components.audience.api import bear_brand, learn_people
from standfast.components.delivery.message import TEST_CONTACT
from standfast.components.delivery.models import Send
from standfast.components.delivery.queries import QUERIES
from standfast.platform import statistics

TEST_RECIPIENTS_MAX = 30


class Audience(NamedTuple):
    """`total` people get mail; `skipped` the others by reason: unsubscribed, do_not_mail:<why>, brand_do_not_mail:<why>,
    suppressed_list, secure_list.

    `is_estimate`: told from a sample, in two or three digits.
    """

    total: int
    skipped: dict[str, int]
    is_estimate: bool = False


def count_audience(
    *,
    account_id: int,
    list_ids: Sequence[int],
    suppressed_list_ids: Sequence[int],
    secure_list_ids: Sequence[int] = (),
    brand_id: int | None = None,
) -> Audience:
    """The judgement of the freeze without freezing. In the account's scope."""
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES.count_audience.sql,
            {"account_id": account_id, "list_ids": list(list_ids), "suppressed_list_ids": list(suppressed_list_ids),
             "secure_list_ids": list(secure_list_ids), "brand_id": brand_id},
        )  # fmt: skip
        counts = dict(cursor.fetchall())
    return Audience(counts.pop(None, 0), counts)


def freeze_send(
    *,
    account_id: int,
    campaign_id: int | None,
    sources: Mapping[str, Any],
    list_ids: Sequence[int],
    suppressed_list_ids: Sequence[int],
    secure_list_ids: Sequence[int] = (),
    brand_id: int | None = None,
    rate_per_minute: int | None = None,
) -> tuple[Send, Audience]:
    """Make a send with its recipients, ready to be leased at the commit. In the account's scope.

    `sources` is what `message.Composer` reads: subject, preheader, html, source_kind, text, inline_css, from_name, from_email,
    reply_to, tracker_url, bounce_domain, campaign (the template object), tag. Who is on a secure list gets nothing; with a
    brand its do-not-mail holds, without one the general. Raises LookupError where the brand is not the account's.
    """
    send = Send.objects.create(
        account_id=account_id, campaign_id=campaign_id, sources=dict(sources), nonce=secrets.token_hex(5),
        rate_per_minute=rate_per_minute, secure_list_ids=list(secure_list_ids),
    )  # fmt: skip
    if brand_id is not None:
        bear_brand(account_id=account_id, send_id=send.pk, brand_of={0: brand_id})
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES.freeze.sql,
            {"account_id": account_id, "send_id": send.pk, "list_ids": list(list_ids),
             "suppressed_list_ids": list(suppressed_list_ids), "secure_list_ids": list(secure_list_ids),
             "brand_id": brand_id},
        )  # fmt: skip
        counts = dict(cursor.fetchall())
        send.total = counts.pop(None, 0)
        send.save(update_fields=["total"])
        learn_people(cursor, account_id=account_id, people_at_least=send.total)
        statistics.learn(cursor, table="delivery_recipient", account_id=account_id, rows_at_least=send.total)
    return send, Audience(send.total, counts)


def test_send(
    *, account_id: int, sources: Mapping[str, Any], emails: Sequence[str], contact: Mapping[str, Any]
) -> list[Send]:
    """Send the sources to typed addresses, rendered as `contact`; counts for nobody. Raises ValueError over 30 addresses."""
    if not 1 <= len(emails) <= TEST_RECIPIENTS_MAX:
        raise ValueError(f"a test goes to 1 to {TEST_RECIPIENTS_MAX} addresses")
    sends = []
    for email in emails:
        send = Send.objects.create(
            account_id=account_id, campaign_id=None, nonce=secrets.token_hex(5), total=1,
            sources={**sources, "test_contact": dict(contact)},
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO delivery_recipient (account_id, send_id, seq, contact_id, email) VALUES (%s, %s, 1, %s, %s)",
                [account_id, send.pk, TEST_CONTACT, email],
            )
        sends.append(send)
    return sends
