"""Messages that programs hand in: before all bulk, from their sources or as they were given, sent again when uncertain."""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import email.policy
import secrets
from collections import Counter
from email.message import EmailMessage

import dkim
import pytest
from asgiref.sync import sync_to_async
from psycopg_pool import ConnectionPool

from standfast.components.delivery import api as delivery
from standfast.components.delivery.api import Submission
from standfast.platform import mail_store as mailbox
from standfast.platform import postgres
from standfast.platform.tenancy import account_scope
from standfast.protocols.keys import derive
from standfast.services.inbox.plan import parse_plan
from standfast.services.inbox.server import Inbox, serve_inbox
from standfast.services.inbox.store import Store
from tests.flows.sending import free_port, sources
from tests.flows.test_send import books, public_record

pytestmark = pytest.mark.django_db(transaction=True)
RECEIPT = "<p>Thank you {{ contact.first_name }}, order {{ tag.order }} <a href='https://shop.example/'>here</a></p>"


@pytest.fixture(autouse=True)
def relay_on_this_machine(monkeypatch):
    monkeypatch.setenv("STANDFAST_ALLOW_PRIVATE", "1")


@sync_to_async
def prepare(cast, port: int):
    account_id = cast.account.pk
    with account_scope(account_id):
        delivery.Route.objects.create(
            account_id=account_id, to_inbox=False, host="127.0.0.1", port=port, tls="none", connections=2,
            retry_seconds=1, retry_seconds_max=2, life_seconds=600,
        )  # fmt: skip
        delivery.add_domain(account_id=account_id, domain="shop.example")
        defaults = sources("receipts@shop.example", html=RECEIPT)
        send = delivery.open_stream(account_id=account_id, sources=defaults)
        source = delivery.stream_source(
            account_id=account_id, send_id=send.pk, sources={"subject": "Order {{ tag.order }}", "preheader": ""}
        )
    return send, source


@sync_to_async
def hand_in(send, *messages: Submission):
    with account_scope(send.account_id):
        return delivery.submit(account_id=send.account_id, send_id=send.pk, messages=messages)


async def work_until(config, directory, count: int, *, seconds: float = 40) -> None:
    """Run one sender until the inbox holds so many messages."""
    with ConnectionPool(postgres.dsn(config, "loader"), min_size=1, max_size=8) as pool:
        sender = delivery.Sender(
            pool=pool, journals=config.journal_dir, key=derive(config.secret(), "tokens"), ehlo_name="test.example"
        )
        running = asyncio.create_task(sender.run())
        try:
            async with asyncio.timeout(seconds):
                while mailbox.count_messages(directory) < count:
                    await asyncio.sleep(0.05)
        finally:
            sender.stop.set()
            await running


def person(loader, cast, name: str) -> int:
    """A contact's id."""
    now = dt.datetime.now(dt.UTC)
    with loader.transaction():
        [contact_id] = loader.execute(
            "INSERT INTO audience_contact (account_id, email, email_key, first_name, fields, created_at, updated_at)"
            " VALUES (%(a)s, %(e)s, %(e)s, %(n)s, '{}', %(now)s, %(now)s) RETURNING id",
            {"a": cast.account.pk, "e": f"{name}@people.example", "n": name.title(), "now": now},
        ).fetchone()
    return contact_id


def by_source(contact_id: int, name: str, order: str, source: int, **more) -> Submission:
    values = {"tag": {"order": order}}
    return Submission(contact_id=contact_id, email=f"{name}@people.example", source_id=source, values=values, **more)


def letter(image: bytes) -> bytes:
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"] = "Shop <receipts@shop.example>", "alice@people.example"
    message["Subject"], message["Message-ID"] = "Your invoice", "<invoice-1@shop.example>"
    message.set_content("Invoice\n")
    message.add_alternative('<p>Pay <a href="https://shop.example/pay">here</a></p>', subtype="html")
    message.add_attachment(image, maintype="image", subtype="png", filename="logo.png")
    return message.as_bytes()


async def test_from_a_source_and_as_given(cast, loader, database, tmp_path):
    port = free_port()
    send, source = await prepare(cast, port)
    alice = person(loader, cast, "alice")
    image = secrets.token_bytes(20_000)
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1.5)
    await hand_in(
        send,
        by_source(alice, "alice", "A-1", source),
        by_source(alice, "alice", "A-2", source, due_at=soon),
        Submission(
            contact_id=0,
            email="alice@people.example",
            raw=letter(image),
            values={"from_email": "receipts@shop.example"},
        ),
        Submission(
            contact_id=0, email="x@people.example", raw=letter(image), values={"from_email": "a@foreign.example"}
        ),
    )
    inbox = Inbox(plan=parse_plan("accept"), store=Store(tmp_path))
    server = await serve_inbox(host="127.0.0.1", port=port, inbox=inbox)
    await work_until(database, tmp_path, 3)
    await server.close()
    raws = [mailbox.read_message(tmp_path, one) for one in mailbox.entries(tmp_path)]
    record = await sync_to_async(public_record)(cast.account.pk)
    assert all(dkim.verify(raw, dnsfunc=lambda *_, **__: record) for raw in raws)
    parsed = {
        str(one["Subject"]): one for one in (email.message_from_bytes(raw, policy=email.policy.SMTP) for raw in raws)
    }
    assert set(parsed) == {"Order A-1", "Order A-2", "Your invoice"}
    assert "Thank you Alice, order A-1" in parsed["Order A-1"].get_body(("html",)).get_content()
    invoice = parsed["Your invoice"]
    assert invoice["Message-ID"] == "<invoice-1@shop.example>"
    [attached] = invoice.iter_attachments()
    assert attached.get_content() == image
    html = invoice.get_body(("html",)).get_content()
    assert "/c/" in html and ".gif" in html and 'https://shop.example/pay"' not in html
    assert invoice["List-Unsubscribe"] and invoice["Date"]
    assert await sync_to_async(books)(cast.account.pk, send.pk) == {"delivered": 3, "failed": 1}


async def test_an_uncertain_message_goes_again_under_its_message_id_and_one_deferred_too(
    cast, loader, database, tmp_path
):
    port = free_port()
    send, source = await prepare(cast, port)
    alice, bob = person(loader, cast, "alice"), person(loader, cast, "bob")
    rules = (
        '[[rule]]\nrecipient = "alice@*"\naction = "drop_after_accept"\nattempts = 1\n'
        '[[rule]]\nrecipient = "bob@*"\naction = "defer"\nstage = "rcpt"\nattempts = 1\n'
    )
    (tmp_path / "plan.toml").write_text(rules)
    store = tmp_path / "inbox"
    inbox = Inbox(plan=parse_plan(str(tmp_path / "plan.toml")), store=Store(store))
    server = await serve_inbox(host="127.0.0.1", port=port, inbox=inbox)
    await hand_in(send, by_source(alice, "alice", "1", source), by_source(bob, "bob", "2", source))
    await work_until(database, store, 3)
    await server.close()
    got = Counter(one.recipients[0] for one in mailbox.entries(store))
    assert got == {"alice@people.example": 2, "bob@people.example": 1}
    ids = Counter(mailbox.message_ids(store))
    assert sorted(ids.values()) == [1, 2]
    assert await sync_to_async(books)(cast.account.pk, send.pk) == {"delivered": 2}


async def test_do_not_mail_holds_unless_the_message_ignores_it(cast, loader, database, tmp_path):
    from standfast.components.audience.api import add_do_not_mail

    port = free_port()
    send, source = await prepare(cast, port)
    contact_id = person(loader, cast, "carol")

    @sync_to_async
    def block() -> None:
        with account_scope(cast.account.pk):
            add_do_not_mail(account_id=cast.account.pk, entries=["carol@people.example"])

    await block()
    inbox = Inbox(plan=parse_plan("accept"), store=Store(tmp_path))
    server = await serve_inbox(host="127.0.0.1", port=port, inbox=inbox)
    carol = {"values": {"tag": {"order": "1"}}, "source_id": source}
    await hand_in(
        send,
        Submission(contact_id=contact_id, email="carol@people.example", **carol),
        Submission(contact_id=contact_id, email="carol@people.example", ignore_do_not_mail=True, **carol),
        by_source(person(loader, cast, "dave"), "dave", "9", source),
    )
    await work_until(database, tmp_path, 2)
    await server.close()
    got = Counter(one.recipients[0] for one in mailbox.entries(tmp_path))
    assert got == {"carol@people.example": 1, "dave@people.example": 1}
    assert await sync_to_async(books)(cast.account.pk, send.pk) == {"delivered": 2, "cancelled": 1}
