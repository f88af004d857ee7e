"""Drift: what providers and edges answer against what is declared, and whether a change of ours explains it.

A failover is our own change: while one is on, its addresses are what is declared. `Watcher` writes each drift into the log
once when it appears and once when it is gone. A provider that cannot be read is a drift of its own kind, not silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import NamedTuple, Protocol

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


class _Changes(NamedTuple):
    """Our own changes at a provider: how many were decided, and how many of them it has not confirmed."""

    decided: int
    open: int


class _Last(NamedTuple):
    """What the last look at a provider saw; `differed`: one that is being set right moves its serial, too."""

    serial: int
    changes: _Changes
    differed: bool


class Comparison:
    """Compares everything the map declares. Raises MapError when the declared table is malformed."""

    def __init__(self, the_map: Map, log: Log) -> None:
        self.map = the_map
        self.declared = declared(the_map)
        self.history = History(log)
        self._last: dict[str, _Last] = {}

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
        # Where our own changes stand is asked before and after the reading: one may fall in between.
        self.history.read()
        confirmed = {pool.id: self._confirmed(provider, pool) for pool in pools}
        before = self._our_changes(provider, pools)
        try:
            seen = await asyncio.to_thread(
                zones.look, provider, secret(self.map.file(provider.key_file)), directory, names
            )
        except zones.ZoneUnreadable as error:
            return [_unreadable(provider.id, f"zone {provider.zone}", str(error))]
        self.history.read()
        found = [of_record(provider.id, difference) for difference in seen.differences]
        for pool in pools:
            found += self._of_pool(provider, pool, seen, self._accepted(provider, pool, confirmed[pool.id]))
        after = self._our_changes(provider, pools)
        found += self._of_serial(provider, seen, before, after, differs=bool(found))
        return found

    def _confirmed(self, provider: Provider, pool: Pool) -> int:
        """How many of the pool's failovers there were up to the last that this provider has confirmed."""
        ours = self._failovers(pool)
        return max((n for n, one in enumerate(ours, 1) if one.outcomes.get(provider.id) == "changed"), default=0)

    def _accepted(self, provider: Provider, pool: Pool, confirmed: int) -> list[tuple[zones.Values, int]]:
        """The address sets that may stand there, newest first: the last confirmed one's and all that were decided since."""
        ours = self._failovers(pool)
        sets = [(tuple(sorted(one.addresses)), pool.ttl) for one in ours[max(confirmed - 1, 0) :]]
        if any(one.lost for one in ours[max(confirmed - 1, 0) :]):  # another controller's of the same pool stands there
            sets += [(tuple(sorted(group)), pool.ttl) for group in (pool.primary, pool.standby)]
        sets.reverse()
        if confirmed == 0:
            directory = self.map.file(self.declared.directory)
            declared_one = zones.declared_values(provider.zone, directory, pool.record, pool.type)
            sets.append(declared_one or (tuple(sorted(pool.primary)), pool.ttl))
        return sets

    def _failovers(self, pool: Pool) -> list[Failover]:
        return [one for one in self.history.all.values() if one.pool == pool.id]

    def _of_pool(
        self, provider: Provider, pool: Pool, seen: zones.Seen, accepted: Sequence[tuple[zones.Values, int]]
    ) -> list[Drift]:
        now = seen.pools.get((pool.record, pool.type))
        if now in accepted:
            return []
        # What it had before is the last that it has confirmed, whatever was decided since: the same drift stays the same.
        values, ttl = accepted[-1]
        after, after_ttl = now if now is not None else ((), None)
        difference = Difference(pool.record, pool.type, values, after, ttl, after_ttl)
        return [of_record(provider.id, difference)]

    def _of_serial(
        self, provider: Provider, seen: zones.Seen, before: _Changes, after: _Changes, *, differs: bool
    ) -> list[Drift]:
        """A serial that moved with no record changed and no change of ours: somebody loaded the zone anew."""
        if seen.serial is None:
            return []
        last, self._last[provider.id] = self._last.get(provider.id), _Last(seen.serial, before, differs)
        if last is None or last.serial == seen.serial or differs or last.differed:
            return []
        # One of ours that nobody has confirmed may have been made at any moment.
        if after.decided != last.changes.decided or after.open or last.changes.open:
            return []
        return [
            drift(
                provider.id,
                f"serial of {provider.zone}",
                CHANGED,
                before=(str(last.serial),),
                after=(str(seen.serial),),
            )
        ]

    def _our_changes(self, provider: Provider, pools: Sequence[Pool]) -> _Changes:
        ids = {pool.id for pool in pools}
        mine = [one for one in self.history.all.values() if one.pool in ids]
        latest = [one for one in self.history.latest.values() if one.pool in ids]
        return _Changes(len(mine), sum(one.outcomes.get(provider.id) in (None, "failed") for one in latest))


class Watcher:
    """Looks, and keeps the log's open drifts the same as what is seen."""

    def __init__(self, the_map: Map, log: Log, clock: Clock) -> None:
        """Raises MapError when the declared table is malformed."""
        self.comparison = Comparison(the_map, log)
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
