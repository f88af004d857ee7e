"""Time as operations sees it: everything that waits or judges an age asks a `Clock`, so that tests own the time.

Waiting itself is `asyncio.sleep`: under the virtual clock the event loop's own time is virtual (`simulation/`).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two times, because a wall clock may jump: ages and deadlines are judged by `monotonic`, stamps come from `now`."""

    def now(self) -> datetime:
        """The wall clock: aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, from an unknown start."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
