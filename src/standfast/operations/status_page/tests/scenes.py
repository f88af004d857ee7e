"""Logs with a story, for the tests of the page: each scene is a list of (when, kind, data) folded into a State."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from standfast.operations.incidents.entries import Kind
from standfast.operations.incidents.state import State
from standfast.operations.log import Log
from standfast.operations.map import Map, parse

CLUSTERS = ("Cloud", "App", "Cloud1", "CA1", "EU1")
COMPONENTS = {
    "login": ("Application Login", "application"),
    "campaigns": ("Campaign sends", "application"),
    "tracking": ("Campaign response tracking", "application"),
    "web-tracking": ("Web tracking", "application"),
    "landing-pages": ("Hosted Landing Pages", "application"),
    "live-content": ("Live Content", "application"),
    "rest-api": ("REST API Service", "api"),
    "smtp-api": ("SMTP API Service", "api"),
    "ftp": ("FTP Server", "api"),
    "journeys": ("Journeys", "application"),
    "data-journeys": ("Data Journeys", "application"),
    "mobile": ("Mobile App Messaging", "application"),
}
UNWATCHED = ("landing-pages", "live-content", "ftp", "data-journeys", "mobile")
NOW = datetime(2026, 9, 30, 20, 40, 7, tzinfo=UTC)
BEGAN = NOW - timedelta(days=70)
FAULT = NOW - timedelta(minutes=10, seconds=41)

Step = tuple[datetime, str, Mapping[str, Any]]


def a_map(*, watched: bool = False, **page: Any) -> Map:
    """Five clusters, twelve components; five of them not yet monitored unless `watched`."""
    return parse(table(watched=watched, **page))


def table(*, watched: bool = False, **page: Any) -> dict[str, Any]:
    """The same as a table, as it would stand in TOML."""
    return {
            "page": {
                "name": "Standfast Status", "url": "https://status.example.net", "time_zone": "America/New_York",
                "support": "https://help.example.net/",
            },
            "clusters": [{"id": name.lower(), "name": name, "accounts": 100} for name in CLUSTERS],
            "components": [{"id": key, "name": name, "server": server} for key, (name, server) in COMPONENTS.items()],
            "vantages": [{"id": name.lower(), "name": name, "key_file": "key"} for name in CLUSTERS],
            "checks": [
                {"id": "root", "kind": "dns", "name": "Root domain", "spec": {}},
                *(
                    {
                        "id": f"{key}-{{cluster}}", "kind": "http", "per": "cluster", "components": [key],
                        "working": True, "spec": {},
                    }
                    for key in COMPONENTS
                    if watched or key not in UNWATCHED
                ),
            ],
            "status_page": {"desk_url": "https://desk.example.net", **page},
    }  # fmt: skip


def fold(the_map: Map, steps: Iterable[Step] = ()) -> State:
    """The state after the steps; the log's own start comes first."""
    log = Log(None, durable=False)
    state = State(the_map, [log.append(Kind.STARTED, {"version": "0", "map": "x"}, at=BEGAN)])
    for at, kind, data in steps:
        state.apply(log.append(kind, data, at=at))
    return state


def everything(the_map: Map, status: str = "major_outage") -> list[list[str]]:
    return [[*square, status] for square in the_map.squares]


def outage(the_map: Map, *, at: datetime = FAULT) -> list[Step]:
    """The root domain fails: every square, one automatic post, a person's second one."""
    squares = [list(square) for square in the_map.squares]
    return [
        (at, "check_down", {"check": "root", "votes": []}),
        (at, "incident_opened", {"incident": "2026-09-30-1", "title": "Root domain does not answer",
                                 "checks": ["root"], "squares": squares, "impact": "critical"}),
        (at + timedelta(seconds=1), "post", _post(
            "2026-09-30-1", 1, "investigating", "Since 16:29:26 EDT the root domain does not answer from any of five places. "
            "All components in all clusters are affected.\n\nTraffic is being moved to the second provider.",
            everything(the_map), at + timedelta(minutes=20))),
        (at + timedelta(minutes=6), "post", _post(
            "2026-09-30-1", 2, "identified", "A provider changed its configuration unannounced: see https://help.example.net/dns "
            "for what was changed.\n\n- Mail that waits is kept and goes out later.\n- Events are written down and not lost.",
            everything(the_map), at + timedelta(minutes=26), author="alice")),
    ]  # fmt: skip


def recovered(the_map: Map, *, at: datetime = FAULT, incident: str = "2026-09-30-1") -> list[Step]:
    """The outage, and its end: Monitoring, Resolved, a published postmortem."""
    return [
        *outage(the_map, at=at),
        (at + timedelta(minutes=7), "check_up", {"check": "root", "votes": []}),
        (at + timedelta(minutes=7), "incident_recovered", {"incident": incident}),
        (at + timedelta(minutes=7, seconds=9), "post", _post(
            incident, 3, "monitoring", "All checks are good again from every place.", [], at + timedelta(minutes=20))),
        (at + timedelta(minutes=12), "post", _post(incident, 4, "resolved", "Good for five minutes.", [], None)),
        (at + timedelta(minutes=12), "postmortem_drafted", {"incident": incident, "upto": 8, "draft":
            "## Summary\n\nThe root domain failed for 7 minutes.\n\n| time | what |\n|---|---|\n| 16:29:26 | down |\n"}),
        (at + timedelta(hours=1), "postmortem_published", {"incident": incident, "author": "alice"}),
    ]  # fmt: skip


def partial(the_map: Map) -> list[Step]:
    """The REST API of one cluster fails."""
    return [
        (FAULT, "check_down", {"check": "rest-api-ca1", "votes": []}),
        (FAULT, "incident_opened", {"incident": "i2", "title": "REST API Service in CA1 refuses connections",
                                    "checks": ["rest-api-ca1"], "squares": [["rest-api", "ca1"]], "impact": "minor"}),
        (FAULT, "post", _post("i2", 1, "investigating", "The REST API refuses connections in CA1.",
                              [["rest-api", "ca1", "major_outage"]], NOW + timedelta(minutes=9))),
    ]  # fmt: skip


def flapping(the_map: Map) -> list[Step]:
    """One cluster's tracking comes and goes, with long texts and hostile ones."""
    long = "The tracker of EU1 answers, then refuses, then answers again. " * 12
    steps: list[Step] = [
        (FAULT, "check_down", {"check": "tracking-eu1", "votes": []}),
        (FAULT, "incident_opened", {
            "incident": "i3", "title": "Campaign response tracking in EU1 comes and goes, <b>and its title is a very long one "
            "that somebody wrote in a hurry</b> with aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "checks": ["tracking-eu1"], "squares": [["tracking", "eu1"]], "impact": "minor"}),
    ]  # fmt: skip
    for number in range(1, 6):
        at = FAULT + timedelta(minutes=number)
        text = (
            long if number % 2 else '<script>alert(1)</script> & https://evil.example/?a=<b>&c="d" javascript:alert(1)'
        )
        steps.append((at, "post", _post("i3", number, "investigating", text, [["tracking", "eu1", "partial_outage"]],
                                        NOW + timedelta(minutes=20))))  # fmt: skip
        steps.append((at, "incident_reopened", {"incident": "i3", "checks": ["tracking-eu1"], "reopenings": number}))
    return [*steps, (NOW, "incident_flapping", {"incident": "i3", "reopenings": 5})]


def maintenance(the_map: Map) -> list[Step]:
    """One maintenance in progress, one planned, one over."""
    hour = timedelta(hours=1)
    rows = [
        ("m1", "Storage of EU1 is replaced", NOW - hour / 2, NOW + hour, [["campaigns", "eu1"], ["journeys", "eu1"]]),
        ("m2", "Database upgrade", NOW + 48 * hour, NOW + 50 * hour, [["login", "app"], ["rest-api", "app"]]),
        ("m0", "Certificates renewed", NOW - 100 * hour, NOW - 99 * hour, [["login", "cloud"]]),
    ]
    steps: list[Step] = []
    for key, title, starts, ends, squares in rows:
        steps.append((NOW - 200 * hour, "maintenance_scheduled", {
            "maintenance": key, "title": title, "body": "Sending pauses; nothing is lost.", "squares": squares,
            "starts_at": starts.isoformat(), "ends_at": ends.isoformat(), "author": "alice"}))  # fmt: skip
    steps.append((NOW - 100 * hour, "maintenance_started", {"maintenance": "m0"}))
    steps.append((NOW - 99 * hour, "maintenance_ended", {"maintenance": "m0"}))
    return [*steps, (NOW - hour / 2, "maintenance_started", {"maintenance": "m1"})]


def _post(
    incident: str, number: int, status: str, body: str, squares: list[list[str]], until: datetime | None,
    author: str = "automatic",
) -> dict[str, Any]:  # fmt: skip
    return {
        "incident": incident, "update": f"{incident}-{number}", "status": status, "body": body, "squares": squares,
        "author": author, "next_update_at": until.isoformat() if until else None, "notify": True,
    }  # fmt: skip


SCENES = {
    "well": lambda the_map: [*recovered(the_map, at=FAULT - timedelta(days=5))],
    "outage": outage,
    "partial": partial,
    "flapping": flapping,
    "maintenance": maintenance,
    "empty": lambda the_map: [],
}
