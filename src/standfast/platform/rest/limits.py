"""How many calls of an account run at once. Counted in this process: a machine serves an account's calls in one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

CALLS_AT_ONCE = 10  # the reference product's limit


class Busy(Exception):
    """The account has as many calls running as it may."""


class Gate:
    """Lets `most` callers of each account through at a time."""

    def __init__(self, most: int = CALLS_AT_ONCE) -> None:
        self.most = most
        self._running: Counter[int] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def through(self, account_id: int) -> Iterator[int]:
        """Yields how many more calls the account could begin. Raises Busy."""
        with self._lock:
            if self._running[account_id] >= self.most:
                raise Busy
            self._running[account_id] += 1
            left = self.most - self._running[account_id]
        try:
            yield left
        finally:
            with self._lock:
                self._running[account_id] -= 1
                if not self._running[account_id]:
                    del self._running[account_id]
