"""The failover controller: decide once, change every provider at the same time, catch up those that were down.

What it knows it reads from the log, so a killed controller goes on where it stopped: a failover that was decided and is
not done is carried out again, which changes nothing at a provider that has it. It needs the log, the map and the
providers; no database, API or name of what it moves.

Several controllers may decide at once. Each takes the next number; at every provider the fence lets one of them through.
The one that got through at the first provider (in the map's order) that answers has won. It replaces a rival at the
others; a rival that lost puts the winner's answer where it had got through itself, so that providers agree even when
the winner is killed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from standfast.operations.clock import Clock
from standfast.operations.failover import plan
from standfast.operations.failover.authority import (
    Authority,
    Changed,
    EmptySet,
    Fenced,
    Generation,
    Refused,
    Standing,
    Superseded,
    Unreachable,
    serves,
)
from standfast.operations.failover.drift_log import Difference, DriftLog, of_record
from standfast.operations.failover.history import Failover, History
from standfast.operations.incidents.entries import Kind
from standfast.operations.log import Log
from standfast.operations.map import Map, Pool

Target = Literal["standby", "primary"]
Outcome = Changed | Superseded | Refused | Unreachable

QUORUM = "quorum"
PROVIDER_SECONDS = 1.6  # with the grace before it, a failover is over within two seconds
GRACE_SECONDS = 0.3  # how long a decision waits for further providers once one has answered
ROUNDS_MAX = 5  # a provider whose generation changes under every try is left for the next catch-up


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of one provider, and after how long."""

    authority: Authority
    outcome: Outcome
    milliseconds: int


class Controller:
    """Moves pools. One for each process; the log may be shared with engine and page of the same process."""

    def __init__(
        self,
        the_map: Map,
        log: Log,
        clock: Clock,
        authorities: Sequence[Authority],
        *,
        nonce: Callable[[], str] = lambda: secrets.token_hex(3),
    ) -> None:
        self.map = the_map
        self.log = log
        self.clock = clock
        self.authorities = authorities
        self.nonce = nonce
        self.history = History(log)
        self.drifts = DriftLog(log, clock)
        self._turns = {pool.id: asyncio.Lock() for pool in the_map.pools}

    async def move(self, pool_id: str, target: Target, *, why: str, by: str, approved_by: str | None = None) -> None:
        """Put a pool's standby or primary addresses under its name at every provider, and append what came of it.

        by: "quorum" or a person's name; back to primary only a person orders. approved_by: the person who lets a plan
        pass that the guard stops. Returns when every provider has answered or used up its time.
        """
        pool = self._pool(pool_id)
        async with self._turns[pool_id]:
            self.history.read()
            latest = self.history.latest.get(pool_id)
            if by == QUORUM and target == "primary":
                self._refuse(pool, target, "going back to the primary addresses is for a person to order")
                return
            if by == QUORUM and latest is not None and latest.target == target and not latest.lost:
                if not latest.done:
                    await self._carry(pool, latest)
                return
            failover = await self._decide(pool, target, why=why, by=by, approved_by=approved_by)
            if failover is not None:
                await self._carry(pool, failover)

    async def catch_up(self) -> None:
        """Carry on what a killed controller left, and change providers that were down; call it every few seconds."""
        self.history.read()
        unfinished = [
            (self._pool(failover.pool), failover)
            for failover in self.history.latest.values()
            if failover.pool in self._turns and self._open(failover)
        ]
        await asyncio.gather(*(self._take_up(pool, failover) for pool, failover in unfinished))

    def pending(self) -> list[Failover]:
        """Failovers that some provider has not confirmed."""
        self.history.read()
        return [failover for failover in self.history.latest.values() if self._open(failover)]

    async def _take_up(self, pool: Pool, failover: Failover) -> None:
        async with self._turns[pool.id]:
            self.history.read()
            if self.history.latest[pool.id].id == failover.id and self._open(failover):
                await self._carry(pool, failover)

    def _open(self, failover: Failover) -> bool:
        if failover.done and failover.lost:
            return False
        record = next((pool.record for pool in self.map.pools if pool.id == failover.pool), None)
        if record is None:
            return False
        return not failover.done or failover.contested or bool(failover.behind(self._names(record)))

    # -- deciding ---------------------------------------------------------------------------------------------------

    async def _decide(
        self, pool: Pool, target: Target, *, why: str, by: str, approved_by: str | None
    ) -> Failover | None:
        """Read what stands there, let the guard look at it, and write the decision down."""
        addresses = pool.standby if target == "standby" else pool.primary
        serving = self._serving(pool.record)
        if not serving:
            self._refuse(pool, target, f"no provider of the map serves {pool.record}")
            return None
        standings, stopped = await asyncio.gather(
            _first_answers([authority.read(pool) for authority in serving]),
            self._guard(pool, addresses, approved_by=approved_by),
        )
        self._note_drift(pool, serving, standings)
        seen = [standing for standing in standings if isinstance(standing, Standing)]
        if by == QUORUM and seen and all(set(standing.addresses) == set(addresses) for standing in seen):
            self._refuse(pool, target, f"{pool.record} has these addresses already ({seen[0].generation.text})")
            return None
        if stopped is not None:
            self._refuse(pool, target, stopped)
            return None
        number = 1 + max([self.history.numbers.get(pool.id, 0), *(standing.generation.number for standing in seen)])
        failover = f"{pool.id}-{number}-{self.nonce()}"
        now = self.clock.now()
        with self.log.transaction():
            self.log.append(
                Kind.CHANGE_ANNOUNCED,
                {
                    "change": failover,
                    "summary": f"{pool.record} to its {target} addresses: {', '.join(addresses)}",
                    "provider": ", ".join(authority.id for authority in serving),
                    "by": by,
                },
                at=now,
            )
            self.log.append(
                Kind.FAILOVER_DECIDED,
                {
                    "failover": failover,
                    "pool": pool.id,
                    "target": target,
                    "addresses": list(addresses),
                    "generation": number,
                    "why": why,
                    "by": by,
                },
                at=now,
            )
        self.history.read()
        return self.history.all[failover]

    def _note_drift(self, pool: Pool, serving: Sequence[Authority], standings: Sequence[Any]) -> None:
        """What stands there and is not ours is evidence that the change is about to remove: written down before."""
        latest = self.history.latest.get(pool.id)
        for authority, standing in zip(serving, standings, strict=True):
            if not isinstance(standing, Standing):
                continue
            if latest is None:
                expected = pool.primary
            elif latest.outcomes.get(authority.id) == "changed" and standing.generation == latest.generation:
                expected = latest.addresses
            else:
                continue  # behind, or another controller's: not the provider's doing
            if set(standing.addresses) != set(expected):
                wanted = tuple(sorted(expected))
                after_ttl = standing.ttl if standing.addresses else None
                difference = Difference(pool.record, pool.type, wanted, standing.addresses, pool.ttl, after_ttl)
                self.drifts.find(of_record(authority.id, difference))

    async def _guard(self, pool: Pool, addresses: tuple[str, ...], *, approved_by: str | None) -> str | None:
        """Why the plan is stopped; None when it may go on. A provider that does not list its zone cannot be counted."""
        serving = self._serving(pool.record)
        listings = await _first_answers([authority.names() for authority in serving])
        change = plan.Change(pool.record, pool.type, addresses)
        for authority, listing in zip(serving, listings, strict=True):
            existing = listing if isinstance(listing, Mapping) else {}
            try:
                verdict = plan.judge(authority.zone, existing, [change], approved_by=approved_by)
            except EmptySet as error:
                return str(error)
            if isinstance(verdict, plan.NeedsApproval):
                return f"{authority.id}: {verdict.why}; a person may approve it by name"
        return None

    def _refuse(self, pool: Pool, target: Target, why: str) -> None:
        self.log.append(Kind.FAILOVER_REFUSED, {"pool": pool.id, "target": target, "why": why}, at=self.clock.now())

    # -- carrying out -----------------------------------------------------------------------------------------------

    async def _carry(self, pool: Pool, failover: Failover) -> None:
        """Bring the providers that have it not, settle a race, say what came of it."""
        # All of them, those too that have confirmed: a race may still have to be settled there.
        serving = self._serving(pool.record)
        tried = await asyncio.gather(*(self._timed(authority, pool, failover) for authority in serving))
        self.history.read()
        winner = _winner(failover, tried)
        if winner is not None:
            await self._yield(pool, failover, winner, tried)
        else:
            await self._overrule(pool, failover, tried)
        self.history.read()
        if not failover.done:
            changed = [name for name, outcome in failover.outcomes.items() if outcome == "changed"]
            left = [] if failover.lost else failover.behind(self._names(pool.record))
            self.log.append(
                Kind.FAILOVER_DONE,
                {"failover": failover.id, "changed": changed, "behind": left},
                at=self.clock.now(),
                key=f"{failover.id} done",
            )
            self.history.read()

    async def _yield(self, pool: Pool, failover: Failover, winner: Standing, tried: Sequence[_Tried]) -> None:
        """Another controller has won: put its answer where ours got through, and count ours as superseded everywhere."""
        addresses = tuple(winner.addresses)
        if set(addresses) in (set(pool.primary), set(pool.standby)):  # nothing but our own addresses is passed on
            # Where ours stands, those too that had confirmed it and do not answer now.
            mine = [
                one.authority
                for one in tried
                if isinstance(one.outcome, Changed)
                or (failover.outcomes.get(one.authority.id) == "changed" and not isinstance(one.outcome, Superseded))
            ]
            # Both may have taken the same number: then ours is what is to be replaced.
            over = failover.generation
            put = await asyncio.gather(
                *(_bring(authority, pool, addresses, winner.generation, over=over) for authority in mine)
            )
            if any(isinstance(outcome, Refused | Unreachable) for outcome in put):
                return  # ours still stands there: nothing is told, so that the next catch-up yields again
        for one in tried:
            outcome = one.outcome if isinstance(one.outcome, Superseded | Refused | Unreachable) else Superseded(winner)
            self._tell(failover, _Tried(one.authority, outcome, one.milliseconds))

    async def _overrule(self, pool: Pool, failover: Failover, tried: Sequence[_Tried]) -> None:
        """Ours has won: replace a rival that took the same number at another provider."""
        for one in tried:
            if isinstance(one.outcome, Superseded):
                outcome = await _bring(
                    one.authority, pool, failover.addresses, failover.generation, over=one.outcome.standing.generation
                )
                one = _Tried(one.authority, outcome, one.milliseconds)
            self._tell(failover, one)

    async def _timed(self, authority: Authority, pool: Pool, failover: Failover) -> _Tried:
        begin = self.clock.monotonic()
        outcome = await _bring(authority, pool, failover.addresses, failover.generation)
        tried = _Tried(authority, outcome, round((self.clock.monotonic() - begin) * 1000))
        if isinstance(outcome, Changed):
            self._tell(failover, tried)  # at once: the others may take their time
        return tried

    def _tell(self, failover: Failover, tried: _Tried) -> None:
        """Append what is new at a provider; a failure that goes on, or comes after an answer, is not said again."""
        word, detail = _worded(tried.outcome)
        before = failover.outcomes.get(tried.authority.id, "")
        if word == before or (word == "failed" and before):
            return
        data: dict[str, Any] = {
            "failover": failover.id,
            "provider": tried.authority.id,
            "outcome": word,
            "addresses": list(failover.addresses),
            "generation": failover.generation.number,
            "detail": detail,
            "milliseconds": tried.milliseconds,
        }
        # Ours may stand there, give way, stand again and give way again: each of these is news.
        key = f"{failover.id} {tried.authority.id} {before} {word}"
        self.log.append(Kind.FAILOVER_PROVIDER, data, at=self.clock.now(), key=key)

    def _pool(self, pool_id: str) -> Pool:
        for pool in self.map.pools:
            if pool.id == pool_id:
                return pool
        raise KeyError(f"the map has no pool {pool_id!r}")

    def _serving(self, record: str) -> list[Authority]:
        return [authority for authority in self.authorities if serves(authority.zone, record)]

    def _names(self, record: str) -> list[str]:
        return [authority.id for authority in self._serving(record)]


async def _bring(
    authority: Authority,
    pool: Pool,
    addresses: tuple[str, ...],
    generation: Generation,
    *,
    over: Generation | None = None,
) -> Outcome:
    """Set addresses and generation at one provider unless a later change, or another of the same number, stands there.

    over: a rival of the same number that may be replaced.
    """
    try:
        async with asyncio.timeout(PROVIDER_SECONDS):
            for _ in range(ROUNDS_MAX):
                seen = await authority.read(pool)
                if not isinstance(seen, Standing):
                    return seen
                if seen.generation == generation:
                    return Changed(sent=False)
                if seen.generation.number >= generation.number and seen.generation != over:
                    return Superseded(seen)
                outcome = await authority.replace(pool, addresses, generation=generation, seen=seen)
                if not isinstance(outcome, Fenced):
                    return outcome
    except TimeoutError:
        return Unreachable(f"{authority.id} did not answer within {PROVIDER_SECONDS:g} s")
    return Unreachable(f"{authority.id}: the generation changed under each of {ROUNDS_MAX} tries")


def _winner(ours: Failover, tried: Sequence[_Tried]) -> Standing | None:
    """What another controller set, when its change goes before ours: later anywhere, or first at the first provider."""
    superseded = [one.outcome.standing for one in tried if isinstance(one.outcome, Superseded)]
    later = [standing for standing in superseded if standing.generation.number > ours.generation.number]
    if later:
        return max(later, key=lambda standing: standing.generation)
    for one in tried:
        if isinstance(one.outcome, Superseded):
            return one.outcome.standing
        if isinstance(one.outcome, Changed) or ours.outcomes.get(one.authority.id) == "changed":
            return None
    return None


async def _first_answers(calls: Sequence[Any]) -> list[Any]:
    """The answers of all calls; once one is good the others have little time left, None for those that used it up."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    waiting = [task for task in tasks if not task.done()]
    while waiting and not any(_good(task) for task in tasks):
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        waiting = [task for task in tasks if not task.done()]
    if waiting:
        await asyncio.wait(waiting, timeout=GRACE_SECONDS)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return [None if task.cancelled() else task.result() for task in tasks]


def _good(task: asyncio.Future[Any]) -> bool:
    return task.done() and not isinstance(task.result(), Refused | Unreachable)


def _worded(outcome: Outcome) -> tuple[str, str]:
    match outcome:
        case Changed(sent=True):
            return "changed", "confirmed"
        case Changed():
            return "changed", "had it already"
        case Superseded(standing):
            return "superseded", f"{standing.generation.text} stands there"
        case Refused(detail):
            return "failed", f"refused: {detail}"
        case Unreachable(detail):
            return "failed", f"unreachable: {detail}"
