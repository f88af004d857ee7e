"""What the log says is so: one fold over its entries, from which page, feeds, notifications and postmortem are made.

`State.apply` takes entries in order and never fails on one it does not know: an older program reads a newer log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from standfast.operations.incidents.entries import Impact, Kind, Stage
from standfast.operations.incidents.records import Drift, Failover, Incident, Interval, Maintenance, Post
from standfast.operations.log import Entry
from standfast.operations.map import Map, Square
from standfast.operations.status import Status

AUTOMATIC = "automatic"
OPEN = (Stage.INVESTIGATING, Stage.IDENTIFIED)  # the outage is still on
# How much of an outage a status is, for the overall indicator.
WEIGHT = {Status.MAJOR_OUTAGE: 1.0, Status.PARTIAL_OUTAGE: 0.3, Status.DEGRADED_PERFORMANCE: 0.1}


class State:
    """The fold. Read its attributes; change it only by `apply`."""

    def __init__(self, the_map: Map, entries: Iterable[Entry] = ()) -> None:
        self.map = the_map
        self.position = 0
        self.updated_at: datetime | None = None
        self.started_at: datetime | None = None
        self.squares: dict[Square, Status] = {}
        self.history: list[Interval] = []
        self.checks_down: dict[str, Entry] = {}  # check -> the entry with its votes
        self.vantages: dict[str, str | None] = {vantage.id: None for vantage in the_map.vantages}
        self.blind_since: datetime | None = None
        self.blind: list[tuple[datetime, datetime]] = []  # nobody could judge
        self.incidents: dict[str, Incident] = {}
        self.maintenances: dict[str, Maintenance] = {}
        self.changes: dict[str, Mapping[str, Any]] = {}
        self.drifts: dict[str, Drift] = {}
        self.failovers: dict[str, Failover] = {}
        self.targets: dict[str, str] = {pool.id: "primary" for pool in the_map.pools}
        self.orders: dict[str, Mapping[str, Any]] = {}  # pool -> the failover a person ordered and nobody has begun
        self.refused: dict[str, int] = {}  # pool -> position of the last refused failover
        self.jumped_seconds = 0.0  # what the wall clock has jumped so far
        self._open: dict[Square, Interval] = {}
        self._monitored = the_map.monitored
        self._checks = {check.id: check for check in the_map.checks}
        for entry in entries:
            self.apply(entry)

    @property
    def active(self) -> list[Incident]:
        """The incidents that are on, newest first, posted or not."""
        return [one for one in reversed(self.incidents.values()) if not one.over]

    def apply(self, entry: Entry) -> None:
        """Take the next entry."""
        if self.started_at is None:
            self.started_at = entry.at
        handler = _HANDLERS.get(entry.kind)
        if handler is not None:
            handler(self, entry)
        if entry.kind in _TURNING or not self.squares:
            self._judge(entry.at)
        self.position, self.updated_at = entry.position, entry.at

    def steady(self, at: datetime) -> float:
        """A wall time of now as seconds on a scale without the wall clock's jumps."""
        return at.timestamp() - self.jumped_seconds

    def checks_of(self, incident: Incident) -> list[str]:
        """The incident's checks that are down now."""
        return [check for check in incident.checks if check in self.checks_down]

    def incident_of(self, update: str) -> Incident | None:
        return self.incidents.get(update.rpartition("-")[0])

    def hit(self, squares: Mapping[Square, Status]) -> tuple[float, float]:
        """(share of accounts in clusters with any outage, depth: the same weighed by how many components are out)."""
        total = sum(cluster.accounts for cluster in self.map.clusters) or 1
        share = depth = 0.0
        for cluster in self.map.clusters:
            weights = [
                WEIGHT.get(squares.get(Square(part.id, cluster.id), Status.OPERATIONAL), 0.0)
                for part in self.map.components
            ]
            if any(weights):
                share += cluster.accounts / total
                depth += cluster.accounts / total * sum(weights) / len(weights)
        return share, depth

    def impact(self, squares: Mapping[Square, Status]) -> Impact:
        """Critical where half of everything is out, major from a tenth of it or half of the accounts, else minor."""
        share, depth = self.hit(squares)
        if depth >= 0.5:
            return Impact.CRITICAL
        if depth >= 0.1 or share >= 0.5:
            return Impact.MAJOR
        return Impact.MINOR if share else Impact.NONE

    def indicator(self) -> tuple[str, str]:
        """The overall state: (none | minor | major | critical | maintenance, words)."""
        impact = self.impact(self.squares)
        if impact is not Impact.NONE:
            share, _ = self.hit(self.squares)
            words = {
                Impact.MINOR: "Minor service outage",
                Impact.MAJOR: "Partial system outage",
                Impact.CRITICAL: "Major system outage",
            }[impact]
            return impact.value, f"{words}, {_percent(share)} of accounts affected"
        if Status.UNDER_MAINTENANCE in self.squares.values():
            return "maintenance", "Maintenance in progress"
        if Status.NOT_MONITORED in self.squares.values():
            return "none", "All monitored systems operational"
        return "none", "All systems operational"

    # -- how entries change it ------------------------------------------------------------------------------------

    def _judge(self, at: datetime) -> None:
        """The matrix as it follows from checks, persons' posts and maintenance; changes go to the history."""
        worst = self._worst()
        maintained = {
            square for one in self.maintenances.values() if one.state == "in_progress" for square in one.squares
        }
        for square in self.map.squares:
            if square in maintained:
                status = Status.UNDER_MAINTENANCE
            elif square in worst:
                status = worst[square]
            else:
                status = Status.OPERATIONAL if square in self._monitored else Status.NOT_MONITORED
            if self.squares.get(square) is not status:
                self._turn(square, status, at)
        for incident in self.active:
            for check_id in self.checks_of(incident):
                for square in self._checks[check_id].squares if check_id in self._checks else ():
                    _worsen(incident.squares, square, self._checks[check_id].status)

    def _worst(self) -> dict[Square, Status]:
        worst: dict[Square, Status] = {}
        for check_id in self.checks_down:
            check = self._checks.get(check_id)
            if check is not None and not self._vetoed(check_id):
                for square in check.squares:
                    _worsen(worst, square, check.status)
        for incident in self.active:
            if incident.stage in OPEN:
                for square, status in incident.by_hand.items():
                    _worsen(worst, square, status)
        return worst

    def _turn(self, square: Square, status: Status, at: datetime) -> None:
        before = self._open.get(square)
        if before is not None:
            before.until = at
        self.squares[square] = status
        self._open[square] = interval = Interval(square, status, at)
        self.history.append(interval)

    def _vetoed(self, check_id: str) -> bool:
        """A person said that this failure is none of the public's: the newest incident with the check is vetoed."""
        for incident in reversed(self.incidents.values()):
            if check_id in incident.checks:
                return incident.vetoed
        return False

    def _on_check(self, entry: Entry) -> None:
        if entry.kind == Kind.CHECK_DOWN:
            self.checks_down[entry.data["check"]] = entry
        else:
            self.checks_down.pop(entry.data["check"], None)
            for incident in self.incidents.values():
                if entry.data["check"] in incident.checks:
                    incident.steady["up"] = self.steady(entry.at)

    def _on_vantage(self, entry: Entry) -> None:
        self.vantages[entry.data["vantage"]] = entry.data["why"] if entry.kind == Kind.VANTAGE_ABSENT else None

    def _on_sight(self, entry: Entry) -> None:
        if entry.kind == Kind.BLIND:
            self.blind_since = self.blind_since or entry.at
        elif self.blind_since is not None:
            self.blind.append((self.blind_since, entry.at))
            self.blind_since = None

    def _on_gap(self, entry: Entry) -> None:
        if entry.data["why"] == "clock jumped":
            self.jumped_seconds += entry.data["seconds"]

    def _on_opened(self, entry: Entry) -> None:
        data = entry.data
        incident = Incident(data["incident"], data["title"], entry.at, Impact(data["impact"]))
        self.incidents[incident.id] = incident
        incident.steady["opened"] = self.steady(entry.at)
        incident.drifts = [drift.id for drift in self.drifts.values() if drift.gone_at is None]
        self._grow(incident, data)

    def _on_grew(self, entry: Entry) -> None:
        incident = self.incidents.get(entry.data["incident"])
        if incident is not None:
            self._grow(incident, entry.data)
            incident.steady["grew"] = self.steady(entry.at)
            incident.impact = _worse(incident.impact, Impact(entry.data.get("impact", incident.impact)))
            incident.title = entry.data.get("title", incident.title)

    def _grow(self, incident: Incident, data: Mapping[str, Any]) -> None:
        incident.checks += [check for check in data["checks"] if check not in incident.checks]
        for square, status in _squares(data["squares"]).items():
            _worsen(incident.squares, square, status)

    def _on_reopened(self, entry: Entry) -> None:
        incident = self.incidents.get(entry.data["incident"])
        if incident is not None:
            incident.reopened.append(entry.at)
            incident.steady["reopened"] = self.steady(entry.at)
            incident.recovered_at = None

    def _on_flapping(self, entry: Entry) -> None:
        if entry.data["incident"] in self.incidents:
            self.incidents[entry.data["incident"]].flapping = True

    def _on_recovered(self, entry: Entry) -> None:
        if entry.data["incident"] in self.incidents:
            self.incidents[entry.data["incident"]].recovered_at = entry.at

    def _on_post(self, entry: Entry) -> None:
        data = entry.data
        incident = self.incidents.get(data["incident"])
        if incident is None:
            return
        stage, squares = Stage(data["status"]), _squares(data["squares"])
        until = datetime.fromisoformat(data["next_update_at"]) if data.get("next_update_at") else None
        incident.posts.append(
            Post(
                data["update"], stage, data["body"], entry.at, data["author"], squares, entry.position, until,
                bool(data.get("notify", True)),
            )
        )  # fmt: skip
        incident.stage, incident.next_update_at = stage, until
        incident.posts[-1].about = tuple(data.get("about", ()))
        incident.posts[-1].steady = self.steady(entry.at)
        if data["author"] != AUTOMATIC:
            incident.by_hand = {square: status for square, status in squares.items() if status in WEIGHT}
        for square, status in squares.items():
            if status in WEIGHT:
                _worsen(incident.squares, square, status)
        if stage in OPEN:
            incident.monitoring_at = incident.resolved_at = None
            incident.steady.pop("monitoring", None)
            incident.steady.pop("resolved", None)
        elif stage is Stage.MONITORING:
            incident.monitoring_at = incident.monitoring_at or entry.at
            incident.steady.setdefault("monitoring", self.steady(entry.at))
        elif stage is Stage.RESOLVED:
            incident.resolved_at = incident.resolved_at or entry.at
            incident.steady.setdefault("resolved", self.steady(entry.at))

    def _on_edited(self, entry: Entry) -> None:
        incident = self.incident_of(entry.data["update"])
        for post in incident.posts if incident else ():
            if post.update == entry.data["update"]:
                post.body, post.edited_at = entry.data["body"], entry.at

    def _on_vetoed(self, entry: Entry) -> None:
        incident = self.incident_of(entry.data["update"])
        if incident is not None:
            incident.vetoed = True

    def _on_maintenance(self, entry: Entry) -> None:
        data = entry.data
        known = self.maintenances.get(data["maintenance"])
        if entry.kind == Kind.MAINTENANCE_SCHEDULED:
            self.maintenances[data["maintenance"]] = Maintenance(
                data["maintenance"], data["title"], data["body"], list(_squares(data["squares"])),
                datetime.fromisoformat(data["starts_at"]), datetime.fromisoformat(data["ends_at"]),
                data["author"], entry.at, entry.at,
            )  # fmt: skip
        elif known is not None:
            known.updated_at = entry.at
            if entry.kind == Kind.MAINTENANCE_CHANGED:
                known.title, known.body = data.get("title", known.title), data.get("body", known.body)
                known.squares = list(_squares(data["squares"])) if "squares" in data else known.squares
                known.starts_at = datetime.fromisoformat(data["starts_at"]) if "starts_at" in data else known.starts_at
                known.ends_at = datetime.fromisoformat(data["ends_at"]) if "ends_at" in data else known.ends_at
            elif entry.kind == Kind.MAINTENANCE_STARTED:
                known.state, known.started_at = "in_progress", entry.at
            elif entry.kind == Kind.MAINTENANCE_ENDED:
                known.state, known.ended_at = "completed", entry.at
            else:
                known.state = "cancelled"

    def _on_change(self, entry: Entry) -> None:
        self.changes[entry.data["change"]] = {**entry.data, "at": entry.at}

    def _on_drift(self, entry: Entry) -> None:
        data = entry.data
        if entry.kind == Kind.DRIFT_GONE:
            if data["drift"] in self.drifts:
                self.drifts[data["drift"]].gone_at = entry.at
            return
        self.drifts[data["drift"]] = Drift(
            data["drift"], data["provider"], data["subject"], data["what"], list(data["before"]), list(data["after"]),
            data.get("change"), entry.at, entry.position,
        )  # fmt: skip
        for incident in self.active:
            if data["drift"] not in incident.drifts:
                incident.drifts.append(data["drift"])

    def _on_failover(self, entry: Entry) -> None:
        data = entry.data
        if entry.kind == Kind.FAILOVER_ORDERED:
            self.orders[data["pool"]] = data
            return
        if entry.kind == Kind.FAILOVER_REFUSED:
            self.orders.pop(data["pool"], None)
            self.refused[data["pool"]] = entry.position
            return
        if entry.kind == Kind.FAILOVER_DECIDED:
            self.orders.pop(data["pool"], None)
            self.failovers[data["failover"]] = Failover(
                data["failover"], data["pool"], data["target"], list(data["addresses"]), data["generation"],
                data["why"], data["by"], entry.at, entry.position,
            )  # fmt: skip
            self.targets[data["pool"]] = data["target"]
            for incident in self.active:
                incident.failovers.append(data["failover"])
            return
        failover = self.failovers.get(data["failover"])
        if failover is None:
            return
        if entry.kind == Kind.FAILOVER_PROVIDER:
            failover.providers[data["provider"]] = {**data, "at": entry.at}
        else:
            failover.done_at, failover.behind = entry.at, list(data["behind"])

    def _on_postmortem(self, entry: Entry) -> None:
        incident = self.incidents.get(entry.data["incident"])
        if incident is None:
            return
        if entry.kind == Kind.POSTMORTEM_DRAFTED:
            incident.draft, incident.draft_upto = entry.data["draft"], entry.data["upto"]
        elif entry.kind == Kind.POSTMORTEM_EDITED:
            incident.edited = entry.data["text"]
        else:
            incident.postmortem_published_at = entry.at

    def _on_counted(self, entry: Entry) -> None:
        if entry.data["incident"] in self.incidents:
            self.incidents[entry.data["incident"]].counted.append({**entry.data, "position": entry.position})


# The entries after which the matrix may differ.
_TURNING = frozenset(kind for kind in Kind if kind.startswith(("check_", "incident_", "post", "maintenance_")))
_HANDLERS: dict[str, Callable[[State, Entry], None]] = {
    Kind.CHECK_DOWN: State._on_check,
    Kind.CHECK_UP: State._on_check,
    Kind.VANTAGE_ABSENT: State._on_vantage,
    Kind.VANTAGE_BACK: State._on_vantage,
    Kind.BLIND: State._on_sight,
    Kind.SIGHTED: State._on_sight,
    Kind.INCIDENT_OPENED: State._on_opened,
    Kind.INCIDENT_GREW: State._on_grew,
    Kind.INCIDENT_REOPENED: State._on_reopened,
    Kind.INCIDENT_FLAPPING: State._on_flapping,
    Kind.INCIDENT_RECOVERED: State._on_recovered,
    Kind.POST: State._on_post,
    Kind.POST_EDITED: State._on_edited,
    Kind.POST_VETOED: State._on_vetoed,
    Kind.MAINTENANCE_SCHEDULED: State._on_maintenance,
    Kind.MAINTENANCE_CHANGED: State._on_maintenance,
    Kind.MAINTENANCE_STARTED: State._on_maintenance,
    Kind.MAINTENANCE_ENDED: State._on_maintenance,
    Kind.MAINTENANCE_CANCELLED: State._on_maintenance,
    Kind.CHANGE_ANNOUNCED: State._on_change,
    Kind.DRIFT_FOUND: State._on_drift,
    Kind.DRIFT_GONE: State._on_drift,
    Kind.GAP: State._on_gap,
    Kind.FAILOVER_ORDERED: State._on_failover,
    Kind.FAILOVER_REFUSED: State._on_failover,
    Kind.FAILOVER_DECIDED: State._on_failover,
    Kind.FAILOVER_PROVIDER: State._on_failover,
    Kind.FAILOVER_DONE: State._on_failover,
    Kind.POSTMORTEM_DRAFTED: State._on_postmortem,
    Kind.POSTMORTEM_EDITED: State._on_postmortem,
    Kind.POSTMORTEM_PUBLISHED: State._on_postmortem,
    Kind.COUNTED: State._on_counted,
}


def listed(squares: Mapping[Square, Status]) -> list[list[str]]:
    """Squares as entries hold them: [component, cluster, status]."""
    return [[square.component, square.cluster, status.value] for square, status in squares.items()]


def _squares(rows: Iterable[Iterable[str]]) -> dict[Square, Status]:
    """Of rows [component, cluster] or [component, cluster, status]."""
    found = {}
    for component, cluster, *status in rows:
        found[Square(component, cluster)] = Status(status[0]) if status else Status.MAJOR_OUTAGE
    return found


def _worsen(squares: dict[Square, Status], square: Square, status: Status) -> None:
    squares[square] = max(squares.get(square, status), status, key=lambda one: one.rank)


def _worse(first: Impact, second: Impact) -> Impact:
    return max(first, second, key=lambda impact: list(Impact).index(impact))


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 1 or not percent else "under 1 %"
