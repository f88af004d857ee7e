"""A vantage: probe everything on a fixed grid and report each round to every controller.

    python -m standfast.operations.monitoring.vantage --map operations.toml --name cloud

A round starts at its own time whatever became of the one before, and all its checks run at once. When none of the
reference points in the map's `controller.anchors` ("host:port", reached by TCP) can be reached, it is we who are offline.
A round that took far longer than its probes may (this process was stopped) is thrown away. A report that does not get
through is dropped: only fresh news count. `controller.urls` names the controllers; host:port of that table if missing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import aiohttp
import structlog

from standfast.operations.clock import Clock, SystemClock
from standfast.operations.map import Check, Map, MapError, load
from standfast.operations.monitoring import envelope
from standfast.operations.monitoring.probes import probe, problems
from standfast.operations.monitoring.report import Outcome, Report

ANCHOR_SECONDS = 1.5
STALL_SECONDS = 1.0  # a round may last its slowest probe and this much more
ROUNDS_AT_ONCE = 8

Probe = Callable[[Check, Clock], Awaitable[Outcome]]
Tell = Callable[[Report], Awaitable[None]]

logger = structlog.get_logger("operations.vantage")


class Watch:
    """The grid. `look` and `tell` are the probe and the post; simulations give their own."""

    def __init__(self, the_map: Map, name: str, clock: Clock, *, tell: Tell, look: Probe = probe) -> None:
        self.map, self.name, self._clock = the_map, name, clock
        self._look, self._tell = look, tell
        self._anchors = [_anchor(str(place)) for place in the_map.controller.get("anchors", [])]
        self._boot = secrets.token_hex(8)
        self._longest = max([ANCHOR_SECONDS, *(check.timeout_seconds for check in the_map.checks)])
        self._rounds: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """For ever, until cancelled."""
        interval = self.map.rules.interval_seconds
        names = [vantage.id for vantage in self.map.vantages]
        share = names.index(self.name) / len(names)  # vantages look one after the other, not all at once
        start = self._clock.monotonic() + share * interval
        slot = 0
        try:
            while True:
                await asyncio.sleep(max(start + slot * interval - self._clock.monotonic(), 0))
                slot = max(slot, int((self._clock.monotonic() - start) / interval))  # slots that were missed are gone
                if len(self._rounds) < ROUNDS_AT_ONCE:
                    task = asyncio.create_task(self._round(slot + 1))
                    self._rounds.add(task)
                    task.add_done_callback(self._rounds.discard)
                slot += 1
        finally:
            for task in self._rounds:
                task.cancel()

    async def _round(self, number: int) -> None:
        begun = self._clock.monotonic()
        report = await self.look(number)
        if self._clock.monotonic() - begun > self._longest + STALL_SECONDS:
            logger.warning("a round is thrown away: this process stood still", seconds=self._clock.monotonic() - begun)
            return
        await self._tell(report)

    async def look(self, number: int) -> Report:
        """One round, all checks and anchors at once."""
        anchors, outcomes = await asyncio.gather(
            asyncio.gather(*(self._look(anchor, self._clock) for anchor in self._anchors)),
            asyncio.gather(*(self._look(check, self._clock) for check in self.map.checks)),
        )
        offline = bool(anchors) and not any(anchor.good for anchor in anchors)
        return Report(self.name, self._boot, number, tuple(outcomes), offline)


class Courier:
    """Posts to every controller at once, each with the challenge it gave last. Close it with `close`."""

    def __init__(self, name: str, key: bytes, urls: Sequence[str], *, seconds: float) -> None:
        self._name, self._key, self._seconds = name, key, seconds
        self._challenges = dict.fromkeys(urls, "")
        self._failing: dict[str, str] = {}
        self._session: aiohttp.ClientSession | None = None

    async def tell(self, report: Report) -> None:
        """Each controller gets it or not; never raises for one that does not."""
        body = envelope.encode(report)
        await asyncio.gather(*(self._one(url, body) for url in self._challenges))

    async def _one(self, url: str, body: bytes) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                status, text = await self._post(url, body)
                if status == 409:
                    status, text = await self._post(url, body)
            why = "" if status == 202 else f"{status} {text}"
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            why = f"{type(error).__name__} {error}".strip()
        if why != self._failing.get(url, ""):
            self._failing[url] = why
            if why:
                logger.warning("a controller does not take reports", controller=url, why=why)
            else:
                logger.info("the controller takes reports again", controller=url)

    async def _post(self, url: str, body: bytes) -> tuple[int, str]:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers={"X-Vantage": self._name})
        challenge = self._challenges[url]
        headers = {"X-Challenge": challenge, "X-Signature": envelope.sign(self._key, challenge, body)}
        async with self._session.post(f"{url}/reports", data=body, headers=headers, allow_redirects=False) as answer:
            self._challenges[url] = answer.headers.get("X-Challenge", "")
            return answer.status, (await answer.content.read(500)).decode(errors="replace")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def watch(the_map: Map, name: str, clock: Clock | None = None) -> None:
    """Be the vantage until cancelled. Raises MapError."""
    vantage = next((one for one in the_map.vantages if one.id == name), None)
    if vantage is None:
        known = ", ".join(one.id for one in the_map.vantages)
        raise MapError("the map", [f"there is no vantage {name!r}; there are {known}"])
    if wrong := problems(the_map.checks):
        raise MapError("the map", wrong)
    courier = Courier(
        name, envelope.key_of(the_map, vantage), controllers(the_map), seconds=the_map.rules.interval_seconds
    )
    try:
        await Watch(the_map, name, clock or SystemClock(), tell=courier.tell).run()
    finally:
        await courier.close()


def controllers(the_map: Map) -> list[str]:
    """Where reports go."""
    table = the_map.controller
    own = f"http://{table.get('host', '127.0.0.1')}:{table.get('port', 8101)}"
    return [str(url).rstrip("/") for url in table.get("urls", [own])]


def _anchor(place: str) -> Check:
    """A reference point as a TCP check. Raises MapError."""
    host, _, port = place.rpartition(":")
    if not host or not port.isdigit():
        raise MapError("the map", [f"controller.anchors: {place!r} is not host:port"])
    return Check.model_construct(
        id="anchor",
        name=place,
        kind="tcp",
        timeout_seconds=ANCHOR_SECONDS,
        spec={"host": host.strip("[]"), "port": port},
    )


def main(arguments: list[str] | None = None) -> int:
    """A vantage in the foreground; exit status 2 with one sentence where it cannot start."""
    parser = argparse.ArgumentParser(prog="standfast operations vantage", description=__doc__.partition("\n")[0])
    parser.add_argument("--map", type=Path, required=True, metavar="FILE", help="the map (docs/operations.md)")
    parser.add_argument("--name", required=True, help="which of the map's vantages this is")
    given = parser.parse_args(arguments)
    try:
        asyncio.run(_until_stopped(load(given.map), given.name))
    except MapError as error:
        sys.stderr.write(f"The vantage cannot start: {error}\n")
        return 2
    return 0


async def _until_stopped(the_map: Map, name: str) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await watch(the_map, name)


if __name__ == "__main__":
    sys.exit(main())
