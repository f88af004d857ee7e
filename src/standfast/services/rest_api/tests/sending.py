"""A campaign of Alice's that was sent to ten people, with their responses folded."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any, NamedTuple

from standfast.components.campaigns.api import Campaign
from standfast.components.delivery.api import Recipient, Send
from standfast.components.tracking.api import CONSUMERS
from standfast.platform import consumers, events
from standfast.platform.tenancy import account_scope

PEOPLE = 10
ENDS = {7: 3, 9: 4, 10: 0}  # the others are delivered


class Sent(NamedTuple):
    """Recipients 1 to 10: 1-6 delivered, 7 bounced, 8 came back later, 9 uncertain, 10 waiting."""

    account_id: int
    campaign_id: int


def sent_campaign(account_id: int, loader: Any) -> Sent:
    """loader: a connection that may write for every account."""
    with account_scope(account_id):
        campaign = Campaign.objects.create(account_id=account_id, name="Spring", state="sent")
        send = Send.objects.create(
            account_id=account_id, campaign_id=campaign.pk, total=PEOPLE, nonce=secrets.token_hex(4), next_seq=PEOPLE + 1,
            sources={"subject": "Spring", "campaign": {"name": "Spring"}},
        )  # fmt: skip
        Campaign.objects.filter(pk=campaign.pk).update(send=send)
    contacts = {seq: _recipient(loader, account_id, send, seq) for seq in range(1, PEOPLE + 1)}
    _tell(account_id, send, contacts, loader)
    return Sent(account_id, campaign.pk)


def let_it_leave(account_id: int, campaign_id: int, loader: Any) -> None:
    """The same story for a campaign that was made and sent otherwise: its ten people are frozen, as the worker does it."""
    with account_scope(account_id):
        send = Send.objects.get(account_id=account_id, campaign_id=campaign_id)
        contacts = dict(
            Recipient.objects.filter(account_id=account_id, send_id=send.pk).values_list("seq", "contact_id")
        )
        for seq in contacts:
            Recipient.objects.filter(account_id=account_id, send_id=send.pk, seq=seq).update(
                status=ENDS.get(seq, 1), attempts=1, updated_at=send.created_at
            )
    _tell(account_id, send, contacts, loader)


def _tell(account_id: int, send: Send, contacts: dict[int, int], loader: Any) -> None:
    told = [
        events.Event(send.created_at + dt.timedelta(minutes=minute), kind, contacts[seq], send.pk, seq, data)
        for minute, kind, seq, data in _story()
    ]
    with loader.cursor() as cursor:
        events.append(cursor, account_id=account_id, events=told)
    loader.commit()
    for consumer in CONSUMERS:
        while consumers.advance(loader, consumer, account_id):
            pass


def _recipient(loader: Any, account_id: int, send: Send, seq: int) -> int:
    email = f"P{seq}@example.com"
    contact_id = loader.execute(
        "INSERT INTO audience_contact (account_id, email, email_key, uid, fields, tag_ids, created_at, updated_at) "
        "VALUES (%s, %s, %s, %s, '{}', '{}', now(), now()) RETURNING id",
        [account_id, email, email.lower(), "u1" if seq == 1 else None],
    ).fetchone()[0]
    loader.execute(
        "INSERT INTO delivery_recipient (account_id, send_id, seq, contact_id, email, status, attempts, updated_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, 1, %s)",
        [account_id, send.pk, seq, contact_id, email, ENDS.get(seq, 1), send.created_at],
    )
    return int(contact_id)


def _story() -> list[tuple[int, str, int, dict[str, Any]]]:
    """(minute, kind, recipient, data)"""
    person, machine = {"verdict": "human", "ua": "Mail/1", "ip": "192.0.2.1"}, {"verdict": "machine"}
    story: list[tuple[int, str, int, dict[str, Any]]] = [(0, "delivered", seq, {}) for seq in (1, 2, 3, 4, 5, 6, 8)]
    story += [(0, "uncertain", 9, {}), (1, "bounced", 7, {"class": "InvalidRecipient", "hard": True, "code": 550})]
    story += [(30, "bounced", 8, {"class": "QuotaIssues", "hard": False, "by": "report"})]
    story += [(minute, "opened", seq, person) for minute, seq in ((5, 1), (90, 1), (6, 2))]
    story += [(7, "opened", 3, machine), (1, "clicked", 3, {**machine, "link": 2, "url": "https://shop.example/2"})]
    for minute, seq, link in ((8, 1, 1), (9, 1, 1), (9, 1, 2), (10, 4, 2)):
        story.append((minute, "clicked", seq, {**person, "link": link, "url": f"https://shop.example/{link}"}))
    return [*story, (11, "unsubscribed", 2, {}), (12, "complained", 5, {"type": "abuse"})]
