"""A simulated DNS provider: one record with its generation, changed in one fenced step, slow or away as the weather says.

It watches the rules that nobody may break: the set is never empty, and generations never go back.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

from standfast.operations.failover.authority import (
    Changed,
    Fenced,
    Generation,
    Refused,
    Standing,
    Unreachable,
)
from standfast.operations.map import Pool
from standfast.operations.simulation.weather import Weather

ZONE = "example.test."
STUCK_SHARE = 0.2


class Provider:
    """Satisfies `failover.authority.Authority`. history: every standing it has had, with its time."""

    def __init__(self, name: str, pool: Pool, weather: Weather, dice: random.Random) -> None:
        self.id, self.zone = name, ZONE
        self._pool, self._weather, self._dice = pool, weather, dice
        self.standing = Standing(pool.primary, pool.ttl, ())
        self.history: list[tuple[float, Standing]] = [(0.0, self.standing)]
        self.broken: list[str] = []

    async def read(self, pool: Pool) -> Standing | Refused | Unreachable:
        if not await self._answers():
            return Unreachable("away")
        return self.standing

    async def replace(
        self, pool: Pool, addresses: tuple[str, ...], *, generation: Generation, seen: Standing
    ) -> Changed | Fenced | Refused | Unreachable:
        loop = asyncio.get_running_loop()
        if self._is_away(loop.time()):
            await asyncio.sleep(5)
            return Unreachable("away")
        answer: asyncio.Future[Changed | Fenced] = loop.create_future()
        loop.call_later(self._delay(stuck=True), self._apply, addresses, generation, seen, answer)
        outcome = await answer
        await asyncio.sleep(self._delay())
        return outcome

    def _apply(
        self,
        addresses: tuple[str, ...],
        generation: Generation,
        seen: Standing,
        answer: asyncio.Future[Changed | Fenced],
    ) -> None:
        """The request arrives, whether the asker still waits, has given up or is dead: what is late meets the fence."""
        outcome = self._fenced(addresses, generation, seen)
        if not answer.done():
            answer.set_result(outcome)

    def _fenced(self, addresses: tuple[str, ...], generation: Generation, seen: Standing) -> Changed | Fenced:
        if self.standing.fence != seen.fence:
            return Fenced()
        before, self.standing = self.standing, Standing(addresses, seen.ttl, (generation.text,))
        if not addresses:
            self.broken.append(f"{self.id}: a name without addresses")
        if generation.number < before.generation.number:
            self.broken.append(f"{self.id}: generation {generation.text} after {before.generation.text}")
        self.history.append((asyncio.get_running_loop().time(), self.standing))
        return Changed()

    async def names(self) -> Mapping[tuple[str, str], tuple[str, ...]] | Refused | Unreachable:
        if not await self._answers():
            return Unreachable("away")
        return {(self._pool.record, "A"): self.standing.addresses, (ZONE, "NS"): ("ns1.", "ns2.")}

    async def _answers(self) -> bool:
        await asyncio.sleep(self._delay())
        if self._is_away(asyncio.get_running_loop().time()):
            await asyncio.sleep(5)
            return False
        return True

    def _is_away(self, now: float) -> bool:
        return any(name == self.id and begin <= now < end for name, begin, end in self._weather.provider_away)

    def _delay(self, *, stuck: bool = False) -> float:
        """Seconds on the way; where providers are slow, a change is sometimes stuck for much longer."""
        low, high = self._weather.provider_seconds
        if stuck and high > 1 and self._dice.random() < STUCK_SHARE:
            return self._dice.uniform(5, 25)
        return low + (high - low) * self._dice.random() ** 4
