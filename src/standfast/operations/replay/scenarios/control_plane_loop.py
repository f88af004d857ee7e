"""The way out leads through what is broken (Brevo: an upgrade overloaded the API, and the rollback needed the same API).

Here: the platform's API hangs, and traffic has to be moved to the standby. The naive operator's tool asks the API to do it.
Ours changes the providers itself: it needs its own disk, the map and the name servers.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import dns.asyncquery
import dns.tsigkeyring
import dns.update
from aiohttp import web

from standfast.operations.log import Log
from standfast.operations.replay.name_servers import free_port
from standfast.operations.replay.processes import Processes, processes
from standfast.operations.replay.scenarios.providers import RECORD, STANDBY, ZONE, Providers, providers, until
from standfast.operations.replay.scoreboard import Figure, Scoreboard, duel

PATIENCE_SECONDS = 4.0
LIMIT_SECONDS = 2.0


def replay(*, say: Callable[[str], None] = lambda _: None) -> Scoreboard:
    """Both variants against the same hanging API, each on name servers of its own."""
    with tempfile.TemporaryDirectory(prefix="standfast-replay-") as made, processes(Path(made)) as children:
        with providers(Path(made) / "naive") as both:
            say("traffic is moved through the platform's API, which hangs")
            naive = _figures(both, _through_the_api(both, children))
        with providers(Path(made) / "ours") as both:
            say("traffic is moved by the controller, with the API still hanging")
            log = Log(Path(made) / "log.sqlite")
            ours = _figures(both, lambda: asyncio.run(both.controller(log).move(
                "www", "standby", why="the API does not answer", by="quorum")))  # fmt: skip
            log.close()
    return duel("control-plane-loop", "The way out leads through what is broken", naive=naive, ours=ours)


def _figures(both: Providers, move: Callable[[], None]) -> list[Figure]:
    begun = time.monotonic()
    move()
    moved = None
    for _ in until(PATIENCE_SECONDS):
        if both.answers() == [STANDBY, STANDBY]:
            moved = round(time.monotonic() - begun, 3)
            break
    return [Figure("moved", "Traffic moved at both providers", moved, "s", LIMIT_SECONDS)]


def _through_the_api(both: Providers, children: Processes) -> Callable[[], None]:
    """Start the API, let it prove that it could do it, and freeze it: it is the thing that is broken."""
    port = free_port()
    ports = [str(server.port) for server in both.servers]
    children.python("api", __spec__.name, "--port", str(port), "--key", both.key.secret, *ports)
    for _ in until(20):
        if asyncio.run(_asked(port, "/healthz", seconds=1)):
            break
    children.freeze("api")
    return lambda: _said(asyncio.run(_asked(port, "/traffic/standby", seconds=PATIENCE_SECONDS)))


def _said(_: bool) -> None:
    """What the tool was told makes no difference: the name servers are asked."""


async def _asked(port: int, path: str, *, seconds: float) -> bool:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds)) as session,
            session.post(f"http://127.0.0.1:{port}{path}") as answer,
        ):
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _serve(port: int, secret: str, server_ports: list[int]) -> None:
    """The platform's API: the only thing in the naive world that holds the providers' key."""

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def move(_: web.Request) -> web.Response:
        for server_port in server_ports:
            keyring = dns.tsigkeyring.from_text({"controller.": secret})
            message = dns.update.UpdateMessage(ZONE, keyring=keyring, keyalgorithm="hmac-sha256")
            message.replace(RECORD, 5, "A", STANDBY[0])
            await dns.asyncquery.tcp(message, "127.0.0.1", port=server_port, timeout=5)
        return web.Response(text="moved")

    application = web.Application()
    application.router.add_post("/healthz", healthy)
    application.router.add_post("/traffic/standby", move)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="the platform's API of this scenario")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("servers", type=int, nargs="+")
    given = parser.parse_args()
    asyncio.run(_serve(given.port, given.key, given.servers))


if __name__ == "__main__":
    main()
