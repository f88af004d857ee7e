"""What goes wrong around one lease must not hold its send, or anybody else's: hostile replies, a disk that is full, a lease
that cannot be recovered."""

from __future__ import annotations

import json

import psycopg
import pytest
from asgiref.sync import sync_to_async

from standfast.components.audience.api import List
from standfast.components.delivery import api as delivery
from standfast.components.delivery import leases, recovery
from standfast.components.delivery.journal import JournalDirectory
from standfast.platform import postgres
from standfast.platform.tenancy import account_scope
from standfast.services.inbox.plan import parse_plan
from standfast.services.inbox.server import Inbox, serve_inbox
from standfast.services.inbox.store import Store
from tests.flows.sending import free_port, send_until_finished
from tests.flows.test_send import books, prepare

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def relay_on_this_machine(monkeypatch):
    monkeypatch.setenv("STANDFAST_ALLOW_PRIVATE", "1")


async def test_a_reply_with_a_nul_byte_ends_like_any_other(cast, loader, database, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text(
        json.dumps({"rule": [{"recipient": "p1@*", "action": "refuse", "code": 550, "text": "5.1.1 no\0body"}]})
    )
    port = free_port()
    send, _ = await sync_to_async(prepare)(cast, loader, port=port, people=20)
    inbox = Inbox(plan=parse_plan(str(plan)), store=Store(tmp_path / "mail"))
    server = await serve_inbox(host="127.0.0.1", port=port, inbox=inbox)
    await send_until_finished(database, cast.account.pk, send.pk)
    await server.close()
    assert await sync_to_async(books)(cast.account.pk, send.pk) == {"delivered": 19, "bounced": 1}
    reply = loader.execute(
        "SELECT reply FROM delivery_recipient WHERE send_id = %s AND status = 3", [send.pk]
    ).fetchone()
    assert reply == ("5.1.1 no?body",)


async def test_a_journal_that_cannot_be_opened_gives_its_lease_back(cast, loader, database, tmp_path, monkeypatch):
    opened = JournalDirectory.open_lease
    refused = []

    def refuse_once(self, lease_id):
        if not refused:
            refused.append(lease_id)
            raise OSError(28, "No space left on device")
        return opened(self, lease_id)

    monkeypatch.setattr(JournalDirectory, "open_lease", refuse_once)
    port = free_port()
    send, _ = await sync_to_async(prepare)(cast, loader, port=port, people=120)
    server = await serve_inbox(
        host="127.0.0.1", port=port, inbox=Inbox(plan=parse_plan("accept"), store=Store(tmp_path))
    )
    await send_until_finished(database, cast.account.pk, send.pk)
    await server.close()
    assert refused
    assert await sync_to_async(books)(cast.account.pk, send.pk) == {"delivered": 120}


def test_a_lease_that_cannot_be_recovered_does_not_keep_the_others(cast, loader, database, tmp_path, monkeypatch):
    dead = []
    for _ in range(2):
        send, _ = prepare_once(cast, loader)
        directory = JournalDirectory(tmp_path)
        taken = leases.take(loader, account_id=cast.account.pk, send_id=send.pk, node="here", journal=directory.name)
        assert taken is not None
        directory.open_lease(taken.id).close()
        directory.close()  # the lock is gone, the file stays: a worker that was killed
        dead.append(taken)
    read = recovery.journal.read

    def unreadable(path):
        if path.name == f"{dead[0].id}.journal":
            raise RuntimeError("unreadable")
        return read(path)

    monkeypatch.setattr(recovery.journal, "read", unreadable)
    with psycopg.connect(postgres.dsn(database, "loader")) as connection:
        assert recovery.recover(connection, journals=tmp_path, node="here") == 1
        monkeypatch.undo()
        assert recovery.recover(connection, journals=tmp_path, node="here") == 1
    left = loader.execute("SELECT count(*) FROM delivery_lease WHERE account_id = %s", [cast.account.pk]).fetchone()
    assert left == (0,)


def prepare_once(cast, loader):
    """`prepare` makes the route, the domain and the list of an account, which it has once."""
    with account_scope(cast.account.pk):
        for made in (delivery.Route, delivery.SendingDomain, List):
            made.objects.filter(account_id=cast.account.pk).delete()
    return prepare(cast, loader, port=free_port(), people=60)
