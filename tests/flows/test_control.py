"""Pause, resume and cancel of a running send: what has not left stays, nobody gets it twice, the books close."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from psycopg_pool import ConnectionPool

from standfast.components.delivery import api as delivery
from standfast.components.delivery.control import finish_cancelled
from standfast.platform import mail_store as mailbox
from standfast.platform import postgres
from standfast.platform.tenancy import account_scope
from standfast.protocols.keys import derive
from standfast.services.inbox.plan import parse_plan
from standfast.services.inbox.server import Inbox, serve_inbox
from standfast.services.inbox.store import Store
from tests.flows.sending import free_port
from tests.flows.test_send import books, prepare

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 400


@pytest.fixture(autouse=True)
def relay_on_this_machine(monkeypatch):
    monkeypatch.setenv("STANDFAST_ALLOW_PRIVATE", "1")


def set_state(account_id: int, send_id: int, state: delivery.SendState) -> None:
    with account_scope(account_id):
        assert delivery.set_state(account_id=account_id, send_id=send_id, state=state)


class Running:
    """A sender at work on a slow inbox."""

    def __init__(self, database, directory) -> None:
        self.database, self.directory = database, directory

    async def begin(self, cast, loader) -> None:
        self.account_id = cast.account.pk
        port = free_port()
        self.send, _ = await sync_to_async(prepare)(cast, loader, port=port, people=PEOPLE)
        plan = parse_plan("seed:1,slow=1,slow_seconds=0.03")
        self.server = await serve_inbox(
            host="127.0.0.1", port=port, inbox=Inbox(plan=plan, store=Store(self.directory))
        )
        self.pool = ConnectionPool(postgres.dsn(self.database, "loader"), min_size=1, max_size=8, open=True)
        self.sender = delivery.Sender(
            pool=self.pool,
            journals=self.database.journal_dir,
            key=derive(self.database.secret(), "tokens"),
            ehlo_name="t.example",
        )
        self.task = asyncio.create_task(self.sender.run())
        await self.until(lambda: self.received() >= 40)

    def received(self) -> int:
        return sum(1 for _ in mailbox.entries(self.directory))

    async def until(self, condition, seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.05)

    async def quiet(self) -> int:
        """Until nothing arrives for a while; returns how many have."""
        before, same = -1, 0
        while same < 8:
            await asyncio.sleep(0.1)
            now = self.received()
            before, same = now, same + 1 if now == before else 0
        return before

    async def end(self) -> None:
        self.sender.stop.set()
        await self.task
        await self.server.close()
        await asyncio.to_thread(self.pool.close)


async def test_paused_mail_waits_and_goes_on_once(cast, loader, database, tmp_path):
    running = Running(database, tmp_path)
    await running.begin(cast, loader)
    await sync_to_async(set_state)(running.account_id, running.send.pk, delivery.SendState.PAUSED)
    arrived = await running.quiet()
    assert arrived < PEOPLE
    await sync_to_async(set_state)(running.account_id, running.send.pk, delivery.SendState.READY)
    await running.until(lambda: running.received() == PEOPLE)
    await running.end()
    recipients = [one.recipients[0] for one in mailbox.entries(tmp_path)]
    assert len(set(recipients)) == PEOPLE == len(recipients)
    assert await sync_to_async(books)(running.account_id, running.send.pk) == {"delivered": PEOPLE}


async def test_cancelled_mail_never_leaves(cast, loader, database, tmp_path):
    running = Running(database, tmp_path)
    await running.begin(cast, loader)
    await sync_to_async(set_state)(running.account_id, running.send.pk, delivery.SendState.CANCELLED)
    arrived = await running.quiet()
    await running.end()
    assert running.received() == arrived < PEOPLE
    await asyncio.to_thread(finish_cancelled, loader)
    assert await sync_to_async(books)(running.account_id, running.send.pk) == {
        "delivered": arrived,
        "cancelled": PEOPLE - arrived,
    }
    ended = loader.execute(
        "SELECT finished_at IS NOT NULL FROM delivery_send WHERE id = %s", [running.send.pk]
    ).fetchone()
    assert ended == (True,)


async def test_a_worker_that_is_asked_to_stop_gives_back_what_it_holds(cast, loader, database, tmp_path):
    running = Running(database, tmp_path)
    await running.begin(cast, loader)
    await running.end()
    counts = await sync_to_async(books)(running.account_id, running.send.pk)
    assert counts["delivered"] == running.received() < PEOPLE
    assert sum(counts.values()) == PEOPLE
    assert not loader.execute("SELECT 1 FROM delivery_lease WHERE account_id = %s", [running.account_id]).fetchall()
