"""A controller in a process of its own, for races and kills."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from standfast.operations import map as maps
from standfast.operations.clock import SystemClock
from standfast.operations.failover.controller import Controller
from standfast.operations.failover.history import Failover
from standfast.operations.failover.update import Rfc2136Authority, authorities
from standfast.operations.log import Entry, Log


class Steps:
    """Counts steps and dies before one of them."""

    def __init__(self, last: int | None) -> None:
        self.last = last
        self.count = 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalLog(Log):
    steps: Steps

    def append(self, kind: str, data: Mapping[str, Any], **named: Any) -> Entry:
        self.steps.step()
        return super().append(kind, data, **named)


class MortalAuthority(Rfc2136Authority):
    steps: Steps

    async def read(self, pool: maps.Pool) -> Any:
        self.steps.step()
        return await super().read(pool)

    async def replace(self, *given: Any, **named: Any) -> Any:
        self.steps.step()
        outcome = await super().replace(*given, **named)
        self.steps.step()
        return outcome


class Waiting(Controller):
    """Decides, and goes on when all rivals have."""

    barrier: Barrier

    async def _carry(self, pool: maps.Pool, failover: Failover) -> None:
        if not failover.outcomes:
            self.barrier.wait(90)
        await super()._carry(pool, failover)


def with_standby(map_file: Path, pool_id: str, address: str) -> maps.Map:
    """The map with one address of its own as the pool's standby, so that what won can be told."""
    the_map = maps.load(map_file)
    pools = tuple(
        pool.model_copy(update={"standby": (address,)}) if pool.id == pool_id else pool for pool in the_map.pools
    )
    return the_map.model_copy(update={"pools": pools})


def race(map_file: Path, log_file: Path, pool_id: str, address: str, barrier: Barrier) -> None:
    """Decide, wait for the others, carry it out, and catch up until nothing is left to do."""

    async def run() -> None:
        the_map = with_standby(map_file, pool_id, address)
        controller = Waiting(the_map, Log(log_file), SystemClock(), authorities(the_map))
        controller.barrier = barrier
        await controller.move(pool_id, "standby", why="race", by="quorum")
        while controller.pending():
            await asyncio.sleep(0.05)
            await controller.catch_up()

    asyncio.run(run())


def move_and_die(map_file: Path, log_file: Path, pool_id: str, address: str, last: int | None, finished: Any) -> None:
    """Move, and die by SIGKILL before step `last`: log entries, questions, before and after each change count."""

    async def run() -> None:
        the_map = with_standby(map_file, pool_id, address)
        steps = Steps(last)
        log = MortalLog(log_file)
        log.steps = steps
        mortals = []
        for one in authorities(the_map):
            mortal = MortalAuthority(one.provider, (map_file.parent / one.provider.key_file).read_text().strip())
            mortal.steps = steps
            mortals.append(mortal)
        controller = Controller(the_map, log, SystemClock(), mortals)
        await controller.catch_up()
        await controller.move(pool_id, "standby", why="killed", by="quorum")
        finished.set()

    asyncio.run(run())
