"""Drift: what providers and edges answer against what is declared, and whether a change of ours explains it.

A failover is our own change: while one is on, its addresses are what is declared. `Watcher` writes each drift into the log
once when it appears and once when it is gone. A provider that cannot be read is a drift of its own kind, not silence.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from standfast.operations.clock import Clock
from standfast.operations.failover import served, zones
from standfast.operations.failover.authority import serves
from standfast.operations.failover.declared import declared
from standfast.operations.failover.history import Failover, History
from standfast.operations.failover.update import secret
from standfast.operations.incidents.entries import Kind
from standfast.operations.log import Entry, Log
from standfast.operations.map import Map, Pool, Provider

UNREADABLE = "cannot be read"
CHANGED, ADDED, REMOVED = "was changed", "was added", "was removed"
ANNOUNCED_SECONDS = 1800.0  # a change announced longer ago explains nothing


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. `id` is the same for the same difference seen again."""

    id: str
    provider: str
    subject: str
    what: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class _Differs(Protocol):
    @property
    def subject(self) -> str: ...
    @property
    def before(self) -> tuple[str, ...]: ...
    @property
    def after(self) -> tuple[str, ...]: ...


class Comparison:
    """Compares everything the map declares. Raises MapError when the declared table is malformed."""

    def __init__(self, the_map: Map, log: Log, *, look: Callable[..., zones.Seen] = zones.look) -> None:
        self.map = the_map
        self.declared = declared(the_map)
        self.history = History(log)
        self._look = look
        self._serials: dict[str, int] = {}
        self._differed: dict[str, bool] = {}  # a provider that is being set right moves its serial, too
        self._changes: dict[str, int] = {}  # how many changes of ours a provider had when its serial was read

    async def compare(self) -> list[Drift]:
        """All differences now, each source on its own: one that hangs does not hide the others."""
        found = await asyncio.gather(
            *(self._zone(provider) for provider in self.map.providers if self.declared.directory),
            *(
                _read(one.provider, f"delegation of {one.zone}", served.delegation(one))
                for one in self.declared.delegations
            ),
            *(
                _read(
                    one.provider, f"certificate of {one.server_name} at {one.host}:{one.port}", served.certificate(one)
                )
                for one in self.declared.certificates
            ),
            *(_read(one.provider, one.url, served.edge(one)) for one in self.declared.edges),
        )
        return [drift for group in found for drift in group]

    async def _zone(self, provider: Provider) -> list[Drift]:
        pools = [pool for pool in self.map.pools if serves(provider.zone, pool.record)]
        names = frozenset((pool.record, pool.type) for pool in pools)
        directory = self.map.file(self.declared.directory)
        # What is accepted is asked before and after the reading: a failover may fall in between.
        accepted = {pool.id: self._accepted(provider, pool) for pool in pools}
        try:
            seen = await asyncio.to_thread(
                self._look, provider, secret(self.map.file(provider.key_file)), directory, names
            )
        except zones.ZoneUnreadable as error:
            return [_unreadable(provider.id, f"zone {provider.zone}", str(error))]
        found = [_of_record(provider.id, difference) for difference in seen.differences]
        for pool in pools:
            also = [*accepted[pool.id], *self._accepted(provider, pool)]
            found += self._of_pool(provider, pool, seen, also)
        found += self._of_serial(provider, pools, seen, differs=bool(found))
        return found

    def _accepted(self, provider: Provider, pool: Pool) -> list[tuple[zones.Values, int]]:
        """The address sets that may stand at a provider: the last failover's; what was before, until it is confirmed."""
        self.history.read()
        latest = self.history.latest.get(pool.id)
        directory = self.map.file(self.declared.directory)
        first = zones.declared_values(provider.zone, directory, pool.record, pool.type)
        before = [first or (tuple(sorted(pool.primary)), pool.ttl)]
        if latest is None:
            return before
        ours = [(tuple(sorted(latest.addresses)), pool.ttl)]
        if latest.outcomes.get(provider.id) == "changed" and latest.done:
            return ours
        earlier = [one for one in self.history.all.values() if one.pool == pool.id]
        before += [(tuple(sorted(one.addresses)), pool.ttl) for one in earlier]
        if latest.lost:
            before += [(tuple(sorted(group)), pool.ttl) for group in (pool.primary, pool.standby)]
        return ours + before

    def _of_pool(
        self, provider: Provider, pool: Pool, seen: zones.Seen, accepted: Sequence[tuple[zones.Values, int]]
    ) -> list[Drift]:
        now = seen.pools.get((pool.record, pool.type))
        if now in accepted:
            return []
        values, ttl = accepted[0]
        after, after_ttl = now if now is not None else ((), None)
        difference = zones.Difference(pool.record, pool.type, values, after, ttl, after_ttl)
        return [_of_record(provider.id, difference)]

    def _of_serial(self, provider: Provider, pools: Sequence[Pool], seen: zones.Seen, *, differs: bool) -> list[Drift]:
        """A serial that moved with no record changed and no change of ours: somebody loaded the zone anew."""
        if seen.serial is None:
            return []
        changes = self._our_changes(provider, pools)
        before, known = self._serials.get(provider.id), self._changes.get(provider.id)
        differed = self._differed.get(provider.id, False)
        self._serials[provider.id], self._changes[provider.id] = seen.serial, changes
        self._differed[provider.id] = differs
        if before is None or before == seen.serial or changes != known or differs or differed:
            return []
        return [_drift(provider.id, f"serial of {provider.zone}", CHANGED, (str(before),), (str(seen.serial),))]

    def _our_changes(self, provider: Provider, pools: Sequence[Pool]) -> int:
        """Counts decisions and confirmations; it moves whenever we may have written to the provider."""
        self.history.read()
        ids = {pool.id for pool in pools}
        mine: list[Failover] = [one for one in self.history.all.values() if one.pool in ids]
        open_ones = sum(1 for one in mine if one.outcomes.get(provider.id) != "changed")
        return len(mine) * 1000 + open_ones


class Watcher:
    """Looks, and keeps the log's open drifts the same as what is seen."""

    def __init__(self, the_map: Map, log: Log, clock: Clock, *, comparison: Comparison | None = None) -> None:
        """Raises MapError when the declared table is malformed."""
        self.map, self.log, self.clock = the_map, log, clock
        self.comparison = comparison or Comparison(the_map, log)
        self._position = 0
        self._open: dict[str, Mapping[str, Any]] = {}  # entry's drift id to its data
        self._times: dict[str, int] = {}  # how often a drift was found before: each occurrence has an id of its own
        self._announced: list[Entry] = []
        self._unread: set[str] = set()

    async def look(self) -> list[Drift]:
        """Compare once and write what is new and what is gone. Raises LogError, zones.DeclaredUnreadable, KeyUnreadable."""
        drifts = await self.comparison.compare()
        self._follow()
        doubtful = {drift.id for drift in drifts if drift.what == UNREADABLE} - self._unread
        self._unread = {drift.id for drift in drifts if drift.what == UNREADABLE}
        silent = {drift.provider for drift in drifts if drift.what == UNREADABLE}
        seen = {drift.id for drift in drifts}
        for entry_id, data in list(self._open.items()):
            # What a silent provider had is unknown, not gone.
            if _base(entry_id) not in seen and (data["what"] == UNREADABLE or data["provider"] not in silent):
                self.log.append(Kind.DRIFT_GONE, {"drift": entry_id}, at=self.clock.now())
        self._follow()
        known = {_base(entry_id) for entry_id in self._open}
        for drift in drifts:
            if drift.id not in known and drift.id not in doubtful:
                self._find(drift)
        self._follow()
        return drifts

    def _find(self, drift: Drift) -> None:
        data = {
            "drift": f"{drift.id}.{self._times.get(drift.id, 0) + 1}",
            "provider": drift.provider,
            "subject": drift.subject,
            "what": drift.what,
            "before": list(drift.before),
            "after": list(drift.after),
            "change": self._explained(drift),
        }
        self.log.append(Kind.DRIFT_FOUND, data, at=self.clock.now())

    def _explained(self, drift: Drift) -> str | None:
        """The latest announced change of ours at this provider, or at any. A failover explains nothing beyond its own
        addresses, and those are no drift."""
        since = self.clock.now() - timedelta(seconds=ANNOUNCED_SECONDS)
        for entry in reversed(self._announced):
            if entry.at < since:
                break
            if entry.data["change"] in self.comparison.history.all or drift.what == UNREADABLE:
                continue
            if entry.data.get("provider") in (None, "", drift.provider):
                return str(entry.data["change"])
        return None

    def _follow(self) -> None:
        for entry in self.log.after(self._position):
            self._position = entry.position
            if entry.kind == Kind.DRIFT_FOUND:
                self._open[entry.data["drift"]] = entry.data
                base = _base(entry.data["drift"])
                self._times[base] = self._times.get(base, 0) + 1
            elif entry.kind == Kind.DRIFT_GONE:
                self._open.pop(entry.data["drift"], None)
            elif entry.kind == Kind.CHANGE_ANNOUNCED:
                self._announced.append(entry)


async def _read(provider: str, subject: str, look: Awaitable[Sequence[_Differs]]) -> list[Drift]:
    try:
        return [_drift(provider, one.subject, CHANGED, one.before, one.after) for one in await look]
    except served.Unreadable as error:
        return [_unreadable(provider, subject, str(error))]


def _of_record(provider: str, difference: zones.Difference) -> Drift:
    what = REMOVED if not difference.after else ADDED if not difference.before else CHANGED
    before, after = difference.before, difference.after
    if difference.before_ttl is not None and difference.after_ttl not in (None, difference.before_ttl):
        before, after = (*before, f"TTL {difference.before_ttl}"), (*after, f"TTL {difference.after_ttl}")
    return _drift(provider, f"{difference.name} {difference.type}", what, before, after)


def _unreadable(provider: str, subject: str, why: str) -> Drift:
    return _drift(provider, subject, UNREADABLE, ("readable",), (why,))


def _drift(provider: str, subject: str, what: str, before: tuple[str, ...], after: tuple[str, ...]) -> Drift:
    digest = hashlib.sha256("\n".join((subject, what, *before, "", *after)).encode()).hexdigest()[:10]
    return Drift(f"{provider}-{digest}", provider, subject, what, before, after)


def _base(entry_id: str) -> str:
    """The drift's own id without the number of its occurrence."""
    return entry_id.rpartition(".")[0]
