"""An event loop whose time jumps to the next timer: hours pass in milliseconds, in the same order every time.

Nothing sleeps and no socket is used. What would wait for ever is a `Deadlock`.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, TypeVar

from standfast.operations.simulation.ground import BEGIN

T = TypeVar("T")
OWNER: ContextVar[str] = ContextVar("owner", default="world")  # which process a task belongs to


class Deadlock(RuntimeError):
    """Everybody waits and no timer is set."""


class _Jump(selectors.BaseSelector):
    """Where the loop would wait for sockets, time moves instead. Files are taken and never ready (the loop's own pipe)."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("everybody waits and no timer is set")
        self.seconds += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at time 0."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)
        self._clock_resolution = 1e-6
        self._owned: dict[str, set[asyncio.Task[Any]]] = {}
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        return self._jump.seconds

    def _make_task(self, _loop: Any, coroutine: Any, context: Any = None) -> asyncio.Task[Any]:
        """A task belongs to the process that makes it, as do the tasks that it makes."""
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=self, context=context)
        owned = self._owned.setdefault(OWNER.get(), set())
        owned.add(task)
        task.add_done_callback(owned.discard)
        return task

    async def kill(self, owner: str) -> None:
        """End every task of a process."""
        mine = list(self._owned.get(owner, ()))
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)


class VirtualClock:
    """A process's clocks in virtual time; `ahead` seconds is what its wall clock has been moved by."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self.ahead = loop, 0.0

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self._loop.time() + self.ahead)

    def monotonic(self) -> float:
        return self._loop.time()


def run_virtually(main: Coroutine[Any, Any, T], loop: VirtualLoop | None = None) -> T:
    """Run to its end; what it left running is cancelled."""
    loop = loop or VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
