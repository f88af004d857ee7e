"""Waiting for work that goes on at the service."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from standfast_client.problems import StillRunning

T = TypeVar("T")
WAIT_SECONDS_MAX = 15.0


def wait_until(
    look: Callable[[], T], ended: Callable[[T], bool], *, what: str, seconds_max: float, first_wait_seconds: float
) -> T:
    """Look again and again, each time a little later, until it has ended. Raises StillRunning."""
    until = time.monotonic() + seconds_max
    wait = first_wait_seconds
    while not ended(found := look()):
        left = until - time.monotonic()
        if left <= 0:
            raise StillRunning(f"{what} has not ended after {seconds_max:g} seconds. It goes on; wait again.")
        time.sleep(min(wait, left))
        wait = min(wait * 1.5, WAIT_SECONDS_MAX)
    return found
