"""A relay that misbehaves keeps nobody else's mail waiting; one that is mended gets what it missed, once."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses

import pytest
from asgiref.sync import sync_to_async
from psycopg_pool import ConnectionPool

from standfast.components.audience.api import List
from standfast.components.campaigns import api as campaigns
from standfast.components.campaigns import states, steward
from standfast.components.campaigns.models import Campaign, CampaignState, Hold
from standfast.components.delivery import api as delivery
from standfast.components.delivery import sender as sending
from standfast.platform import outbound, postgres, sealing
from standfast.platform.tenancy import account_scope
from standfast.protocols import smtp_client
from standfast.protocols.keys import derive
from standfast.protocols.tests.certificates import contexts
from tests.flows.test_send import books, prepare
from tests.flows.unruly_relay import UnrulyRelay

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 60
SOON = {"retry_seconds": 1}


@pytest.fixture(autouse=True)
def nearby(monkeypatch):
    """Relays on this machine."""
    monkeypatch.setenv("STANDFAST_ALLOW_PRIVATE", "1")


@pytest.fixture
def impatient(monkeypatch):
    """Deadlines of tenths of seconds, for relays that keep silent. A busy machine misses them too: what is deferred comes again
    within seconds (`SOON`)."""
    brief = dataclasses.replace(sending.TIMEOUTS, greeting_seconds=0.5, command_seconds=0.5, dot_seconds=0.5)
    monkeypatch.setattr(sending, "TIMEOUTS", brief)


@contextlib.asynccontextmanager
async def worker(database):
    with ConnectionPool(postgres.dsn(database, "loader"), min_size=1, max_size=8) as pool:
        one = delivery.Sender(
            pool=pool, journals=database.journal_dir, key=derive(database.secret(), "tokens"), ehlo_name="t.example"
        )
        running = asyncio.create_task(one.run())
        try:
            yield one
        finally:
            one.stop.set()
            await running


async def until(condition, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await sync_to_async(condition)():
            await asyncio.sleep(0.05)


@sync_to_async
def a_campaign(cast, loader, port: int, **route: object) -> Campaign:
    """Sending, by way of this route."""
    send, _ = prepare(cast, loader, port=port, people=PEOPLE)
    with account_scope(cast.account.pk):
        delivery.Route.objects.filter(account_id=cast.account.pk).update(**route)
        return Campaign.objects.create(
            account=cast.account, name="Spring", state=CampaignState.SENDING, send=send, state_since_at=states.now()
        )


def tended(campaign: Campaign) -> Campaign:
    with account_scope(campaign.account_id):
        rows = [row for row in steward._with_something_to_do() if row[1] == campaign.pk]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steward, "_with_something_to_do", lambda: rows)
        steward.tend()
    with account_scope(campaign.account_id):
        return Campaign.objects.select_related("send").get(pk=campaign.pk)


def reason(campaign: Campaign) -> str:
    with account_scope(campaign.account_id):
        return Hold.objects.filter(campaign=campaign, released_at=None).get().detail


@sync_to_async
def go_on(campaign: Campaign) -> None:
    with account_scope(campaign.account_id):
        campaigns.resume(account_id=campaign.account_id, campaign_id=campaign.pk)


async def held_then_mended(database, campaign: Campaign, relay: UnrulyRelay, why: str, mend) -> None:
    async with worker(database):
        await until(lambda: tended(campaign).state == CampaignState.HELD)
        assert why in await sync_to_async(reason)(campaign)
        assert not relay.accepted
        await sync_to_async(mend)()
        await go_on(campaign)
        await until(lambda: tended(campaign).state == CampaignState.SENT)
    assert sum(relay.accepted.values()) == len(relay.accepted) == PEOPLE
    assert await sync_to_async(books)(campaign.account_id, campaign.send_id) == {"delivered": PEOPLE}


async def test_a_relay_that_refuses_the_password_holds_it_until_it_accepts(cast, loader, database):
    async with UnrulyRelay("refuses_auth", auth=True) as relay:
        sealed = sealing.seal("secret", purpose="relay-password")
        campaign = await a_campaign(cast, loader, relay.port, username="alice", password_sealed=sealed)
        await held_then_mended(
            database, campaign, relay, "no such user or password", lambda: setattr(relay, "manner", "good")
        )


async def test_a_wrong_certificate_holds_it_until_it_is_right(cast, loader, database, tmp_path, monkeypatch):
    server, client = contexts(tmp_path)
    async with UnrulyRelay(tls=server) as relay:
        campaign = await a_campaign(cast, loader, relay.port, tls="required")
        await held_then_mended(
            database, campaign, relay, "certificate",
            lambda: monkeypatch.setattr(smtp_client, "_default_context", lambda mode: client),
        )  # fmt: skip


async def test_a_name_that_disappears_is_said_and_tried_again_by_itself(cast, loader, database, monkeypatch):
    gone = True
    resolve = outbound._resolve

    async def asked(host: str, port: int) -> list[str]:
        return await resolve(f"{host}.invalid" if gone else host, port)

    monkeypatch.setattr(outbound, "_resolve", asked)
    async with UnrulyRelay() as relay, worker(database):
        campaign = await a_campaign(cast, loader, relay.port, host="localhost")
        await until(lambda: "localhost.invalid" in tended(campaign).send.problem)
        assert (await sync_to_async(tended)(campaign)).state == CampaignState.SENDING
        gone = False
        await until(lambda: tended(campaign).state == CampaignState.SENT)
        assert (await sync_to_async(tended)(campaign)).send.problem == ""
    assert len(relay.accepted) == sum(relay.accepted.values()) == PEOPLE


async def test_a_domain_deleted_all_the_same_holds_it_and_sends_nothing_unsigned(cast, loader, database):
    async with UnrulyRelay() as relay:
        campaign = await a_campaign(cast, loader, relay.port)

        def delete() -> None:
            with account_scope(cast.account.pk):
                delivery.SendingDomain.objects.filter(account_id=cast.account.pk).delete()

        def add() -> None:
            with account_scope(cast.account.pk):
                delivery.add_domain(account_id=cast.account.pk, domain="shop.example")

        await sync_to_async(delete)()
        await held_then_mended(database, campaign, relay, "no sending domain", add)


@pytest.mark.usefixtures("impatient")
async def test_an_unruly_relay_keeps_nobody_else_waiting_and_nothing_is_lost(cast, loader, database, tmp_path):
    server, _ = contexts(tmp_path)
    other = dataclasses.replace(cast, account=cast.other, other=cast.account)
    for manner in ("silent", "drip", "endless", "closing", "drops_tls"):
        await sync_to_async(forget)(cast.account.pk, cast.other.pk)
        offered = {"tls": "opportunistic"} if manner == "drops_tls" else {}
        async with UnrulyRelay(manner, tls=server if offered else None) as bad, UnrulyRelay() as good:
            unruly = await a_campaign(cast, loader, bad.port, **offered, **SOON)
            orderly = await a_campaign(other, loader, good.port, **SOON)
            async with worker(database):
                await until(lambda campaign=orderly: tended(campaign).state == CampaignState.SENT)
                bad.manner = "good"
                await until(lambda campaign=unruly: tended(campaign).state == CampaignState.SENT)
        for relay in (bad, good):
            assert sum(relay.accepted.values()) == len(relay.accepted), manner
        assert len(good.accepted) == PEOPLE
        counts = await sync_to_async(books)(unruly.account_id, unruly.send_id)
        assert counts["delivered"] + counts.get("uncertain", 0) == PEOPLE
        assert len(bad.accepted) >= counts["delivered"]


def forget(*account_ids: int) -> None:
    """What `prepare` makes once an account."""
    for account_id in account_ids:
        with account_scope(account_id):
            for made in (delivery.Route, delivery.SendingDomain, List):
                made.objects.filter(account_id=account_id).delete()
