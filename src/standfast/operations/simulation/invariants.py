"""What must hold after a run, whatever the weather was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from standfast.operations.incidents.entries import LEGAL, Kind, Stage
from standfast.operations.incidents.state import State
from standfast.operations.log import Entry, Log
from standfast.operations.map import Map
from standfast.operations.simulation.provider import Provider
from standfast.operations.simulation.weather import Outage, Weather, is_real

if TYPE_CHECKING:
    from standfast.operations.simulation.process import Disk, Process, Receivers

FIND_SECONDS = 10.0
FORGET_SECONDS = 6.0  # a check may still be called down for so long after an outage: reports are under way
TELL_SECONDS = 4.0  # a promised update may be late by so much


@dataclass(frozen=True, slots=True)
class Run:
    map: Map
    weather: Weather
    disk: Disk
    process: Process
    receivers: Receivers
    providers: Sequence[Provider]
    subscribers: Sequence[str]
    logs: Sequence[Log]  # ours and those of the rivals


@dataclass(slots=True)
class Found:
    broken: list[str] = field(default_factory=list)
    seconds_to_find: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def broken(run: Run) -> Found:
    """Look at everything."""
    entries = run.disk.after()
    found = Found(counts=dict(Counter(entry.kind for entry in entries)))
    for part in (
        _chain(run),
        _outages_are_found(run, entries, found.seconds_to_find),
        _nothing_is_made_up(run, entries),
        _one_incident_for_a_failure(entries),
        _lifecycle(run, entries),
        _promises(run, entries),
        _all_is_over(run, entries),
        _each_is_told_once(run, entries),
        _pools(run),
    ):
        found.broken += part
    return found


def _chain(run: Run) -> Iterator[str]:
    if (position := run.disk.broken_at()) is not None:
        yield f"the log's chain is broken at {position}"
    ours, folded = run.process.engine.state, State(run.map, run.disk.after())
    ours_now = (ours.squares, {one.id: one.stage for one in ours.incidents.values()}, ours.targets)
    folded_now = (folded.squares, {one.id: one.stage for one in folded.incidents.values()}, folded.targets)
    run.process.engine.sync()
    if ours.position == folded.position and ours_now != folded_now:
        yield "the running state is not the fold of the log"


def _times(run: Run, entries: Sequence[Entry], kind: Kind, check: str) -> list[float]:
    return [run.disk.times[one.position] for one in entries if one.kind == kind and one.data["check"] == check]


def _outages_are_found(run: Run, entries: Sequence[Entry], seconds: list[float]) -> Iterator[str]:
    """Every real outage that lasts is found in time, counted anew after we were stopped, killed, or fewer than three saw."""
    for outage in run.weather.outages:
        if not is_real(outage):
            continue
        deadline = calm = outage.begin + FIND_SECONDS + (4.0 if run.weather.report_loss else 0.0)
        for begin, end in sorted([*run.process.disturbed, *run.weather.stops, *_restarts(run.weather)]):
            if begin < deadline and end > outage.begin - FIND_SECONDS:
                deadline = max(deadline, end + FIND_SECONDS)
        if outage.end < deadline:
            continue
        downs = _times(run, entries, Kind.CHECK_DOWN, outage.check)
        ups = _times(run, entries, Kind.CHECK_UP, outage.check)
        before = sum(at < outage.begin for at in downs) - sum(at < outage.begin for at in ups)
        hits = [at for at in downs if outage.begin <= at <= deadline]
        if not hits and not before:
            yield f"{outage.check} was down from {outage.begin:.1f} to {outage.end:.1f} and was not found by {deadline:.1f}"
        seconds += [hit - outage.begin for hit in hits[:1] if not before and deadline == calm]


def _restarts(weather: Weather) -> list[tuple[float, float]]:
    return [(one.begin, one.end) for one in weather.absences]


def _nothing_is_made_up(run: Run, entries: Sequence[Entry]) -> Iterator[str]:
    """A check is called down only while a majority cannot reach it, and no incident opens without that."""
    for entry in entries:
        if entry.kind == Kind.CHECK_DOWN and not _explained(run, entry):
            yield f"{entry.data['check']} was called down at {run.disk.times[entry.position]:.1f} and was not"
    if run.weather.quiet and any(entry.kind in (Kind.INCIDENT_OPENED, Kind.POST) for entry in entries):
        yield "an incident without an outage"


def _explained(run: Run, entry: Entry) -> bool:
    at = run.disk.times[entry.position]

    def covers(outage: Outage) -> bool:
        late = max([end for begin, end in run.weather.stops if begin < outage.end + FORGET_SECONDS] or [0.0])
        ends = max(outage.end, late) + FORGET_SECONDS
        return outage.check == entry.data["check"] and is_real(outage) and outage.begin <= at <= ends

    return any(covers(outage) for outage in run.weather.outages)


def _one_incident_for_a_failure(entries: Sequence[Entry]) -> Iterator[str]:
    """Within the time in which an incident reopens, a check belongs to one: a flap is one incident."""
    of: dict[str, set[str]] = {}
    for entry in entries:
        if entry.kind in (Kind.INCIDENT_OPENED, Kind.INCIDENT_GREW, Kind.INCIDENT_REOPENED):
            for check in entry.data["checks"]:
                of.setdefault(check, set()).add(entry.data["incident"])
    yield from (f"{check} is in several incidents: {sorted(ids)}" for check, ids in of.items() if len(ids) > 1)


def _lifecycle(run: Run, entries: Sequence[Entry]) -> Iterator[str]:
    stages: dict[str, Stage | None] = {}
    updates: Counter[str] = Counter()
    for entry in entries:
        if entry.kind != Kind.POST:
            continue
        incident, stage = entry.data["incident"], Stage(entry.data["status"])
        if stage not in LEGAL[stages.get(incident)]:
            yield f"{incident}: {stages.get(incident)} to {stage}"
        stages[incident] = stage
        updates[entry.data["update"]] += 1
        if not entry.data["squares"]:
            yield f"{entry.data['update']} names no square"
        if stage is not Stage.RESOLVED and not entry.data["next_update_at"]:
            yield f"{entry.data['update']} promises no next update"
    yield from (f"{update} was posted {count} times" for update, count in updates.items() if count > 1)


def _promises(run: Run, entries: Sequence[Entry]) -> Iterator[str]:
    """The next post comes by the promised time, while somebody is there to write it."""
    promised = run.map.rules.update_seconds
    last: dict[str, float] = {}
    for entry in entries:
        if entry.kind == Kind.POST:
            at, incident = run.disk.times[entry.position], entry.data["incident"]
            if incident in last and at - last[incident] > promised + TELL_SECONDS:
                spans = [*run.process.disturbed, *run.weather.stops]
                if not any(begin <= at and end >= last[incident] for begin, end in spans):
                    yield f"{incident} promised an update within {promised:g} s, the next came after {at - last[incident]:.1f}"
            if Stage(entry.data["status"]) is Stage.RESOLVED:
                last.pop(incident, None)
            else:
                last[incident] = at


def _all_is_over(run: Run, entries: Sequence[Entry]) -> Iterator[str]:
    """At the end everything is good again: nothing is down, every incident is resolved and has its draft."""
    state = State(run.map, entries)
    if state.checks_down:
        yield f"still down at the end: {sorted(state.checks_down)}"
    for incident in state.incidents.values():
        if incident.stage is not Stage.RESOLVED:
            yield f"{incident.id} is {incident.stage} at the end"
        elif incident.draft is None:
            yield f"{incident.id} has no draft of a postmortem"


def _each_is_told_once(run: Run, entries: Sequence[Entry]) -> Iterator[str]:
    """Every update reached every subscriber under its one id; more often only where an outcome was unknown, and counted."""
    updates = [entry.data["update"] for entry in entries if entry.kind == Kind.POST]
    expected = {(url, f"{update}.s{number}") for update in updates for number, url in enumerate(run.subscribers)}
    arrived = run.receivers.arrived
    for url, message in sorted(expected - set(arrived)):
        yield f"{url} was not told {message}"
    for url, message in sorted(set(arrived) - expected):
        yield f"{url} was told {message}, which is no post"
    rows = run.disk.connection.execute("select update_id, subscriber, unknown, state from notification").fetchall()
    unknown = {f"{row['update_id']}.{row['subscriber']}": row["unknown"] for row in rows}
    for (_, message), count in arrived.items():
        if count > 1 + unknown.get(message, 0):
            yield f"{message} arrived {count} times, {unknown.get(message, 0)} outcomes were unknown"
    yield from (f"{row['update_id']}.{row['subscriber']} is {row['state']}" for row in rows if row["state"] != "done")


def _pools(run: Run) -> Iterator[str]:
    """Never empty, never back, one winner at every provider in the end."""
    for provider in run.providers:
        yield from provider.broken
        for _, standing in provider.history:
            if not standing.addresses:
                yield f"{provider.id} had no address"
    ends = {(provider.standing.addresses, provider.standing.fence) for provider in run.providers}
    if len(ends) != 1:
        yield f"providers disagree in the end: {sorted(ends)}"
    pool = run.map.pools[0]
    if any(set(addresses) not in (set(pool.primary), set(pool.standby)) for addresses, _ in ends):
        yield f"foreign addresses: {ends}"
    decided = [entry for log in run.logs for entry in log.after(kind=Kind.FAILOVER_DECIDED)]
    if decided:
        (_, fence) = next(iter(ends))
        winners = [one for one in decided if fence == (f"{one.data['generation']} {one.data['failover']}",)]
        newest = max(one.data["generation"] for one in decided)
        if len(winners) != 1:
            yield f"{len(winners)} controllers won: {fence}"
        elif winners[0].data["generation"] != newest and not run.weather.provider_away:
            yield f"generation {winners[0].data['generation']} stands, {newest} was decided"
