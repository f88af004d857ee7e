"""What an incident cost, in numbers that the platform itself counts: messages delayed, events lost.

The map's [[controller.counters]] name each: `what`, `url` of a JSON document, `path` of the number in it (keys joined by
dots) and `how`: "increase" over the incident, or the "peak" during it. What cannot be read is unknown, never zero.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
from pydantic import BaseModel, ConfigDict, TypeAdapter

from standfast.operations.clock import Clock
from standfast.operations.incidents.entries import Kind
from standfast.operations.incidents.state import State
from standfast.operations.log import Log
from standfast.operations.map import Map

QUIET_SECONDS = 15.0
BUSY_SECONDS = 3.0
ANSWER_BYTES_MAX = 1_000_000


class Counter(BaseModel):
    """One number to be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    what: str
    url: str
    path: str
    how: Literal["increase", "peak"] = "increase"


@dataclass(slots=True)
class _Seen:
    last: int | None = None  # while no incident was on
    now: int | None = None
    peak: int | None = None
    increase: int = 0  # a counter that starts again from zero goes on from where it was


class Counters:
    """Reads while an incident is on and between; writes one `counted` entry for each counter when it has recovered."""

    def __init__(self, the_map: Map, log: Log, clock: Clock) -> None:
        rows = the_map.controller.get("counters", [])
        self.counters = TypeAdapter(list[Counter]).validate_python(rows)
        self.log, self.clock = log, clock
        self._seen = {counter.what: _Seen() for counter in self.counters}

    async def run(self, state: Any) -> None:
        """For ever. state: called for the current State."""
        if not self.counters:
            return
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while True:
                now: State = state()
                values = await asyncio.gather(*(self._read(session, counter) for counter in self.counters))
                self.take(now, list(values))
                await asyncio.sleep(BUSY_SECONDS if now.active else QUIET_SECONDS)

    def take(self, state: State, values: list[int | None]) -> None:
        """One reading of every counter, in their order. Raises LogError."""
        active = [incident for incident in state.active if incident.checks]
        for counter, value in zip(self.counters, values, strict=True):
            seen = self._seen[counter.what]
            if value is not None:
                if seen.now is not None and active:
                    seen.increase += max(value - seen.now, 0)
                seen.now = value
                seen.peak = max(seen.peak or 0, value) if active else value
        for incident in active:
            told = {row["what"] for row in incident.counted}
            if incident.recovered_at is None or told.issuperset(self._seen):
                continue
            for counter, value in zip(self.counters, values, strict=True):
                seen = self._seen[counter.what]
                number = None if value is None else seen.increase if counter.how == "increase" else seen.peak
                self.log.append(
                    Kind.COUNTED,
                    {"incident": incident.id, "what": counter.what, "number": number, "source": counter.url},
                    at=self.clock.now(),
                    key=f"counted:{incident.id}:{counter.what}",
                )
        if not active:
            for seen in self._seen.values():
                seen.increase, seen.peak = 0, seen.now

    async def _read(self, session: aiohttp.ClientSession, counter: Counter) -> int | None:
        try:
            async with session.get(counter.url) as answer:
                value: Any = json.loads(await answer.content.read(ANSWER_BYTES_MAX))
            for key in counter.path.split("."):
                value = value[key]
            return int(value)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError):
            return None
