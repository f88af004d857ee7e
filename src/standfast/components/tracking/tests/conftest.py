"""A send of Alice's to ten people with responses, folded; made once a test that asks for it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import pytest

from standfast.components.tracking.tests import log
from standfast.components.tracking.tests.log import append, clicked, event, fold_all, opened

PEOPLE = 10


@dataclass
class Sent:
    """Alice's send. Recipient 1 to 10; 1-6 delivered, 7 bounced, 8 came back later, 9 uncertain, 10 waiting."""

    account_id: int
    send_id: int
    created_at: Any


@pytest.fixture
def sent(transactional_db: None, cast: Any, loader: Any) -> Sent:
    from standfast.components.delivery.api import Send
    from standfast.platform.tenancy import account_scope

    account_id = cast.account.pk
    with account_scope(account_id):
        send = Send.objects.create(
            account_id=account_id, campaign_id=5, total=PEOPLE, nonce=secrets.token_hex(4), next_seq=PEOPLE + 1,
            sources={"subject": "Spring <b>is</b> here", "campaign": {"name": "Spring"}, "html": "x" * 1000},
        )  # fmt: skip
    statuses, contacts = {7: 3, 9: 4, 10: 0}, {}
    for seq in range(1, PEOPLE + 1):
        contacts[seq] = loader.execute(
            "INSERT INTO audience_contact (account_id, email, email_key, uid, fields, tag_ids, created_at, updated_at) "
            "VALUES (%s, %s, %s, %s, '{}', '{}', now(), now()) RETURNING id",
            [account_id, f"P{seq}@example.com", f"p{seq}@example.com", f"u{seq}" if seq == 1 else None],
        ).fetchone()[0]  # fmt: skip
        code, reply = (550, "=5.1.1 no such user") if seq == 7 else (250, "2.0.0 ok")
        loader.execute(
            "INSERT INTO delivery_recipient (account_id, send_id, seq, contact_id, email, status, attempts, updated_at, "
            "code, reply) VALUES (%s, %s, %s, %s, %s, %s, 1, %s, %s, %s)",
            [
                account_id,
                send.pk,
                seq,
                contacts[seq],
                f"P{seq}@example.com",
                statuses.get(seq, 1),
                send.created_at,
                code,
                reply,
            ],
        )
    loader.commit()
    told = [
        one._replace(send_id=send.pk, contact_id=contacts[one.seq], at=send.created_at + (one.at - log.START))
        for one in _story()
    ]
    append(loader, account_id, told)
    fold_all(loader, account_id)
    return Sent(account_id, send.pk, send.created_at)


def _story() -> list[Any]:
    told = [event("delivered", seq) for seq in (1, 2, 3, 4, 5, 6, 8)]
    told += [event("uncertain", 9), event("deferred", 2, code=451)]
    told += [event("bounced", 7, **{"class": "InvalidRecipient", "hard": True, "code": 550, "text": "5.1.1"})]
    told += [event("bounced", 8, 30, **{"class": "QuotaIssues", "hard": False, "by": "report"})]
    told += [opened(1, 5), opened(1, 90), opened(2, 6), opened(3, 7, "machine"), clicked(1, 8, 1), clicked(1, 9, 1)]
    told += [clicked(1, 9, 2), clicked(4, 10, 2), clicked(3, 1, 0, "machine"), clicked(3, 1, 2, "machine")]
    return [*told, event("unsubscribed", 2, 11), event("complained", 5, 12, type="abuse")]
