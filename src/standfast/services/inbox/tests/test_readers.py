"""The readers, over real HTTP to a tracker that counts and real SMTP to an exchanger that keeps."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from standfast.protocols.smtp_server import Envelope, SessionHooks, serve
from standfast.services.inbox.behaviour import Kind, ReadersPlan, parse_readers, read_offer
from standfast.services.inbox.readers import Readers, read_tally
from standfast.services.inbox.store import Store

TOKEN = "tAbCdEfGhIjKlMnOpQrStUvWxYz"


def newsletter(number: int) -> bytes:
    base = f"http://tracker.test/{{}}/{TOKEN}{number}"
    link = f'<a href=3D"{base.format("c")}/{{}}?u=3Dhttps%3A%2F%2Fshop.test%2F%3Fa%3D1%26b%3D2&amp;s=3Dsig">x</a>=\r\n'
    return (
        f"From: news@a.test\r\nMessage-ID: <1.2.{number}.x@a.test>\r\nSubject: News\r\n"
        f"List-Unsubscribe: <{base.format('u')}>,\r\n\t<mailto:unsubscribe@a.test>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"<p>{link.format(1)}{link.format(2)}{link.format(0)}"
        f'<a href=3D"{base.format("u")}">unsubscribe</a><img src=3D"{base.format("o")}.gif"></p>\r\n'
    ).encode()


class Tracker:
    """Counts what it is asked, and answers as the real one does."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.agents: set[str] = set()
        self.targets: set[str] = set()
        self.broken = 0
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        if self.broken:
            self.broken -= 1
            return web.Response(status=503)
        kind = request.path[1]
        self.agents.add(request.headers.get("User-Agent", ""))
        self.targets.add(request.raw_path)
        form = await request.post()
        label = "/one-click" if form.get("List-Unsubscribe") == "One-Click" else "/page" if "from" in form else ""
        honey = "/honeypot" if request.path.endswith("/0") else ""
        self.hits[f"{request.method} {kind}{label}{honey}"] += 1
        return web.Response(status=302, headers={"Location": "https://shop.test/"}) if kind == "c" else web.Response()


@asynccontextmanager
async def tracker() -> AsyncIterator[Tracker]:
    tracker = Tracker()
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", tracker.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    tracker.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    yield tracker
    await runner.cleanup()


class Exchanger(SessionHooks):
    """Keeps what comes."""

    kept: list[tuple[str, str, bytes]] = []

    def on_message(self, envelope: Envelope, raw: bytes) -> None:
        self.kept.append((envelope.sender, envelope.recipients[0], raw))


async def read_all(directory: Path, plan: ReadersPlan, url: str, *, messages: int) -> Readers:
    exchanger = await serve(host="127.0.0.1", port=0, hooks=Exchanger)
    store = Store(directory)
    readers = Readers(directory=directory, plan=plan, tracker_url=url, exchanger=("127.0.0.1", exchanger.port))
    task = asyncio.create_task(readers.run())
    for number in range(messages):
        await store.append(sender=f"b-t{number}@b.test", recipients=[f"r{number}@r.test"], raw=newsletter(number))
    while readers.seen < messages or readers.pending:
        await asyncio.sleep(0.02)
    readers.stop()
    await task
    await store.close()
    await exchanger.close()
    return readers


def only(*kinds: Kind) -> ReadersPlan:
    return ReadersPlan(seed="1", shares=dict.fromkeys(kinds, 1.0), delay_scale=0.001)


def test_an_offer_is_read_from_the_message() -> None:
    offer = read_offer(newsletter(7))
    assert offer.pixel == f"/o/{TOKEN}7.gif"
    assert offer.links == tuple(f"/c/{TOKEN}7/{n}?u=https%3A%2F%2Fshop.test%2F%3Fa%3D1%26b%3D2&s=sig" for n in (1, 2))
    assert offer.honeypot.startswith(f"/c/{TOKEN}7/0?")
    assert (offer.unsubscribe, offer.one_click) == (f"/u/{TOKEN}7", f"/u/{TOKEN}7")


async def test_the_tally_is_what_the_tracker_saw(tmp_path: Path) -> None:
    Exchanger.kept = []
    plan = parse_readers("seed:3,all=0.4,delay_scale=0.001,complaint=0,late_bounce=0")
    assert plan is not None
    async with tracker() as peer:
        peer.broken = 3  # the tracker says 503 where it could not keep a hit: the readers try again
        readers = await read_all(tmp_path, plan, peer.url, messages=40)
    done = readers.done
    assert readers.failed == Counter()
    assert done == {**readers.scheduled, "scanner_requests": done["scanner_requests"]}
    opens = done[Kind.PERSON_OPEN] + done[Kind.GMAIL_PROXY] + done[Kind.APPLE_PREFETCH]
    assert peer.hits["GET o"] == opens
    assert peer.hits["HEAD o"] == done[Kind.SCANNER]
    assert peer.hits["GET c/honeypot"] == done[Kind.SCANNER]
    assert peer.hits["GET c"] == done[Kind.PERSON_CLICK] + 2 * done[Kind.SCANNER]
    assert peer.hits["POST u/one-click"] == done[Kind.ONE_CLICK]
    assert peer.hits["POST u/page"] == done[Kind.PAGE_UNSUBSCRIBE]
    assert peer.hits["GET u"] == done[Kind.PAGE_UNSUBSCRIBE] + done[Kind.LINK_PREFETCH]
    assert any("u=https%3A%2F%2Fshop.test%2F%3Fa%3D1%26b%3D2&s=sig" in target for target in peer.targets)
    tally = read_tally(tmp_path)
    assert (tally["done"], tally["pending"], tally["seen"]) == (dict(done), 0, 40)


async def test_complaints_and_bounces_come_back_by_mail(tmp_path: Path) -> None:
    Exchanger.kept = []
    async with tracker() as peer:
        await read_all(tmp_path / "c", only(Kind.COMPLAINT), peer.url, messages=2)
        await read_all(tmp_path / "b", only(Kind.LATE_BOUNCE), peer.url, messages=2)
    complaints = [kept for kept in Exchanger.kept if kept[1] == "fbl@b.test"]
    bounces = [kept for kept in Exchanger.kept if kept[0] == ""]
    assert len(complaints) == len(bounces) == 2
    report = email.message_from_bytes(complaints[0][2], policy=email.policy.default)
    assert report.get_content_type() == "multipart/report"
    _, feedback, headers = report.iter_parts()
    assert "Feedback-Type: abuse" in feedback.as_string()
    assert "Message-ID: <1.2." in headers.get_content()
    assert sorted(kept[1] for kept in bounces) == ["b-t0@b.test", "b-t1@b.test"]
    assert b"Status: 5.1.1" in bounces[0][2]


async def test_a_restart_goes_on_without_reading_twice(tmp_path: Path) -> None:
    async with tracker() as peer:
        await read_all(tmp_path, only(Kind.PERSON_OPEN), peer.url, messages=5)
        readers = Readers(
            directory=tmp_path, plan=only(Kind.PERSON_OPEN), tracker_url=peer.url, exchanger=("127.0.0.1", 1)
        )
        readers._follow()
        assert (readers.seen, readers.pending, readers.done) == (5, 0, {Kind.PERSON_OPEN: 5})
