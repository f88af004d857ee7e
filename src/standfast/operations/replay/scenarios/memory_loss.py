"""Events acknowledged from memory (Healthchecks.io, October 2021: a restart lost some 4,200 pings).

Here: clients click, and the process that takes the clicks is killed in the middle, then started again. The naive one answers
at once and writes what has gathered twice a second. Ours is the real tracker, which answers when the click is on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
from aiohttp import web

from standfast.operations.replay import clicking
from standfast.operations.replay.name_servers import free_port
from standfast.operations.replay.processes import Processes, processes
from standfast.operations.replay.scoreboard import Figure, Scoreboard, duel
from standfast.protocols.keys import derive

CLIENTS = 8
CLICKS_BEFORE_KILL = 400
CLICKS = 800
FLUSH_SECONDS = 0.5
TRIES_MAX = 200


def replay(*, say: Callable[[str], None] = lambda _: None) -> Scoreboard:
    """Both variants under the same clicks and the same kill."""
    with tempfile.TemporaryDirectory(prefix="standfast-replay-") as made, processes(Path(made)) as children:
        folder, secret = Path(made), secrets.token_bytes(32)
        (folder / "secret.key").write_bytes(secret)
        say("acknowledged from memory: killed in the middle of the clicks")
        naive = asyncio.run(_run(children, secret, "naive", _naive(children, folder), lambda: _kept(folder)))
        say("acknowledged from disk: the tracker, killed in the same way")
        spools = [folder / "tracker" / "spool" / "tracker"]
        ours = asyncio.run(
            _run(children, secret, "tracker", _tracker(children, folder), lambda: clicking.spooled(spools))
        )
    return duel("memory-loss", "Events acknowledged from memory", naive=naive, ours=ours)


def _naive(children: Processes, folder: Path) -> Callable[[int], None]:
    def start(port: int) -> None:
        children.python("naive", __spec__.name, "--port", str(port), "--file", str(folder / "naive.kept"))

    return start


def _tracker(children: Processes, folder: Path) -> Callable[[int], None]:
    def start(port: int) -> None:
        environment = {
            "STANDFAST_VAR": str(folder / "tracker"),
            "STANDFAST_TRACKER_PORT": str(port),
            "STANDFAST_HOST": "127.0.0.1",
            "STANDFAST_SECRET_FILE": str(folder / "secret.key"),
        }
        children.python("tracker", "standfast.services.tracker.main", environment=environment)

    return start


async def _run(
    children: Processes, secret: bytes, name: str, start: Callable[[int], None], kept: Callable[[], set[int]]
) -> list[Figure]:
    """Click; kill when half is answered; start again; let every click be answered; count what was kept."""
    port, key = free_port(), derive(secret, "tokens")
    start(port)
    answered: set[int] = set()
    numbers = iter(range(1, CLICKS + 1))
    clients = [asyncio.create_task(_click(numbers, answered, port, key)) for _ in range(CLIENTS)]
    while len(answered) < CLICKS_BEFORE_KILL and not all(client.done() for client in clients):
        await asyncio.sleep(0.001)
    children.kill(name)
    start(port)
    await asyncio.gather(*clients)
    await asyncio.sleep(2 * FLUSH_SECONDS)
    lost = len(answered - kept())
    return [
        Figure("lost", f"Clicks acknowledged and lost, of {CLICKS}", lost, "", 0),
        Figure("unserved", "Clicks never answered", CLICKS - len(answered), "", 0),
    ]


async def _click(numbers: Iterator[int], answered: set[int], port: int, key: bytes) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        for number in numbers:
            for _ in range(TRIES_MAX):
                try:
                    url = f"http://127.0.0.1:{port}{clicking.path(key, number)}"
                    async with session.get(url, allow_redirects=False, headers={"User-Agent": "Mozilla/5.0"}) as reply:
                        if reply.status == 302:
                            answered.add(number)
                            break
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(0.1)


def _kept(folder: Path) -> set[int]:
    try:
        return {int(line) for line in (folder / "naive.kept").read_text().split()}
    except FileNotFoundError:
        return set()


async def _serve(port: int, file: Path) -> None:
    """Answer first, write later: the number is the fourth figure of the token, as the real one has it."""
    gathered: list[str] = []

    async def take(request: web.Request) -> web.Response:
        gathered.append(str(int(request.match_info["token"][17:].split("g")[2], 16)))
        return web.Response(status=302, headers={"Location": clicking.DESTINATION})

    application = web.Application()
    application.router.add_get("/c/{token}/{link}", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        with file.open("a") as output:
            output.write("".join(f"{number}\n" for number in gathered))
        gathered.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description="a tracker that acknowledges from memory")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(_serve(given.port, given.file))


if __name__ == "__main__":
    main()
