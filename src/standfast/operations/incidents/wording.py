"""The words of automatic posts: what was seen, by how many, what is hit, when the next word comes. Never a guess or an ETA."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from standfast.operations.incidents.records import Drift, Failover, Incident
from standfast.operations.log import Entry
from standfast.operations.map import Map, Square
from standfast.operations.status import Status

REASONS = {
    "refused": "connection refused",
    "timeout": "no answer in time",
    "reset": "connection reset",
    "unreachable": "no route",
    "unresolved": "the name does not resolve",
    "servfail": "the name servers answer SERVFAIL",
    "nxdomain": "the name servers say that the name does not exist",
    "empty": "the name servers answer without an address",
    "wrong_answer": "another answer than declared",
    "lame": "a name server does not serve the zone",
    "tls_expired": "the certificate has expired",
    "tls_name": "the certificate is for another name",
    "tls_issuer": "the certificate has another issuer than declared",
    "tls_pin": "the certificate has another key than declared",
    "tls_other": "no TLS session",
    "status": "error answers",
    "body": "an answer without what must be in it",
    "slow": "answers take too long",
    "greeting": "no proper greeting",
    "protocol": "answers that make no sense",
    "misconfigured": "the check cannot be run as written",
}
LABELS = {
    Status.MAJOR_OUTAGE: "unavailable",
    Status.PARTIAL_OUTAGE: "partly unavailable",
    Status.DEGRADED_PERFORMANCE: "degraded",
}


def title(the_map: Map, squares: Mapping[Square, Status]) -> str:
    """What is hit, in a line: "REST API Service unavailable in EU1"."""
    worst = max(squares.values(), key=lambda status: status.rank, default=Status.DEGRADED_PERFORMANCE)
    return f"{components(the_map, squares)} {LABELS.get(worst, 'degraded')} in {clusters(the_map, squares)}"


def components(the_map: Map, squares: Iterable[Square]) -> str:
    hit = {square.component for square in squares}
    names = [part.name for part in the_map.components if part.id in hit]
    if len(names) == len(the_map.components) and len(names) > 1:
        return "All services"
    return enumerated(names) if len(names) <= 3 else f"{len(names)} services"


def clusters(the_map: Map, squares: Iterable[Square]) -> str:
    hit = {square.cluster for square in squares}
    names = [cluster.name for cluster in the_map.clusters if cluster.id in hit]
    return "all clusters" if len(names) == len(the_map.clusters) and len(names) > 1 else enumerated(names)


def scope(the_map: Map, squares: Mapping[Square, Status]) -> str:
    """Every affected component with its clusters; components of the same clusters in one line."""
    by_clusters: dict[str, list[str]] = {}
    for part in the_map.components:
        own = [square for square in squares if square.component == part.id]
        if own:
            by_clusters.setdefault(clusters(the_map, own), []).append(part.name)
    return "\n".join(f"- {enumerated(names)}: {where}" for where, names in by_clusters.items())


def investigating(the_map: Map, incident: Incident, downs: Sequence[Entry], until: datetime) -> str:
    seen = "\n".join(f"- {line}" for line in evidence(the_map, downs))
    return "\n\n".join(
        part
        for part in (
            f"Our monitoring sees a service disruption since {at(the_map, incident.opened_at)}.",
            f"What it sees:\n{seen}" if seen else "",
            f"Affected:\n{scope(the_map, incident.squares)}",
            _next(the_map, until),
        )
        if part
    )


def evidence(the_map: Map, downs: Sequence[Entry], *, most: int = 4) -> list[str]:
    """One line for each check that is down: its name, why, and how many vantages agree."""
    lines = []
    names = {check.id: check.name for check in the_map.checks}
    for entry in downs[:most]:
        votes = entry.data["votes"]
        bad = [vote for vote in votes if vote["failures"]]
        reasons = [REASONS.get(vote["reason"], vote["reason"]) for vote in bad]
        common = max(set(reasons), key=lambda reason: (reasons.count(reason), reason), default="failing")
        lines.append(
            f"{names.get(entry.data['check'], entry.data['check'])}: {common} ({len(bad)} of {len(votes)} vantages)"
        )
    if len(downs) > most:
        lines.append(f"and {len(downs) - most} more checks")
    return lines


def reopened(the_map: Map, incident: Incident, downs: Sequence[Entry], until: datetime) -> str:
    seen = "\n".join(f"- {line}" for line in evidence(the_map, downs))
    return f"The disruption is back.\n\nWhat our monitoring sees:\n{seen}\n\n{_next(the_map, until)}"


def grown(the_map: Map, incident: Incident, until: datetime) -> str:
    return f"More is affected than we first saw:\n{scope(the_map, incident.squares)}\n\n{_next(the_map, until)}"


def flapping(the_map: Map, incident: Incident, until: datetime) -> str:
    return (
        f"The affected services come and go: {incident.reopenings + 1} interruptions so far. We keep this incident open "
        f"until they stay up, and will not post each change.\n\n{_next(the_map, until)}"
    )


def identified(the_map: Map, drifts: Sequence[Drift], until: datetime) -> str:
    lines = "\n".join(f"- {drift_line(the_map, drift)}" for drift in drifts)
    return (
        f"We see a change at a provider that we did not make and that was not announced to us:\n{lines}\n\n"
        f"{_next(the_map, until)}"
    )


def drift_line(the_map: Map, drift: Drift) -> str:
    names = {provider.id: provider.name for provider in the_map.providers}
    before, after = ", ".join(drift.before) or "nothing", ", ".join(drift.after) or "nothing"
    return f"{names.get(drift.provider, drift.provider)}: {drift.subject} {drift.what}, was {before}, is {after}"


def moved(the_map: Map, failovers: Sequence[Failover], until: datetime) -> str:
    records = {pool.id: pool.record.rstrip(".") for pool in the_map.pools}
    providers = {provider.id: provider.name for provider in the_map.providers}
    lines = []
    for failover in failovers:
        text = f"{records.get(failover.pool, failover.pool)} now leads to its {failover.target} addresses"
        if failover.left:
            text += f" (not yet at {enumerated([providers.get(one, one) for one in failover.left])})"
        lines.append(f"- {text}")
    return "We have moved traffic:\n" + "\n".join(lines) + f"\n\n{_next(the_map, until)}"


def holding(the_map: Map, incident: Incident, downs: Sequence[Entry], until: datetime) -> str:
    seen = "\n".join(f"- {line}" for line in evidence(the_map, downs))
    still = f"The disruption continues. Our monitoring still sees:\n{seen}" if seen else "We are still working on this."
    return f"{still}\n\n{_next(the_map, until)}"


def monitoring(the_map: Map, incident: Incident, minutes: float) -> str:
    return (
        "All checks of the affected services are good again from a majority of our vantages. "
        f"We keep watching and will close this incident once they have stayed so for {lasting(minutes * 60)}."
    )


def resolved(the_map: Map, incident: Incident, seconds: float) -> str:
    parts = [f"The affected services have stayed up. The disruption lasted {lasting(seconds)}."]
    for row in incident.counted:
        number = "unknown" if row["number"] is None else f"{row['number']:,}"
        parts.append(f"{row['what'].capitalize()}: {number}.")
    parts.append("A postmortem will follow on this page.")
    return " ".join(parts)


def at(the_map: Map, moment: datetime) -> str:
    """A time for people, in the page's time zone, UTC beside it where they differ."""
    local = moment.astimezone(ZoneInfo(the_map.page.time_zone))
    text = f"{local:%H:%M:%S %Z}"
    return text if local.utcoffset() == moment.utcoffset() else f"{text} ({moment:%H:%M:%S} UTC)"


def lasting(seconds: float) -> str:
    """A span for people: "47 seconds", "5 minutes", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} second{'' if whole == 1 else 's'}"
    minutes = whole // 60
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def enumerated(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _next(the_map: Map, until: datetime) -> str:
    return f"The next update comes by {at(the_map, until)}."
