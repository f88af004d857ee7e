"""How far a running campaign is: books, rate and time left. The rate lives in the page that polls, not in the server."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from standfast.components.campaigns.models import Campaign, CampaignState
from standfast.components.delivery import api as delivery

S = CampaignState
ENDED = ("delivered", "bounced", "uncertain", "cancelled", "expired", "failed")
SMOOTHING = 0.35  # how much of the shown rate is what was measured last


@dataclass(frozen=True)
class Progress:
    """`total` recipients, `done` of them ended one way or another; `rate` messages a second, None while it is not known.

    `next_query` is what the page sends with its next question.
    """

    state: str
    total: int
    done: int
    books: Mapping[str, int]
    rate: float | None
    seconds_left: float | None
    every_seconds: int
    next_query: str

    @property
    def bar(self) -> str:
        """The state as the progress bar draws it."""
        return {S.PAUSED: "paused", S.HELD: "failed", S.SENT: "done", S.CANCELLED: "failed"}.get(self.state, "running")  # type: ignore[call-overload,no-any-return]

    @property
    def is_live(self) -> bool:
        return self.state in {S.FREEZING, S.SENDING, S.SCHEDULED, S.PAUSED, S.HELD}

    @property
    def open(self) -> int:
        return self.total - self.done


def progress_of(campaign: Campaign, asked: Mapping[str, str] | None = None) -> Progress:
    """In the account's scope. `asked`: the query of the page's question (done, at, rate: see `next_query`)."""
    books: dict[str, int] = {}
    total = done = 0
    if campaign.send_id is not None:
        books = delivery.books(account_id=campaign.account_id, send_id=campaign.send_id)
        total, done = sum(books.values()), sum(books[name] for name in ENDED)
    now = time.time()
    rate = _rate(asked or {}, done, now) if campaign.state == S.SENDING else None
    left = (total - done) / rate if rate and total > done else None
    query = urlencode(
        {"state": campaign.state, "done": done, "at": f"{now:.2f}", "rate": f"{rate:.2f}" if rate else ""}
    )
    every = 1 if total <= 200_000 else 2 if total <= 500_000 else 5  # the books read every row of the send
    return Progress(campaign.state, total, done, books, rate, left, every, query)


def _rate(asked: Mapping[str, str], done: int, now: float) -> float | None:
    try:
        was_done, was_at = int(asked["done"]), float(asked["at"])
        was_rate = float(asked["rate"]) if asked.get("rate") else None
    except (KeyError, ValueError):
        return None
    if not math.isfinite(was_at) or not math.isfinite(was_rate or 0):
        return None
    passed = now - was_at
    if not 0.2 < passed < 600 or was_done > done:
        return was_rate
    measured = (done - was_done) / passed
    return measured if was_rate is None else was_rate + SMOOTHING * (measured - was_rate)
