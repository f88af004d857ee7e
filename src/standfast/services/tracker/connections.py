"""All connections: how many there may be, what time it is for them, how they end."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from heapq import nsmallest
from typing import Any, Protocol

from standfast.platform.spool import Spool
from standfast.services.tracker.replies import Answer
from standfast.services.tracker.request import Request

READ_BYTES = 16 * 1024
TICK_SECONDS = 1.0


class Member(Protocol):
    """A connection, as seen from here. `deadline` is in the loop's time."""

    deadline: float

    def expire(self) -> None:
        """The deadline is over."""

    def evict(self) -> None:
        """Others need the place."""

    def retire(self) -> None:
        """The tracker stops."""


class Connections:
    """What connections share. `now` is the loop's time and `date` the Date header's value, both of this second."""

    def __init__(
        self, *, spool: Spool, answer: Callable[[Request], Answer], outcomes: Counter[str], connections_max: int
    ) -> None:
        self.spool, self.answer, self.outcomes = spool, answer, outcomes
        self.connections_max = connections_max
        # One for all: it is filled and parsed without a pause, and bounds what one read can bring.
        self.buffer = memoryview(bytearray(READ_BYTES))
        self.stopping = False
        self.evicted_count = 0
        self._members: set[Member] = set()
        self._loop = asyncio.get_running_loop()
        self._tick()

    def __len__(self) -> int:
        return len(self._members)

    def joined(self, member: Member) -> None:
        """A connection was made. When there are too many, those with the least time left go."""
        self._members.add(member)
        if len(self._members) > self.connections_max:
            worst = nsmallest(1 + self.connections_max // 32, self._members, key=lambda each: each.deadline)
            self.evicted_count += len(worst)
            self._members.difference_update(worst)
            for each in worst:
                each.evict()

    def left(self, member: Member) -> None:
        """A connection ended."""
        self._members.discard(member)

    def address_of(self, transport: Any) -> str:
        """The address at the other end, without the port; IPv4 as such, also where it came to an IPv6 socket."""
        peer = transport.get_extra_info("peername")
        return str(peer[0]).removeprefix("::ffff:") if isinstance(peer, tuple) else ""

    async def stop(self, *, seconds_max: float) -> None:
        """Answer what was asked, then end all connections; after `seconds_max` those that are left are cut off."""
        self.stopping = True
        give_up_at = self._loop.time() + seconds_max
        while self._members and self._loop.time() < give_up_at:
            for member in list(self._members):
                member.retire()
            await asyncio.sleep(0.02)
        self._timer.cancel()

    def _tick(self) -> None:
        self.now = now = self._loop.time()
        self.date = formatdate(time.time(), usegmt=True).encode()
        for member in [each for each in self._members if each.deadline <= now]:
            member.expire()
        self._timer = self._loop.call_later(TICK_SECONDS, self._tick)
