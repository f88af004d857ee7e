"""From findings to what the public reads: incidents opened, posted, reopened, recovered and closed by the rules of the map.

Decides from the state alone (the fold of the log), so that it goes on after a kill where it stood, and writes within one
transaction in which it has first read what others (the desk, a command) wrote meanwhile. Ages are judged on the steady
scale of the state: a jump of the wall clock is an entry, and moves no deadline.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from standfast.operations.clock import Clock
from standfast.operations.failover.drift_log import UNREADABLE
from standfast.operations.incidents import postmortem, wording
from standfast.operations.incidents.entries import Kind, Stage
from standfast.operations.incidents.records import Incident
from standfast.operations.incidents.state import AUTOMATIC, OPEN, State, listed
from standfast.operations.log import Entry, Log
from standfast.operations.map import Map, Square
from standfast.operations.monitoring.report import (
    Blind,
    CheckDown,
    CheckUp,
    Finding,
    Gap,
    Sighted,
    VantageAbsent,
    VantageBack,
)
from standfast.operations.status import Status

GATHER_SECONDS = 1.5  # a root failure takes many checks down within a round: the first post waits for them
SCOPE_SECONDS = 5.0  # after the last growth, the post that tells of it
STORM_SECONDS = 120.0  # what fails so soon after an incident began is taken for the same one


@dataclass(frozen=True, slots=True)
class Move:
    """Traffic to be moved: by quorum, or because a person ordered it."""

    pool: str
    target: str
    why: str
    by: str


class Engine:
    """One for a log. Call `handle` with each judgement's findings, then `tick`, then carry out `moves`."""

    def __init__(self, the_map: Map, log: Log, clock: Clock) -> None:
        self.map, self.log, self.clock = the_map, log, clock
        self.state = State(the_map, log.after())
        self._pending: list[tuple[Finding, datetime]] = []  # not yet on disk: a full disk loses nothing

    def sync(self) -> None:
        """Take in what others have written."""
        for entry in self.log.after(self.state.position):
            self.state.apply(entry)

    def handle(self, findings: Sequence[Finding]) -> None:
        """Log findings and open, grow or reopen incidents. Raises LogError; the findings are then kept for the next call."""
        now = self.clock.now()
        self._pending += [(finding, now) for finding in findings]
        if not self._pending:
            return
        with self._writing():
            for finding, at in self._pending:
                self._take(finding, at)
        self._pending.clear()

    def tick(self) -> None:
        """Post what is due: first posts, scope, evidence, recovery, promised updates, maintenance, drafts. Raises LogError."""
        with self._writing():
            now = self.clock.now()
            steady = self.state.steady(now)
            for incident in list(self.state.incidents.values()):
                if incident.vetoed:
                    continue
                if not incident.over:
                    self._go_on(incident, now, steady)
                elif incident.stage is Stage.RESOLVED and incident.draft is None:
                    self._draft(incident, now)
            self._maintain(now)

    def moves(self) -> list[Move]:
        """The failovers to be carried out now; empty once they are decided or refused."""
        found = [Move(pool, order["target"], order["why"], order["by"]) for pool, order in self.state.orders.items()]
        for check_id, down in self.state.checks_down.items():
            check = next((one for one in self.map.checks if one.id == check_id), None)
            if check is None or not check.pool or check.side != "primary":
                continue
            if self.state.targets.get(check.pool) != "primary" or any(move.pool == check.pool for move in found):
                continue
            if self.state.refused.get(check.pool, 0) < down.position:
                found.append(Move(check.pool, "standby", f"{check.name} is down", "quorum"))
        return found

    def standby_down(self, pool: str) -> bool:
        """Whether a check of the pool's standby addresses is down too."""
        return any(
            check.id in self.state.checks_down and check.pool == pool and check.side == "standby"
            for check in self.map.checks
        )

    # -- findings -----------------------------------------------------------------------------------------------

    def _take(self, finding: Finding, at: datetime) -> None:
        match finding:
            case CheckDown():
                if finding.check not in self.state.checks_down:
                    self._write(Kind.CHECK_DOWN, _votes(finding), at)
                    self._fail(finding.check, at)
            case CheckUp():
                if finding.check in self.state.checks_down:
                    self._write(Kind.CHECK_UP, _votes(finding), at)
            case VantageAbsent():
                self._write(Kind.VANTAGE_ABSENT, {"vantage": finding.vantage, "why": finding.why}, at)
            case VantageBack():
                self._write(Kind.VANTAGE_BACK, {"vantage": finding.vantage}, at)
            case Blind():
                self._write(Kind.BLIND, {"reporting": finding.reporting}, at)
            case Sighted():
                self._write(Kind.SIGHTED, {"reporting": finding.reporting}, at)
            case Gap():
                self._write(Kind.GAP, {"seconds": round(finding.seconds, 3), "why": finding.why}, at)

    def _fail(self, check_id: str, at: datetime) -> None:
        """A check went down: the same incident again, one that is on, or a new one."""
        check = self.map.check(check_id)
        squares = dict.fromkeys(check.squares, check.status)
        steady = self.state.steady(at)
        incident = self._same(check_id, steady)
        if incident is not None:
            self._reopen(incident, [check_id], at)
            return
        incident = self._near(check_id, steady)
        if incident is not None:
            grown = {**incident.squares, **squares}
            data: dict[str, Any] = {"incident": incident.id, "checks": [check_id], "squares": listed(squares)}
            data |= {"impact": self.state.impact(grown), "title": wording.title(self.map, grown)}
            self._write(Kind.INCIDENT_GREW, data, at)
            if incident.stage is Stage.MONITORING:
                self._reopen(incident, [check_id], at)
            return
        today = f"{at:%Y-%m-%d}"
        number = 1 + sum(one.startswith(today) for one in self.state.incidents)
        self._write(
            Kind.INCIDENT_OPENED,
            {
                "incident": f"{today}-{number}",
                "title": wording.title(self.map, squares),
                "checks": [check_id],
                "squares": listed(squares),
                "impact": self.state.impact(squares),
            },
            at,
        )

    def _same(self, check_id: str, steady: float) -> Incident | None:
        """The newest incident that this check was part of, while it is on or ended a short time ago."""
        for incident in reversed(self.state.incidents.values()):
            if check_id in incident.checks:
                ended = incident.steady.get("resolved", incident.steady.get("up", 0.0))
                recent = steady - ended <= self.map.rules.reopen_seconds
                return incident if not incident.over or recent else None
        return None

    def _near(self, check_id: str, steady: float) -> Incident | None:
        """An incident that is on and hits the same squares or provider, or has just begun."""
        check = self.map.check(check_id)
        providers = {one.id: one.provider for one in self.map.checks}
        for incident in self.state.active:
            same = any(square in incident.squares for square in check.squares)
            shared = bool(check.provider) and any(providers.get(one) == check.provider for one in incident.checks)
            storm = bool(incident.checks) and steady - incident.steady["opened"] <= STORM_SECONDS
            if same or shared or storm:
                return incident
        return None

    def _reopen(self, incident: Incident, checks: list[str], at: datetime) -> None:
        last = self.state.steady(at) - self.map.rules.reopen_seconds
        many = 1 + sum(self.state.steady(moment) >= last for moment in incident.reopened)
        data = {"incident": incident.id, "checks": checks, "reopenings": incident.reopenings + 1}
        self._write(Kind.INCIDENT_REOPENED, data, at)
        if incident.vetoed or incident.stage is None:
            return
        if many >= self.map.rules.flapping_reopenings and not incident.flapping:
            self._write(Kind.INCIDENT_FLAPPING, {"incident": incident.id, "reopenings": incident.reopenings}, at)
            stage = incident.stage if incident.stage in OPEN else Stage.INVESTIGATING
            self._post(incident, stage, wording.flapping(self.map, incident, self._until(at)), at)
        elif incident.stage not in OPEN:
            self._post(
                incident,
                Stage.INVESTIGATING,
                wording.reopened(self.map, incident, self._downs(incident), self._until(at)),
                at,
            )

    # -- what is due --------------------------------------------------------------------------------------------

    def _go_on(self, incident: Incident, now: datetime, steady: float) -> None:
        if incident.stage is None:
            if steady - incident.steady["opened"] >= GATHER_SECONDS:
                body = wording.investigating(self.map, incident, self._downs(incident), self._until(now))
                self._post(incident, Stage.INVESTIGATING, body, now)
            return
        if incident.stage in OPEN:
            if self._recovered(incident, steady):
                self._write(Kind.INCIDENT_RECOVERED, {"incident": incident.id}, now)
                body = wording.monitoring(self.map, incident, self.map.rules.quiet_seconds / 60)
                self._post(incident, Stage.MONITORING, body, now)
                return
            self._tell(incident, now, steady)
        elif (
            not self.state.checks_of(incident)
            and steady - incident.steady["monitoring"] >= self.map.rules.quiet_seconds
        ):
            end = incident.recovered_at or incident.monitoring_at or now
            lasted = max((end - incident.opened_at).total_seconds(), 0)
            self._post(incident, Stage.RESOLVED, wording.resolved(self.map, incident, lasted), now, promise=False)
            return
        self._keep_promise(incident, now, steady)

    def _recovered(self, incident: Incident, steady: float) -> bool:
        """Every check good for the settling time, and nothing that a person has set still stands."""
        if not incident.checks or self.state.checks_of(incident) or incident.by_hand:
            return False
        rules = self.map.rules  # what came back once has to stay good for longer before we say so again
        wait = rules.quiet_seconds if incident.flapping else rules.settle_seconds * 4**incident.reopenings
        return steady - incident.steady.get("up", steady) >= min(wait, rules.quiet_seconds)

    def _tell(self, incident: Incident, now: datetime, steady: float) -> None:
        """Posts of new evidence: a provider's change, traffic moved, more squares than the last post named."""
        stage = incident.stage or Stage.INVESTIGATING
        drifts = [
            drift
            for drift in (self.state.drifts[one] for one in incident.drifts)
            if drift.change is None and drift.what != UNREADABLE and f"drift:{drift.id}" not in incident.told
        ]
        if drifts and (stage is Stage.INVESTIGATING or not any(one.startswith("drift:") for one in incident.told)):
            body = wording.identified(self.map, drifts, self._until(now))
            self._post(incident, Stage.IDENTIFIED, body, now, about=[f"drift:{drift.id}" for drift in drifts])
            return
        failovers = [
            failover
            for failover in (self.state.failovers[one] for one in incident.failovers)
            if failover.done_at is not None and failover.moved and f"failover:{failover.id}" not in incident.told
        ]
        deciding = any(self.state.failovers[one].done_at is None for one in incident.failovers)
        if failovers and not deciding:
            body = wording.moved(self.map, failovers, self._until(now))
            self._post(incident, stage, body, now, about=[f"failover:{failover.id}" for failover in failovers])
            return
        told = incident.posts[-1].squares
        settled = steady - incident.steady.get("grew", 0.0) >= SCOPE_SECONDS
        if settled and not incident.flapping and any(square not in told for square in incident.squares):
            self._post(incident, stage, wording.grown(self.map, incident, self._until(now)), now)

    def _keep_promise(self, incident: Incident, now: datetime, steady: float) -> None:
        """The holding post when the promised time has come and nobody has written."""
        last = incident.posts[-1]
        if last.next_update_at is None or incident.over:
            return
        promised = (last.next_update_at - last.at).total_seconds()
        if steady - last.steady >= promised:
            body = wording.holding(self.map, incident, self._downs(incident), self._until(now))
            self._post(incident, incident.stage or Stage.INVESTIGATING, body, now)

    def _draft(self, incident: Incident, now: datetime) -> None:
        upto = self.state.position
        text = postmortem.draft(self.map, self.log.after(), incident.id, upto=upto)
        self._write(Kind.POSTMORTEM_DRAFTED, {"incident": incident.id, "draft": text, "upto": upto}, now)

    def _maintain(self, now: datetime) -> None:
        for one in list(self.state.maintenances.values()):
            if one.state == "scheduled" and now >= one.starts_at:
                self._write(Kind.MAINTENANCE_STARTED, {"maintenance": one.id}, now)
            if one.state == "in_progress" and now >= one.ends_at:
                self._write(Kind.MAINTENANCE_ENDED, {"maintenance": one.id}, now)

    # -- writing ------------------------------------------------------------------------------------------------

    def _post(
        self,
        incident: Incident,
        stage: Stage,
        body: str,
        now: datetime,
        *,
        about: Sequence[str] = (),
        promise: bool = True,
    ) -> None:
        number = len(incident.posts) + 1
        squares: Mapping[Square, Status] = incident.squares
        if stage in (Stage.MONITORING, Stage.RESOLVED):
            squares = dict.fromkeys(incident.squares, Status.OPERATIONAL)
        until = self._until(now).isoformat() if promise else None
        data = {
            "incident": incident.id,
            "update": f"{incident.id}-{number}",
            "status": stage,
            "body": body,
            "squares": listed(squares),
            "author": AUTOMATIC,
            "next_update_at": until,
            "notify": True,
            "about": list(about),
        }
        self._write(Kind.POST, data, now, key=f"post:{incident.id}:{number}")

    def _until(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self.map.rules.update_seconds)

    def _downs(self, incident: Incident) -> list[Entry]:
        return [self.state.checks_down[check] for check in self.state.checks_of(incident)]

    def _write(self, kind: Kind, data: Mapping[str, Any], at: datetime, *, key: str | None = None) -> None:
        entry = self.log.append(kind, data, at=at, key=key)
        if entry.position > self.state.position:
            self.state.apply(entry)

    def _writing(self) -> _Writing:
        return _Writing(self)


class _Writing:
    """A transaction that begins with reading what others wrote, and whose failure takes back what the state was told."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.transaction = engine.log.transaction()

    def __enter__(self) -> None:
        self.transaction.__enter__()
        self.engine.sync()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        failed = True
        try:
            swallowed = self.transaction.__exit__(kind, error, trace)
            failed = kind is not None
            return swallowed
        finally:
            if failed:
                self.engine.state = State(self.engine.map, self.engine.log.after())


def _votes(finding: CheckDown | CheckUp) -> dict[str, Any]:
    votes = [{**dataclasses.asdict(vote), "age_seconds": round(vote.age_seconds, 2)} for vote in finding.votes]
    return {"check": finding.check, "votes": votes}
