"""Uptime of the last 90 days, computed from how long each square had which status, never from samples.

Per square: uptime = 1 - (seconds of major outage + 0.3 x seconds of partial outage) / seconds monitored.
Degraded performance and maintenance count as up. What nobody watched (before the first entry, squares without a working
check, times at which too few vantages reported) is no part of the sum and is shown grey, never green.
A component's figure weighs its clusters by their accounts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from standfast.operations.incidents.state import State
from standfast.operations.map import Map, Square
from standfast.operations.status import Status

DAYS = 90
NO_BREAK = "\u00a0"
_RANK = {status: rank for rank, status in enumerate(Status)}
DOWN = {Status.MAJOR_OUTAGE: 1.0, Status.PARTIAL_OUTAGE: 0.3}

Tally = dict[Status, float]  # seconds in each status; NOT_MONITORED is kept apart from the rest


@dataclass(frozen=True, slots=True)
class Day:
    """One day: the worst status of it (None: nobody watched), and its seconds by status, weighed over clusters."""

    on: date
    worst: Status | None
    seconds: Tally


@dataclass(slots=True)
class Uptime:
    """`percent` is None when nothing was monitored in all the days."""

    days: list[Day] = field(default_factory=list)
    percent: float | None = None


class Record:
    """Every square's seconds by day and status; made once for an edition and asked for components and squares."""

    def __init__(self, the_map: Map, state: State, *, now: datetime, zone: tzinfo) -> None:
        self._map = the_map
        today = now.astimezone(zone).date()
        self.dates = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
        first = datetime.combine(self.dates[0], time(), tzinfo=zone).astimezone(UTC)
        blind = [*state.blind, *([(state.blind_since, now)] if state.blind_since else [])]
        self._seconds: dict[Square, dict[date, Tally]] = defaultdict(dict)
        for interval in state.history:
            since, until = max(interval.since, first), min(interval.until or now, now)
            if until > since:
                tallies = self._seconds[interval.square]
                for on, part, unseen in _by_day(since, until, zone, blind):
                    tally = tallies.setdefault(on, {})
                    if interval.status is not Status.OPERATIONAL:
                        unseen = 0.0  # an outage goes on until somebody has seen it end
                    tally[interval.status] = tally.get(interval.status, 0.0) + part - unseen
                    if unseen:
                        tally[Status.NOT_MONITORED] = tally.get(Status.NOT_MONITORED, 0.0) + unseen

    def square(self, square: Square) -> Uptime:
        return self._of([(square, 1.0)])

    def component(self, component: str) -> Uptime:
        return self._of([(Square(component, cluster.id), float(cluster.accounts)) for cluster in self._map.clusters])

    def _of(self, weighed: Iterable[tuple[Square, float]]) -> Uptime:
        squares = list(weighed)
        whole = sum(weight for _, weight in squares) or 1.0
        counted = {square for square, _ in squares if self._monitored(square)}
        found, watched, down = Uptime(), 0.0, 0.0
        for on in self.dates:
            seconds: Tally = {}
            worst: Status | None = None
            for square, weight in squares:
                for status, part in self._seconds.get(square, {}).get(on, {}).items():
                    if status is Status.NOT_MONITORED or not part:
                        continue
                    seconds[status] = seconds.get(status, 0.0) + part * weight / whole
                    worst = status if worst is None or _RANK[status] > _RANK[worst] else worst
                    if square in counted:
                        watched += part * weight
                        down += part * weight * DOWN.get(status, 0.0)
            found.days.append(Day(on, worst, seconds))
        found.percent = 100.0 * (1 - down / watched) if watched else None
        return found

    def _monitored(self, square: Square) -> bool:
        """An outage of everything colours a square that no check covers, yet says nothing of its uptime."""
        seen = {status for tally in self._seconds.get(square, {}).values() for status, part in tally.items() if part}
        return Status.OPERATIONAL in seen or Status.NOT_MONITORED not in seen


def percent_words(percent: float | None) -> str:
    """Two decimals, rounded down, so that 100 % means that nothing was lost."""
    if percent is None:
        return "no data"
    down = int(percent * 100 + 1e-6) / 100
    return f"100{NO_BREAK}%" if down >= 100 else f"{down:.2f}{NO_BREAK}%"


def _by_day(
    since: datetime, until: datetime, zone: tzinfo, blind: list[tuple[datetime, datetime]]
) -> Iterator[tuple[date, float, float]]:
    """The interval cut at local midnights: (day, seconds, of these the seconds in which nobody could judge)."""
    start = since
    while start < until:
        on = start.astimezone(zone).date()
        midnight = datetime.combine(on + timedelta(days=1), time(), tzinfo=zone)
        end = min(until, midnight.astimezone(UTC))  # in UTC: a zone's own arithmetic ignores a change of summer time
        unseen = sum(max(0.0, (min(end, last) - max(start, begin)).total_seconds()) for begin, last in blind)
        yield on, (end - start).total_seconds(), unseen
        start = end
