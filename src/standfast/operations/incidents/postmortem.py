"""A draft postmortem from the log alone: the same entries give the same bytes, every line of the timeline names its entry.

Nothing is guessed: what the log does not hold is listed as unknown. What a person writes is kept beside the draft.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from standfast.operations.incidents import wording
from standfast.operations.incidents.entries import Kind
from standfast.operations.incidents.records import Incident
from standfast.operations.incidents.state import AUTOMATIC, State
from standfast.operations.log import Entry
from standfast.operations.map import Map, Square


def draft(the_map: Map, entries: Iterable[Entry], incident_id: str, *, upto: int) -> str:
    """The draft, as Markdown, from the entries up to a position. Raises KeyError where there is no such incident."""
    known = [entry for entry in entries if entry.position <= upto]
    state = State(the_map, known)
    incident = state.incidents[incident_id]
    first = next(
        entry for entry in known if entry.kind == Kind.INCIDENT_OPENED and entry.data["incident"] == incident_id
    )
    last = max((post.position for post in incident.posts), default=first.position)
    scope = [entry for entry in _from(known, first, incident) if entry.position <= max(last, first.position)]
    parts = [
        f"# Postmortem: {incident.title}",
        f"Drafted from the operations log, entries {scope[0].position} to {upto}. "
        "Every line of the timeline names its entry. A person has not reviewed this text.",
        "## Summary\n\n" + _summary(the_map, state, incident, scope),
        "## Affected\n\n" + _affected(the_map, state, incident),
        "## Timeline\n\n" + _timeline(the_map, incident, scope),
        "## What each vantage saw\n\n" + _vantages(the_map, incident, scope),
        "## Changes at providers\n\n" + _drifts(the_map, state, incident),
        "## What we did\n\n" + _actions(the_map, state, incident),
        "## Losses\n\n" + _losses(incident),
        "## Not known\n\n" + _unknown(state, incident),
    ]
    return "\n\n".join(parts) + "\n"


def _from(known: Sequence[Entry], first: Entry, incident: Incident) -> list[Entry]:
    """The entries that belong to the incident: from its first failing check, its own and the evidence between."""
    evidence = {Kind.CHECK_DOWN, Kind.CHECK_UP}
    start = first.position
    for entry in reversed(known):  # the check whose fall opened it stands just before
        if entry.position < first.position:
            if entry.kind == Kind.CHECK_DOWN and entry.data["check"] in incident.checks:
                start = entry.position
            break
    failovers, drifts = set(incident.failovers), set(incident.drifts)
    found = []
    for entry in known:
        data = entry.data
        own = data.get("incident") == incident.id or str(data.get("update", "")).rpartition("-")[0] == incident.id
        check = entry.kind in evidence and data["check"] in incident.checks
        action = data.get("failover") in failovers or data.get("drift") in drifts
        around = entry.kind in (Kind.VANTAGE_ABSENT, Kind.VANTAGE_BACK, Kind.BLIND, Kind.SIGHTED, Kind.GAP)
        if action or (entry.position >= start and (own or check or around)):
            found.append(entry)
    return found


def _summary(the_map: Map, state: State, incident: Incident, scope: Sequence[Entry]) -> str:
    opened = incident.opened_at
    fell = next((entry for entry in scope if entry.kind == Kind.CHECK_DOWN), None)
    lines = [
        f"- Detected: {wording.at(the_map, opened)}, by {_quorum(fell)}." if fell else f"- Opened by hand: {opened}."
    ]
    if fell is not None:
        seconds = max((vote["failures"] for vote in fell.data["votes"]), default=0) * the_map.rules.interval_seconds
        lines.append(
            f"- First failing probes: up to {wording.lasting(seconds)} before that; nothing earlier is on record."
        )
    if incident.posts:
        lines.append(f"- First public post: {_after(opened, incident.posts[0].at)} after detection.")
    moved = [state.failovers[one] for one in incident.failovers if state.failovers[one].done_at]
    if moved and moved[0].done_at:
        lines.append(f"- Traffic moved: {_after(opened, moved[0].done_at)} after detection.")
    if incident.recovered_at:
        lines.append(f"- All checks good again: {_after(opened, incident.recovered_at)} after detection.")
    if incident.resolved_at:
        lines.append(f"- Resolved: {_after(opened, incident.resolved_at)} after detection.")
    share, _ = state.hit(incident.squares)
    lines.append(f"- Impact: {incident.impact.value}; clusters with {100 * share:.0f} % of the accounts were affected.")
    if incident.flapping or incident.reopened:
        lines.append(f"- Reopened {incident.reopenings} times{', flapping' if incident.flapping else ''}.")
    return "\n".join(lines)


def _affected(the_map: Map, state: State, incident: Incident) -> str:
    """How long each was out, from the matrix's own intervals; what was out alike stands in one row."""
    end = incident.resolved_at or state.updated_at or incident.opened_at
    seconds = dict.fromkeys(incident.squares, 0.0)
    for interval in state.history:
        if interval.square in seconds and interval.status in wording.LABELS:
            since, until = max(interval.since, incident.opened_at), min(interval.until or end, end)
            seconds[interval.square] += max((until - since).total_seconds(), 0)
    by_component: dict[tuple[str, str, str], list[Square]] = {}
    for square, worst in incident.squares.items():
        key = (square.component, worst.label, wording.lasting(seconds[square]))
        by_component.setdefault(key, []).append(square)
    alike: dict[tuple[str, str, str], list[Square]] = {}
    for (_, worst_label, lasted), squares in by_component.items():
        alike.setdefault((wording.clusters(the_map, squares), worst_label, lasted), []).extend(squares)
    rows = [
        f"| {_named(the_map, squares)} | {clusters} | {worst_label} | {lasted} |"
        for (clusters, worst_label, lasted), squares in alike.items()
    ]
    return "\n".join(["| Components | Clusters | At worst | For |", "|---|---|---|---|", *rows])


def _named(the_map: Map, squares: Sequence[Square]) -> str:
    hit = {square.component for square in squares}
    names = [part.name for part in the_map.components if part.id in hit]
    return "All services" if len(names) == len(the_map.components) > 1 else wording.enumerated(names)


def _timeline(the_map: Map, incident: Incident, scope: Sequence[Entry]) -> str:
    lines = []
    for entry in scope:
        describe = _LINES.get(entry.kind)
        if describe is not None:
            seconds = (entry.at - incident.opened_at).total_seconds()
            lines.append(
                f"- {entry.at:%H:%M:%S} UTC ({seconds:+.0f} s) {describe(the_map, entry)} [entry {entry.position}]"
            )
    return "\n".join(lines)


def _vantages(the_map: Map, incident: Incident, scope: Sequence[Entry]) -> str:
    lines = []
    for vantage in the_map.vantages:
        seen = []
        for entry in scope:
            if entry.kind == Kind.CHECK_DOWN:
                for vote in entry.data["votes"]:
                    if vote["vantage"] == vantage.id:
                        what = wording.REASONS.get(vote["reason"], vote["reason"]) if vote["failures"] else "good"
                        detail = f" ({vote['detail']})" if vote["failures"] and vote["detail"] else ""
                        seen.append(f"  - {_name(the_map, entry)}: {what}{detail} [entry {entry.position}]")
        lines.append(f"- {vantage.name}:" + ("\n" + "\n".join(seen) if seen else " did not vote"))
    return "\n".join(lines)


def _drifts(the_map: Map, state: State, incident: Incident) -> str:
    lines = []
    for drift in (state.drifts[one] for one in incident.drifts):
        whose = (
            f"explained by our change {drift.change}" if drift.change else "unannounced: no change of ours explains it"
        )
        lines.append(f"- {wording.drift_line(the_map, drift)} ({whose}) [entry {drift.position}]")
    return "\n".join(lines) or "None was seen."


def _actions(the_map: Map, state: State, incident: Incident) -> str:
    lines = []
    for failover in (state.failovers[one] for one in incident.failovers):
        lines.append(
            f"- {failover.pool} to {failover.target} (generation {failover.generation}), because {failover.why}; "
            f"by {failover.by} [entry {failover.position}]"
        )
        for provider, row in failover.providers.items():
            lines.append(
                f"  - {provider}: {row['outcome']} in {row['milliseconds']:.0f} ms {row.get('detail', '')}".rstrip()
            )
    hands = [post for post in incident.posts if post.author != AUTOMATIC]
    lines += [f"- {post.author} posted “{post.status.value}” [entry {post.position}]" for post in hands]
    return "\n".join(lines) or "No traffic was moved and no person acted."


def _losses(incident: Incident) -> str:
    lines = [
        f"- {row['what'].capitalize()}: {'unknown' if row['number'] is None else format(row['number'], ',')}"
        f" (source: {row['source']}) [entry {row['position']}]"
        for row in incident.counted
    ]
    return "\n".join(lines) or "- Unknown: no counter was read during this incident."


def _unknown(state: State, incident: Incident) -> str:
    lines = []
    if not incident.drifts:
        lines.append("- The cause: no change at a provider was seen, and the monitor sees symptoms only.")
    else:
        lines.append("- Why the provider's state changed: the monitor sees what changed, not why.")
    if not incident.counted:
        lines.append("- How many messages were delayed and whether events were lost: not counted.")
    lines += [
        f"- {row['what'].capitalize()}: the source gave no number." for row in incident.counted if row["number"] is None
    ]
    for since, until in state.blind:
        if since >= incident.opened_at and until <= (incident.resolved_at or until):
            lines.append(f"- What happened from {since:%H:%M:%S} to {until:%H:%M:%S} UTC: too few vantages reported.")
    lines.append("- What the affected people noticed: ask them.")
    return "\n".join(lines)


def _quorum(entry: Entry) -> str:
    votes = entry.data["votes"]
    return f"{sum(1 for vote in votes if vote['failures'])} of {len(votes)} reporting vantages"


def _after(first: datetime, then: datetime) -> str:
    return wording.lasting(max((then - first).total_seconds(), 0))


def _name(the_map: Map, entry: Entry) -> str:
    names = {check.id: check.name for check in the_map.checks}
    return names.get(entry.data["check"], str(entry.data["check"]))


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""


def _failover_provider(_: Map, entry: Entry) -> str:
    data: Mapping[str, Any] = entry.data
    return f"{data['provider']}: {data['outcome']}, {', '.join(data['addresses'])}"


_LINES: dict[str, Callable[[Map, Entry], str]] = {
    Kind.CHECK_DOWN: lambda the_map, entry: f"{_name(the_map, entry)} down, seen by {_quorum(entry)}",
    Kind.CHECK_UP: lambda the_map, entry: f"{_name(the_map, entry)} up again",
    Kind.VANTAGE_ABSENT: lambda _, entry: f"vantage {entry.data['vantage']} not counted: {entry.data['why']}",
    Kind.VANTAGE_BACK: lambda _, entry: f"vantage {entry.data['vantage']} counted again",
    Kind.BLIND: lambda _, entry: f"only {entry.data['reporting']} vantages report: nothing is judged",
    Kind.SIGHTED: lambda _, entry: f"{entry.data['reporting']} vantages report again",
    Kind.GAP: lambda _, entry: f"the monitor {entry.data['why']}: {entry.data['seconds']:.0f} s",
    Kind.DRIFT_FOUND: lambda the_map, entry: (
        f"at {entry.data['provider']}: {entry.data['subject']} {entry.data['what']}"
    ),
    Kind.DRIFT_GONE: lambda _, entry: f"as declared again: {entry.data['drift']}",
    Kind.FAILOVER_DECIDED: lambda _, entry: (
        f"{entry.data['pool']} to {entry.data['target']} decided by {entry.data['by']}"
    ),
    Kind.FAILOVER_PROVIDER: _failover_provider,
    Kind.FAILOVER_DONE: lambda _, entry: f"moved at {', '.join(entry.data['changed']) or 'no provider'}",
    Kind.FAILOVER_REFUSED: lambda _, entry: f"{entry.data['pool']} not moved: {entry.data['why']}",
    Kind.INCIDENT_OPENED: lambda _, entry: f"incident opened: {entry.data['title']}",
    Kind.INCIDENT_GREW: lambda _, entry: f"more affected: {', '.join(entry.data['checks'])}",
    Kind.INCIDENT_REOPENED: lambda _, entry: f"again: {', '.join(entry.data['checks'])}",
    Kind.INCIDENT_FLAPPING: lambda _, entry: f"flapping after {entry.data['reopenings']} reopenings",
    Kind.INCIDENT_RECOVERED: lambda _, __: "all checks good for the settling time",
    Kind.POST: lambda _, entry: (
        f"posted “{entry.data['status']}” by {entry.data['author']}: {_first_line(entry.data['body'])}"
    ),
    Kind.POST_EDITED: lambda _, entry: f"{entry.data['update']} edited by {entry.data['author']}",
    Kind.COUNTED: lambda _, entry: (
        f"{entry.data['what']}: {'unknown' if entry.data['number'] is None else entry.data['number']}"
    ),
}
