"""A status page that depends on what it reports (AWS S3, 28 February 2017: its icons were kept in S3, and stayed green).

Here: everything of the platform is killed, name servers and edges. The naive page is served under the platform's own name
and reads its state from the platform when it is asked. Ours is rendered files and a server that knows nothing else; the
incident is opened, rendered and read while all of the platform is dead.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import dns.asyncquery
import dns.exception
import dns.message
from aiohttp import web

from standfast.operations.clock import SystemClock
from standfast.operations.incidents.orders import Orders
from standfast.operations.log import Log
from standfast.operations.map import Square
from standfast.operations.replay.name_servers import free_port
from standfast.operations.replay.processes import Processes, processes
from standfast.operations.replay.scenarios.providers import RECORD, Providers, providers
from standfast.operations.replay.scoreboard import Figure, Scoreboard, duel
from standfast.operations.status import Status
from standfast.operations.status_page.render import render

READ_SECONDS = 3.0
READY_SECONDS = 20.0
INCIDENT = "Quality of service disruption"

Look = Callable[[], Awaitable[bool | None]]


def replay(*, say: Callable[[str], None] = lambda _: None) -> Scoreboard:
    """Both pages beside one platform, which is then killed."""
    with (
        tempfile.TemporaryDirectory(prefix="standfast-replay-") as made,
        processes(Path(made)) as children,
        providers(Path(made) / "providers") as both,
    ):
        return asyncio.run(_play(Path(made), children, both, say))


async def _play(folder: Path, children: Processes, both: Providers, say: Callable[[str], None]) -> Scoreboard:
    log, clock = Log(folder / "log.sqlite"), SystemClock()
    render(both.map, Orders(both.map, log, clock).state, folder / "page", now=clock.now())
    naive_port, ports = free_port(), [free_port(), free_port()]
    children.python("platform", __spec__.name, "--port", str(naive_port), "--file", str(folder / "state"))
    for port in ports:
        children.python(
            f"page-{port}",
            "standfast.operations.status_page.serve",
            "--folder",
            str(folder / "page"),
            "--port",
            str(port),
        )
    server = both.servers[0]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as session:
        await _ready(session, (server.address, server.port), naive_port, ports)
        say("both pages are read; now all of the platform is killed, its name servers too")
        for one in both.servers:
            one.kill()
        children.kill("platform")
        begun = time.monotonic()
        squares = {Square("mail", "cloud"): Status.MAJOR_OUTAGE}
        orders = Orders(both.map, log, clock)
        orders.open_incident(title=INCIDENT, body="We are looking into it.", squares=squares, by="Alice")
        render(both.map, orders.sync(), folder / "page", now=clock.now())
        naive, ours = await asyncio.gather(
            _read(begun, lambda: _by_name(session, (server.address, server.port), naive_port)),
            _read(begun, *(_direct(session, port) for port in ports)),
        )
    log.close()
    return duel("status-dependency", "A status page that depends on what it reports", naive=naive, ours=ours)


async def _ready(session: aiohttp.ClientSession, server: tuple[str, int], naive_port: int, ports: list[int]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        pages = [await _by_name(session, server, naive_port), *[await _direct(session, port)() for port in ports]]
        if all(page is not None for page in pages):
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("the pages did not come up")


async def _read(begun: float, *looks: Look) -> list[Figure]:
    """Read for three seconds: how many requests got no page, and when the first one told of the incident."""
    asked = unanswered = 0
    told: float | None = None
    end = time.monotonic() + READ_SECONDS
    while time.monotonic() < end:
        for look in looks:
            page = await look()
            asked += 1
            unanswered += page is None
            if page and told is None:
                told = round(time.monotonic() - begun, 3)
        await asyncio.sleep(0.02)
    return [
        Figure("unread", "Requests without a page, of a hundred", round(100 * unanswered / asked, 1), "", 0),
        Figure("told", "The page tells of the incident after", told, "s", 5),
    ]


def _direct(session: aiohttp.ClientSession, port: int) -> Look:
    return lambda: _page(session, f"http://127.0.0.1:{port}/")


async def _by_name(session: aiohttp.ClientSession, server: tuple[str, int], port: int) -> bool | None:
    """The naive page stands under the platform's name: that has to resolve first."""
    try:
        await dns.asyncquery.udp(dns.message.make_query(RECORD, "A"), server[0], port=server[1], timeout=0.3)
    except (dns.exception.DNSException, OSError):
        return None
    return await _page(session, f"http://127.0.0.1:{port}/")


async def _page(session: aiohttp.ClientSession, url: str) -> bool | None:
    """Whether the page tells of the incident; None when there is no page."""
    try:
        async with session.get(url) as answer:
            return INCIDENT in await answer.text() if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError):
        return None


async def _serve(port: int, file: Path) -> None:
    """The platform with a status page inside: its state is in the platform's own store."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=file.read_text() if file.exists() else "All systems operational")

    application = web.Application()
    application.router.add_get("/", page)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="a platform that serves its own status page")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(_serve(given.port, given.file))


if __name__ == "__main__":
    main()
