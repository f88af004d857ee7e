"""The controller: one process that hears the vantages, judges, posts, moves traffic, tells subscribers and makes the page.

    python -m standfast.operations.controller --map operations.toml

It needs its own disk and nothing else: no database, no queue, nothing of what it watches. Killed, it goes on from the log.
A part that fails (a full disk, a mail route that is away) is reported once and tried again; the others go on.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import signal
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

from standfast.operations.clock import Clock, SystemClock
from standfast.operations.failover.controller import Controller as Failover
from standfast.operations.failover.update import KeyUnreadable, authorities
from standfast.operations.incidents.counters import Counters
from standfast.operations.incidents.engine import Engine
from standfast.operations.incidents.entries import Kind
from standfast.operations.incidents.notifier import Notifier
from standfast.operations.log import Log, LogError
from standfast.operations.map import Map, MapError, load
from standfast.operations.monitoring.collector import Collector
from standfast.operations.monitoring.detector import Detector
from standfast.operations.status_page.render import render

JUDGING = "judging"
JUDGE_SECONDS = 0.5
NOTIFY_SECONDS = 0.5
CATCH_UP_SECONDS = 2.0

logger = structlog.get_logger("operations")


class Controller:
    """All parts around one log. `run` returns when `stop` was called."""

    def __init__(self, the_map: Map, clock: Clock | None = None) -> None:
        self.map = the_map
        self.clock = clock or SystemClock()
        table = the_map.controller
        self.log = Log(the_map.file(str(table.get("log", "operations.sqlite"))))
        self.engine = Engine(the_map, self.log, self.clock)
        self.detector = Detector(the_map, self.clock)
        self.detector.prime(
            self.engine.state.checks_down,
            absent=[vantage for vantage, why in self.engine.state.vantages.items() if why],
            blind=self.engine.state.blind_since is not None,
        )
        self.failover = Failover(the_map, self.log, self.clock, authorities(the_map))
        private = bool(the_map.status_page.get("allow_private_webhooks", False))
        self.notifier = Notifier(the_map, self.log, self.clock, lambda: self.engine.state, allow_private=private)
        self.counters = Counters(the_map, self.log, self.clock)
        self.collector = Collector(the_map, self.detector.receive, self.clock)
        self.page = the_map.file(str(the_map.status_page.get("folder", "page")))
        self._stopping = asyncio.Event()
        self._wake_page = asyncio.Event()
        self._failing: dict[str, str] = {}
        self._moving: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Until stopped. Raises OSError where the collector's port is taken."""
        self.log.append(Kind.STARTED, {"version": version("standfast"), "map": self.map.page.name}, at=self.clock.now())
        host, port = str(self.map.controller.get("host", "127.0.0.1")), int(self.map.controller.get("port", 8101))
        await self.collector.start(host, port)
        parts = [
            asyncio.create_task(self._every(JUDGE_SECONDS, JUDGING, self._judge)),
            asyncio.create_task(self._every(NOTIFY_SECONDS, "notifying", self._notify)),
            asyncio.create_task(self._every(CATCH_UP_SECONDS, "catching up", self.failover.catch_up)),
            asyncio.create_task(self._pages()),
            asyncio.create_task(self._every(1, "counting", self._count)),
            *self._drift_tasks(),
        ]
        logger.info("watching", listening=f"{host}:{port}", checks=len(self.map.checks), page=str(self.page))
        await self._stopping.wait()
        for part in (*parts, *self._moving):
            part.cancel()
        await asyncio.gather(*parts, *self._moving, return_exceptions=True)
        await self.collector.stop()
        await self.notifier.close()
        self.log.close()

    # -- parts ----------------------------------------------------------------------------------------------------

    async def _judge(self) -> None:
        before = self.engine.state.position
        self.engine.handle(self.detector.judge())
        self._move()
        self.engine.tick()
        if self.engine.state.position != before:
            self._wake_page.set()

    def _move(self) -> None:
        """Begin what is to be moved; each pool in a task of its own, so that judging goes on."""
        busy = {task.get_name() for task in self._moving}
        for move in self.engine.moves():
            if move.pool in busy:
                continue
            order = self.engine.state.orders.get(move.pool, {})
            if move.by == "quorum" and self.engine.standby_down(move.pool):
                self.log.append(
                    Kind.FAILOVER_REFUSED,
                    {"pool": move.pool, "target": move.target, "why": "its standby addresses are down as well"},
                    at=self.clock.now(),
                )
                continue
            approved = move.by if order.get("approved") else None
            coroutine = self.failover.move(move.pool, move.target, why=move.why, by=move.by, approved_by=approved)  # type: ignore[arg-type]
            task = asyncio.create_task(self._moved(move.pool, coroutine), name=move.pool)
            self._moving.add(task)
            task.add_done_callback(self._moving.discard)

    async def _moved(self, pool: str, coroutine: Awaitable[None]) -> None:
        await self._guarded(f"moving {pool}", coroutine)

    async def _notify(self) -> None:
        while await self.notifier.step():
            pass

    async def _count(self) -> None:
        await self.counters.run(lambda: self.engine.state)
        await asyncio.sleep(3600)

    async def _pages(self) -> None:
        """Make the page when something was written, and once a second for its age."""
        while True:
            await self._guarded("making the page", self._page())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake_page.wait(), 1)
            self._wake_page.clear()

    async def _page(self) -> None:
        if JUDGING in self._failing:
            return  # no sign of life: a page that says "operational" while nothing can be judged has to grow old visibly
        render(self.map, self.engine.state, self.page, now=self.clock.now())

    def _drift_tasks(self) -> list[asyncio.Task[None]]:
        if not self.map.declared:
            return []
        from standfast.operations.failover.drift import Watcher

        watcher = Watcher(self.map, self.log, self.clock)
        return [asyncio.create_task(self._every(self.map.rules.drift_seconds, "comparing", watcher.look))]

    async def _every(self, seconds: float, what: str, part: Callable[[], Awaitable[Any]]) -> None:
        while True:
            await self._guarded(what, part())
            await asyncio.sleep(seconds)

    async def _guarded(self, what: str, part: Awaitable[Any]) -> None:
        """A failing part is said once with its reason, and once when it works again."""
        try:
            await part
        except (LogError, OSError) as error:
            self._say(what, str(error))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            logger.exception("a part failed", part=what)
            self._say(what, repr(error))
        else:
            if self._failing.pop(what, None) is not None:
                logger.info("works again", part=what)

    def _say(self, what: str, why: str) -> None:
        if self._failing.get(what) != why:
            self._failing[what] = why
            logger.error("does not work; it is tried again", part=what, why=why)


def main(arguments: list[str] | None = None) -> int:
    """The controller in the foreground; exit status 2 with one sentence where it cannot start."""
    parser = argparse.ArgumentParser(prog="standfast operations controller", description=__doc__.partition("\n")[0])
    parser.add_argument("--map", type=Path, required=True, metavar="FILE", help="the map (docs/operations.md)")
    given = parser.parse_args(arguments)
    try:
        the_map = load(given.map)
        with _alone(the_map):
            asyncio.run(_run(the_map))
    except (MapError, LogError, KeyUnreadable, OSError, ValueError) as error:
        sys.stderr.write(f"The controller cannot start: {error}\n")
        return 2
    return 0


async def _run(the_map: Map) -> None:
    controller = Controller(the_map)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, controller.stop)
    await controller.run()


@contextlib.contextmanager
def _alone(the_map: Map) -> Any:
    """One controller for a log: a second would post everything twice."""
    path = the_map.file(str(the_map.controller.get("log", "operations.sqlite"))).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OSError(f"another controller writes {path.with_suffix('')} already") from error
        yield


if __name__ == "__main__":
    sys.exit(main())
