"""Drifts as the log tells them: which are open, which announced change explains one, and each written once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from standfast.operations.clock import Clock
from standfast.operations.incidents.entries import Kind
from standfast.operations.log import Entry, Log

UNREADABLE = "cannot be read"
CHANGED, ADDED, REMOVED = "was changed", "was added", "was removed"
ANNOUNCED_SECONDS = 1800.0  # a change announced longer ago explains nothing


@dataclass(frozen=True, slots=True)
class Difference:
    """One record set: `before` as declared, `after` as the provider has it; () where there is none."""

    name: str
    type: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    before_ttl: int | None
    after_ttl: int | None


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing at a provider that is not as declared. `id` is the same for the same difference seen again."""

    id: str
    provider: str
    subject: str
    what: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def drift(provider: str, subject: str, what: str, *, before: tuple[str, ...], after: tuple[str, ...]) -> Drift:
    """A drift with its id."""
    digest = hashlib.sha256("\n".join((subject, what, *before, "", *after)).encode()).hexdigest()[:10]
    return Drift(f"{provider}-{digest}", provider, subject, what, before, after)


def of_record(provider: str, difference: Difference) -> Drift:
    """The drift of a record set; another TTL is named beside the values."""
    what = REMOVED if not difference.after else ADDED if not difference.before else CHANGED
    before, after = difference.before, difference.after
    if difference.before_ttl is not None and difference.after_ttl not in (None, difference.before_ttl):
        before, after = (*before, f"TTL {difference.before_ttl}"), (*after, f"TTL {difference.after_ttl}")
    return drift(provider, f"{difference.name} {difference.type}", what, before=before, after=after)


class DriftLog:
    """Follows the log. `open`: the id of each open entry (the drift's, a dot, its occurrence) to its data."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self.log, self.clock = log, clock
        self.open: dict[str, Mapping[str, Any]] = {}
        self._position = 0
        self._times: dict[str, int] = {}  # how often a drift was found before: each occurrence has an id of its own
        self._announced: list[Entry] = []
        self._failovers: set[str] = set()

    def follow(self) -> None:
        """Take in what was appended since."""
        for entry in self.log.after(self._position):
            self._position = entry.position
            if entry.kind == Kind.DRIFT_FOUND:
                self.open[entry.data["drift"]] = entry.data
                self._times[base(entry.data["drift"])] = self._times.get(base(entry.data["drift"]), 0) + 1
            elif entry.kind == Kind.DRIFT_GONE:
                self.open.pop(entry.data["drift"], None)
            elif entry.kind == Kind.CHANGE_ANNOUNCED:
                self._announced.append(entry)
            elif entry.kind == Kind.FAILOVER_DECIDED:
                self._failovers.add(entry.data["failover"])

    def find(self, found: Drift) -> None:
        """Write that a drift is there, unless it is open already."""
        self.follow()
        if found.id in {base(entry_id) for entry_id in self.open}:
            return
        data = {
            "drift": f"{found.id}.{self._times.get(found.id, 0) + 1}",
            "provider": found.provider,
            "subject": found.subject,
            "what": found.what,
            "before": list(found.before),
            "after": list(found.after),
            "change": self._explained(found),
        }
        self.log.append(Kind.DRIFT_FOUND, data, at=self.clock.now())
        self.follow()

    def gone(self, entry_id: str) -> None:
        """Write that an open drift is no longer there."""
        self.log.append(Kind.DRIFT_GONE, {"drift": entry_id}, at=self.clock.now())
        self.follow()

    def _explained(self, found: Drift) -> str | None:
        """The latest announced change of ours at this provider, or at any. A failover explains nothing beyond its own
        addresses, and those are no drift."""
        since = self.clock.now() - timedelta(seconds=ANNOUNCED_SECONDS)
        for entry in reversed(self._announced):
            if entry.at < since:
                break
            if entry.data["change"] in self._failovers or found.what == UNREADABLE:
                continue
            if entry.data.get("provider") in (None, "", found.provider):
                return str(entry.data["change"])
        return None


def base(entry_id: str) -> str:
    """The drift's own id without the number of its occurrence."""
    return entry_id.rpartition(".")[0]
