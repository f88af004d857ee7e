"""Drift: what providers and edges answer against what is declared, and whether a change of ours explains it.

A failover is our own change: while one is on, its addresses are what is declared. `Watcher` writes each drift into the log
once when it appears and once when it is gone. A provider that cannot be read is a drift of its own kind, not silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from standfast.operations.clock import Clock
from standfast.operations.failover import served, zones
from standfast.operations.failover.authority import serves
from standfast.operations.failover.declared import declared
from standfast.operations.failover.drift_log import (
    CHANGED,
    UNREADABLE,
    Difference,
    Drift,
    DriftLog,
    base,
    drift,
    of_record,
)
from standfast.operations.failover.history import Failover, History
from standfast.operations.failover.update import secret
from standfast.operations.log import Log
from standfast.operations.map import Map, Pool, Provider


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
        return [one for group in found for one in group]

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
        found = [of_record(provider.id, difference) for difference in seen.differences]
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
        difference = Difference(pool.record, pool.type, values, after, ttl, after_ttl)
        return [of_record(provider.id, difference)]

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
        return [
            drift(provider.id, f"serial of {provider.zone}", CHANGED, before=(str(before),), after=(str(seen.serial),))
        ]

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
        self.comparison = comparison or Comparison(the_map, log)
        self.drifts = DriftLog(log, clock)
        self._unread: set[str] = set()

    async def look(self) -> list[Drift]:
        """Compare once and write what is new and what is gone. Raises LogError, zones.DeclaredUnreadable, KeyUnreadable."""
        seen = await self.comparison.compare()
        unread = {one.id for one in seen if one.what == UNREADABLE}
        silent = {one.provider for one in seen if one.what == UNREADABLE}
        doubtful, self._unread = unread - self._unread, unread  # one look without an answer may be a lost packet
        self.drifts.follow()
        ids = {one.id for one in seen}
        for entry_id, data in list(self.drifts.open.items()):
            # What a silent provider had is unknown, not gone.
            if base(entry_id) not in ids and (data["what"] == UNREADABLE or data["provider"] not in silent):
                self.drifts.gone(entry_id)
        for one in seen:
            if one.id not in doubtful:
                self.drifts.find(one)
        return seen


async def _read(provider: str, subject: str, look: Awaitable[Sequence[_Differs]]) -> list[Drift]:
    try:
        return [drift(provider, one.subject, CHANGED, before=one.before, after=one.after) for one in await look]
    except served.Unreadable as error:
        return [_unreadable(provider, subject, str(error))]


def _unreadable(provider: str, subject: str, why: str) -> Drift:
    return drift(provider, subject, UNREADABLE, before=("readable",), after=(why,))
