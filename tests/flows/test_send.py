"""A send from the freeze to the ledger, over a real socket to the inbox, with providers that defer, refuse and hang up."""

from __future__ import annotations

import email
import email.policy

import dkim
import pytest
from asgiref.sync import sync_to_async

from standfast.components.audience.api import List
from standfast.components.delivery import api as delivery
from standfast.components.delivery.models import SendingDomain
from standfast.platform import mail_store as mailbox
from standfast.platform.tenancy import account_scope
from standfast.services.inbox.plan import parse_plan
from standfast.services.inbox.server import Inbox, serve_inbox
from standfast.services.inbox.store import Store
from tests.flows.sending import add_people, free_port, send_until, send_until_finished, sources

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def relay_on_this_machine(monkeypatch):
    """The account's own relay is refused inside a private network, unless whoever runs the installation allows it."""
    monkeypatch.setenv("STANDFAST_ALLOW_PRIVATE", "1")


def prepare(cast, loader, *, port: int, people: int):
    """A list with people, a sending domain, a route to the inbox with short retries, and the frozen send."""
    account_id = cast.account.pk
    with account_scope(account_id):
        chosen = List.objects.create(account_id=account_id, name="Everybody")
        delivery.Route.objects.create(
            account_id=account_id, to_inbox=False, host="127.0.0.1", port=port, tls="none", connections=4,
            retry_seconds=1, retry_seconds_max=2, life_seconds=600,
        )  # fmt: skip
        delivery.add_domain(account_id=account_id, domain="shop.example")
    add_people(loader, account_id, chosen.pk, people)
    with account_scope(account_id):
        return delivery.freeze_send(
            account_id=account_id, campaign_id=7, sources=sources("news@shop.example"), list_ids=[chosen.pk],
            suppressed_list_ids=[],
        )  # fmt: skip


def books(account_id: int, send_id: int) -> dict[str, int]:
    with account_scope(account_id):
        return {name: count for name, count in delivery.books(account_id=account_id, send_id=send_id).items() if count}


def public_record(account_id: int) -> bytes:
    with account_scope(account_id):
        return SendingDomain.objects.get(account_id=account_id).public_record.encode()


async def test_everybody_gets_one_signed_message(cast, loader, database, tmp_path):
    port = free_port()
    send, audience = await sync_to_async(prepare)(cast, loader, port=port, people=300)
    assert audience.total == 300
    server = await serve_inbox(
        host="127.0.0.1", port=port, inbox=Inbox(plan=parse_plan("accept"), store=Store(tmp_path))
    )
    await send_until_finished(database, cast.account.pk, send.pk)
    await server.close()
    assert await sync_to_async(books)(cast.account.pk, send.pk) == {"delivered": 300}

    stored = list(mailbox.entries(tmp_path))
    assert len({one.recipients[0] for one in stored}) == len(stored) == 300
    raw = mailbox.read_message(tmp_path, stored[0])
    record = await sync_to_async(public_record)(cast.account.pk)
    assert dkim.verify(raw, dnsfunc=lambda *_, **__: record)
    parsed = email.message_from_bytes(raw, policy=email.policy.SMTP)
    assert parsed["Subject"].startswith("Hello Person ")
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "List-Unsubscribe-Post" in str(parsed["DKIM-Signature"])
    html = parsed.get_body(("html",)).get_content()
    assert "/c/t" in html and "{{" not in html
    events = loader.execute(
        "SELECT kind, count(*) FROM event WHERE account_id = %s AND send_id = %s GROUP BY kind",
        [cast.account.pk, send.pk],
    ).fetchall()
    assert events == [("delivered", 300)]


async def test_the_books_balance_with_unruly_providers(cast, loader, database, tmp_path):
    port = free_port()
    send, _ = await sync_to_async(prepare)(cast, loader, port=port, people=600)
    plan = parse_plan("seed:7,defer=0.05,refuse=0.05,throttle=0.01,drop_at_rcpt=0.01,drop_in_data=0.01,drop_after_dot=0.01,"
                      "drop_after_accept=0.01,per_connection=100")  # fmt: skip
    server = await serve_inbox(host="127.0.0.1", port=port, inbox=Inbox(plan=plan, store=Store(tmp_path)))
    await send_until_finished(database, cast.account.pk, send.pk)
    await server.close()
    counts = await sync_to_async(books)(cast.account.pk, send.pk)
    assert sum(counts.values()) == 600
    assert counts["bounced"] > 0 and counts["uncertain"] > 0
    received = [one.recipients[0] for one in mailbox.entries(tmp_path)]
    assert len(received) == len(set(received)), "somebody got it twice"
    delivered = counts["delivered"]
    assert delivered <= len(received) <= delivered + counts["uncertain"]


async def test_a_relay_inside_the_private_network_is_refused(cast, loader, database, monkeypatch):
    monkeypatch.setenv("STANDFAST_ALLOW_PRIVATE", "0")
    send, _ = await sync_to_async(prepare)(cast, loader, port=free_port(), people=5)
    await send_until(database, send.pk, "paused")
    [problem] = loader.execute("SELECT problem FROM delivery_send WHERE id = %s", [send.pk]).fetchone()
    assert "private network" in problem
    assert await sync_to_async(books)(cast.account.pk, send.pk) == {"deferred": 5}
