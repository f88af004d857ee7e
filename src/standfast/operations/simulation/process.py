"""The simulated controller process: the real detector, engine, ledger, notifier and failover around one log.

It can be stopped and continued, and killed: at a moment, at any write of its log, or while a notification is on the wire.
Its disk (the log) stays; a new life begins from it. What it sends arrives at `Receivers`.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Mapping
from datetime import datetime
from typing import Any

from standfast.operations.failover.controller import Controller as Failover
from standfast.operations.incidents.engine import Engine
from standfast.operations.incidents.ledger import Delivered, Later, Result
from standfast.operations.incidents.notifier import Notifier
from standfast.operations.log import Entry, Log
from standfast.operations.map import Map
from standfast.operations.monitoring.detector import Detector
from standfast.operations.monitoring.report import Report
from standfast.operations.simulation.provider import Provider
from standfast.operations.simulation.virtual_loop import OWNER, VirtualClock, VirtualLoop
from standfast.operations.simulation.weather import Weather

JUDGE_SECONDS = 0.5
NOTIFY_SECONDS = 1.0
CATCH_UP_SECONDS = 2.0
DEATHS_MAX = 4  # on the wire in one run: a process that dies every few seconds can judge nothing
DRAIN_SECONDS, DRAIN_TIMES = 70.0, 600  # by then every retry of a receiver that works again is done
CHALLENGE_SECONDS = 6.0  # as the collector: what was signed longer ago is refused


class Killed(BaseException):
    """SIGKILL: nothing of the process runs after this."""


class Disk(Log):
    """The log in memory. With a fuse, the process is killed around its n-th append: before it, or after its commit."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__(None, durable=False)
        self._dice, self.fuse = dice, 0
        self.times: dict[int, float] = {}  # position -> virtual time

    def append(self, kind: str, data: Mapping[str, Any], *, at: datetime, key: str | None = None) -> Entry:
        burnt = self.fuse == 1
        self.fuse = max(self.fuse - 1, 0)
        if burnt and self._dice.random() < 0.5:
            raise Killed
        entry = super().append(kind, data, at=at, key=key)
        self.times[entry.position] = asyncio.get_running_loop().time()
        if burnt:
            raise Killed
        return entry


class Receivers:
    """The subscribers' side: what arrived, by message id. A second arrival under an id is told apart by it."""

    def __init__(self, weather: Weather, dice: random.Random) -> None:
        self._weather, self._dice = weather, dice
        self.arrived: Counter[tuple[str, str]] = Counter()
        self._deaths = 0

    async def post(self, url: str, *, secret: str, message_id: str, seconds: int, body: bytes) -> Result:
        """What `Webhooks.post` is replaced by."""
        await asyncio.sleep(self._dice.uniform(0.001, 0.2))
        weather = self._weather
        if self._deaths < DEATHS_MAX and self._dice.random() < weather.deaths_on_the_wire:
            self._deaths += 1
            if self._dice.random() < 0.5:
                self.arrived[url, message_id] += 1
            raise Killed
        if self._dice.random() < weather.failing_receivers:
            return Later("503")
        self.arrived[url, message_id] += 1
        if self._dice.random() < weather.unknown_outcomes:
            return Later("no answer after the body was sent", unknown=True)
        return Delivered()


class Process:
    """Lives, dies and lives again until `end`. disturbed: spans of time in which it could not judge."""

    def __init__(
        self, the_map: Map, weather: Weather, disk: Disk, receivers: Receivers, providers: list[Provider]
    ) -> None:
        self.map, self.weather, self.disk, self.receivers, self.providers = the_map, weather, disk, receivers, providers
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.disturbed: list[tuple[float, float]] = []
        self.engine = Engine(the_map, disk, self.clock)
        self.lives = 0
        self._dice = random.Random(f"{weather.seed}-process")  # noqa: S311
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self._death: asyncio.Future[None] = loop.create_future()
        self._alive = False
        self._held: list[tuple[float, Report]] = []  # in the socket's buffer while the process stands still
        self._fuses = list(weather.fuses)
        self._moving: dict[str, asyncio.Task[Any]] = {}
        for when, seconds in weather.jumps:
            self._loop.call_at(when, self._jump, seconds)
        for when in weather.kills:
            self._loop.call_at(when, self._kill)

    def deliver(self, signed: float, report: Report) -> None:
        """A report arrives: taken, held while the process stands still, or lost while there is none."""
        if not self._alive:
            return
        if self._stopped_until() is not None:
            self._held.append((signed, report))
        elif self._loop.time() - signed <= CHALLENGE_SECONDS:
            self._detector.receive(report)

    async def run(self, seconds: float) -> None:
        """Lives until that time."""
        while (left := seconds - self._loop.time()) > 0.001:  # less is below the timers' resolution: it never passes
            self._begin()
            ended, _ = await asyncio.wait([self._death], timeout=left)
            await self._end()
            if ended:
                died = self._loop.time()
                self._death.result()  # whatever else than a kill ended it is an error of the program
                await asyncio.sleep(self._dice.uniform(0.2, 3))
                self.disturbed.append((died, self._loop.time()))

    async def finish(self) -> None:
        """After the run: a last life that only tells subscribers and providers what is still due."""
        self.disk.fuse, self.weather.deaths_on_the_wire = 0, 0.0
        self.weather.failing_receivers = self.weather.unknown_outcomes = 0.0
        self.weather.provider_away.clear()
        self._begin(judging=False)
        waiting = "select count(*) from notification where state in ('due', 'trying')"
        for _ in range(DRAIN_TIMES):
            await asyncio.sleep(DRAIN_SECONDS)
            if not self.disk.connection.execute(waiting).fetchone()[0]:
                break
        await self._end()

    # -- one life ---------------------------------------------------------------------------------------------------

    def _begin(self, *, judging: bool = True) -> None:
        self.lives += 1
        self._alive = True
        self._death = self._loop.create_future()
        self.disk.fuse = self._fuses.pop(0) if self._fuses and judging else 0
        self.engine = Engine(self.map, self.disk, self.clock)
        state = self.engine.state
        self._detector = Detector(self.map, self.clock)
        absent = [vantage for vantage, why in state.vantages.items() if why]
        self._detector.prime(state.checks_down, absent=absent, blind=state.blind_since is not None)
        self.failover = Failover(self.map, self.disk, self.clock, self.providers, nonce=lambda: f"a{self.lives}")
        notifier = Notifier(self.map, self.disk, self.clock, lambda: self.engine.state)
        notifier.webhooks = self.receivers  # type: ignore[assignment]
        self._task(self._every(NOTIFY_SECONDS if judging else DRAIN_SECONDS / 4, notifier.step))
        self._task(self._every(CATCH_UP_SECONDS, self.failover.catch_up))
        if judging:
            self._task(self._every(JUDGE_SECONDS, self._judge))

    def _task(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        token = OWNER.set("process")
        task = self._loop.create_task(coroutine)
        OWNER.reset(token)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """A part that dies takes the process with it."""
        error = None if task.cancelled() else task.exception()
        if error is None or self._death.done():
            return
        if isinstance(error, Killed):
            self._death.set_result(None)
        else:
            self._death.set_exception(error)

    async def _every(self, seconds: float, part: Any) -> None:
        while True:
            await part()
            await asyncio.sleep(seconds)
            while (until := self._stopped_until()) is not None:
                await asyncio.sleep(until - self._loop.time() + self._dice.uniform(0, 0.01))

    async def _judge(self) -> None:
        held, self._held = self._held, []
        if (
            self._dice.random() < 0.5
        ):  # after a stop: either what waits in the sockets is read first, or the timer runs first
            self._judged()
        for signed, report in held:
            self.deliver(signed, report)
        self._judged()

    def _judged(self) -> None:
        self.engine.handle(self._detector.judge())
        for move in self.engine.moves():
            running = self._moving.get(move.pool)
            if running is None or running.done():
                order = self.failover.move(move.pool, move.target, why=move.why, by=move.by)  # type: ignore[arg-type]
                self._moving[move.pool] = self._task(order)
        self.engine.tick()

    async def _end(self) -> None:
        self._alive = False
        self._held.clear()
        self._moving.clear()
        await self._loop.kill("process")

    def _kill(self) -> None:
        if self._alive and not self._death.done():
            self._death.set_result(None)

    def _jump(self, seconds: float) -> None:
        self.clock.ahead += seconds
        self.disturbed.append((self._loop.time(), self._loop.time() + 1))

    def _stopped_until(self) -> float | None:
        now = self._loop.time()
        return next((end for begin, end in self.weather.stops if begin <= now < end), None)
