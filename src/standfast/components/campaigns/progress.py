"""How far a running campaign is: books, rate and time left. The rate lives in the page that polls, not in the server."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from standfast.components.campaigns.models import Campaign, CampaignState
from standfast.components.delivery import api as delivery
from standfast.components.tracking.api import SendCounter

S = CampaignState
OPEN = ("pending", "deferred")
LEDGER_MAX = 50_000  # up to so many recipients their rows are counted; of more the roll-ups tell, a moment later
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
    """In the account's scope; `campaign.send` is asked for. `asked`: the query of the page's question (see `next_query`)."""
    books = _books(campaign)
    total = sum(books.values())
    done = total - sum(books.get(name, 0) for name in OPEN)
    now = time.time()
    rate = _rate(asked or {}, done, now) if campaign.state == S.SENDING else None
    left = (total - done) / rate if rate and total > done else None
    query = urlencode(
        {"state": campaign.state, "done": done, "at": f"{now:.2f}", "rate": f"{rate:.2f}" if rate else ""}
    )
    return Progress(campaign.state, total, done, books, rate, left, 1 if total <= LEDGER_MAX else 2, query)


def _books(campaign: Campaign) -> dict[str, int]:
    """Recipients by how they ended (delivery's names), with those that have not."""
    send = campaign.send
    if send is None:
        return {}
    mine = {"account_id": campaign.account_id, "send_id": send.pk}
    if send.total <= LEDGER_MAX:
        return delivery.books(**mine)
    counters = dict(SendCounter.objects.filter(**mine).values_list("name", "value"))
    books = {name: max(counters.get(name, 0), 0) for name in ("delivered", "bounced", "uncertain", "failed", "skipped")}
    books["delivered"] = max(books["delivered"] - counters.get("bounced_later", 0), 0)
    rest = max(send.total - sum(books.values()), 0)
    books["cancelled" if send.state == delivery.SendState.CANCELLED else "pending"] = rest
    return books


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
