"""How often a call is repeated, and how long is waited before."""

from __future__ import annotations

import datetime as dt
import email.utils
import random
from dataclasses import dataclass

AGAIN = frozenset({429, 502, 503, 504})
"""Answers after which nothing was changed, or, under an idempotency key, cannot be changed twice."""


@dataclass(frozen=True)
class Retries:
    """`count` repetitions at most. The first waits about `first_wait_seconds`, each further one twice as long, up to
    `wait_seconds_max`; what the service asks for (`Retry-After`) counts, within the same limit."""

    count: int = 4
    first_wait_seconds: float = 0.25
    wait_seconds_max: float = 30.0

    def __post_init__(self) -> None:
        if not 0 <= self.count <= 100 or self.first_wait_seconds < 0 or self.wait_seconds_max < 0:
            raise ValueError("Retries: send a count of 0 to 100, and times of 0 and more.")

    def wait_seconds(self, repetition: int, retry_after: str | None) -> float:
        """Before the given repetition, from 0. Not all clients at the same moment: half of it is chance."""
        grown = min(self.first_wait_seconds * 2.0 ** min(repetition, 30), self.wait_seconds_max)
        asked = min(_seconds_of(retry_after), self.wait_seconds_max)
        return max(asked, grown / 2) + random.uniform(0, grown / 2)  # noqa: S311 - no secret


def wants_again(status: int, retry_after: str | None) -> bool:
    """Whether an answer says to repeat the call. 409 with Retry-After: the first call with its idempotency key still runs."""
    return status in AGAIN or (status == 409 and retry_after is not None)


def _seconds_of(retry_after: str | None) -> float:
    """Seconds, or a date (RFC 9110 section 10.2.3); 0 for what is neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, (at - dt.datetime.now(at.tzinfo or dt.UTC).replace(tzinfo=at.tzinfo)).total_seconds())
