"""The HTML files: what each shows, gathered for its template. Templates hold markup, this module all that is decided."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine

from standfast.operations.incidents.entries import Stage
from standfast.operations.incidents.records import Incident, Maintenance, Post
from standfast.operations.incidents.state import AUTOMATIC
from standfast.operations.map import Square
from standfast.operations.status import Status
from standfast.operations.status_page.bodies import as_html
from standfast.operations.status_page.edition import Edition, duration, lasting
from standfast.operations.status_page.uptime import DOWN, NO_BREAK, Day, Record, Uptime, percent_words

HERE = Path(__file__).parent
RECENT_DAYS = 14
HISTORY_MONTHS = 24
_TITLE = re.compile(r"\A# [^\n]*\n")  # a draft begins with its title; the page has one already

LABELS = {
    Status.OPERATIONAL: "Operational",
    Status.NOT_MONITORED: "Not monitored",
    Status.UNDER_MAINTENANCE: "Maintenance",
    Status.DEGRADED_PERFORMANCE: "Degraded",
    Status.PARTIAL_OUTAGE: "Partial outage",
    Status.MAJOR_OUTAGE: "Major outage",
}
SERVERS = {"application": "Application", "api": "API Server"}


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(HERE / "templates")], autoescape=True, debug=False)


@cache
def assets() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((HERE / "assets").iterdir())}


@cache
def _asset_digest() -> str:
    return hashlib.sha256(b"".join(assets().values())).hexdigest()[:10]


@cache
def own_digest() -> str:
    """Of the templates and assets: another version of them makes another page."""
    paths = [*sorted((HERE / "templates").iterdir()), *sorted((HERE / "assets").iterdir())]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def files(edition: Edition, *, release: str) -> dict[str, bytes]:
    """Path -> content of every HTML page. `release` lets an open page see that a newer one stands."""
    record = Record(edition.the_map, edition.state, now=edition.now, zone=edition.zone)
    always, now = _always(edition), _now(edition, release)
    made = {
        "index.html": _render("index.html", {**always, **now, **_index(edition, record)}),
        "embed.html": _render("embed.html", {**always, **now}),
        "uptime.html": _render("uptime.html", {**always, "section": "uptime", **_uptime(edition, record)}),
        "history.html": _render("history.html", {**always, "section": "history", "months": _months(edition)}),
        "maintenance.html": _render(
            "maintenance.html", {**always, "section": "maintenance", **_maintenance_page(edition)}
        ),
        "subscribe.html": _render("subscribe.html", always),
        "404.html": _render("404.html", {**always, "root": "/"}),
    }
    return made | _incident_pages(edition, always)


_kept: dict[
    str, tuple[str, bytes]
] = {}  # path -> (digest of what the template is given, the page): old incidents stand


def _incident_pages(edition: Edition, always: Mapping[str, Any]) -> dict[str, bytes]:
    """Each incident's page; rendered only when something of it changed, for there are ever more of them."""
    made = {}
    for one in edition.incidents:
        path = f"incidents/{one.id}.html"
        icon = "none" if one.over else one.impact.value
        context = {**always, "root": "../", "indicator": icon, "incident": _incident(edition, one, full=True)}
        digest = hashlib.sha256(repr(context).encode()).hexdigest()
        if _kept.get(path, ("", b""))[0] != digest:
            _kept[path] = (digest, _render("incident.html", context))
        made[path] = _kept[path][1]
    for path in set(_kept) - set(made):
        del _kept[path]
    return made


def _render(name: str, context: Mapping[str, Any]) -> bytes:
    # Without time zones and number formats of Django's: everything is text already, and no settings are needed.
    text = _engine().get_template(name).render(Context(dict(context), use_l10n=False, use_tz=False))
    return "\n".join(line for line in map(str.strip, text.split("\n")) if line).encode() + b"\n"


def _always(edition: Edition) -> dict[str, Any]:
    """What every page is given. Nothing of the moment: a page that did not change stays the same file."""
    return {
        "page": edition.the_map.page,
        "root": "",
        "indicator": "none",
        "assets": _asset_digest(),
        "desk_url": edition.desk_url,
        "stale_after": str(edition.stale_after_seconds),
        "stale_words": lasting(edition.stale_after_seconds),
        "components": edition.the_map.components,
        "clusters": edition.the_map.clusters,
    }


def _now(edition: Edition, release: str) -> dict[str, Any]:
    """How things stand."""
    indicator, words = edition.state.indicator()
    absent = [name for name, why in edition.state.vantages.items() if why is not None]
    return {
        "release": release,
        "indicator": indicator,
        "words": words.replace(" %", NO_BREAK + "%"),
        "as_of": edition.moment(edition.now, seconds=True),
        "vantages": str(len(edition.state.vantages)),
        "absent": str(len(absent)) if absent else "",
        "blind_since": edition.moment(edition.state.blind_since) if edition.state.blind_since else "",
    }


def _index(edition: Edition, record: Record) -> dict[str, Any]:
    return {
        "active": [_incident(edition, one) for one in edition.unresolved],
        "running": [_maintenance(edition, one) for one in edition.maintenances("in_progress")],
        "upcoming": [_maintenance(edition, one) for one in edition.maintenances("scheduled")],
        "matrix": matrix(edition),
        "legend": _legend(edition),
        "bars": [_bars(edition, part.id, part.name, record.component(part.id)) for part in edition.the_map.components],
        "recent": _recent(edition),
        "recent_days": str(RECENT_DAYS),
    }


def matrix(edition: Edition) -> list[dict[str, Any]]:
    """Groups by server of rows (a component) of cells (its state in a cluster)."""
    groups = []
    for server, label in SERVERS.items():
        rows = [
            {
                "name": part.name,
                "description": part.description,
                "cells": [
                    _cell(edition.state.squares.get(Square(part.id, cluster.id), Status.NOT_MONITORED))
                    for cluster in edition.the_map.clusters
                ],
            }
            for part in edition.the_map.components
            if part.server == server
        ]
        if rows:
            groups.append({"name": label, "rows": rows})
    return groups


def _cell(status: Status) -> dict[str, str]:
    return {"status": status.value, "label": LABELS[status]}


def _legend(edition: Edition) -> list[dict[str, str]]:
    """The states that the matrix shows now; all green needs none but its own."""
    shown = {edition.state.squares.get(square, Status.NOT_MONITORED) for square in edition.the_map.squares}
    return [_cell(status) for status in Status if status in shown]


def _incident(edition: Edition, one: Incident, *, full: bool = False) -> dict[str, Any]:
    published = one.postmortem if one.postmortem_published_at else None
    return {
        "id": one.id,
        "title": one.title,
        "impact": one.impact.value,
        "stage": one.status.value.capitalize(),
        "over": one.over,
        "flapping": one.flapping,
        "reopenings": str(one.reopenings) if one.reopenings else "",
        "affected": edition.affected(one.squares),
        "squares": _hit(edition, one) if full else [],
        "opened": edition.moment(one.opened_at),
        "opened_exact": edition.moment(one.opened_at, seconds=True),
        "public_after": lasting((one.posts[0].at - one.opened_at).total_seconds()),
        "ended": edition.moment(one.resolved_at) if one.resolved_at else "",
        "recovered": edition.moment(one.recovered_at, seconds=True) if one.recovered_at else "",
        "lasted": lasting(duration(one, edition.now).total_seconds()),
        "next_update": edition.moment(one.next_update_at) if one.next_update_at and not one.over else "",
        "posts": [_post(edition, post) for post in reversed(one.posts)],
        "last": _post(edition, one.posts[-1]),
        "postmortem": as_html(_TITLE.sub("", published)) if published and full else "",
        "postmortem_at": edition.moment(one.postmortem_published_at) if one.postmortem_published_at else "",
    }


def _post(edition: Edition, post: Post) -> dict[str, Any]:
    return {
        "id": post.update,
        "stage": post.status.value.capitalize(),
        "done": post.status in (Stage.RESOLVED, Stage.POSTMORTEM),
        "body": as_html(post.body),
        "at": edition.moment(post.at),
        "edited": edition.moment(post.edited_at) if post.edited_at else "",
        "automatic": post.author == AUTOMATIC,
    }


def _hit(edition: Edition, one: Incident) -> list[dict[str, Any]]:
    """The incident's part of the matrix: only the rows that were hit."""
    clusters = edition.the_map.clusters
    return [
        {
            "name": part.name,
            "cells": [
                _cell(one.squares[square]) if (square := Square(part.id, cluster.id)) in one.squares else None
                for cluster in clusters
            ],
        }
        for part in edition.the_map.components
        if any(Square(part.id, cluster.id) in one.squares for cluster in clusters)
    ]


def _maintenance(edition: Edition, one: Maintenance) -> dict[str, Any]:
    states = {"scheduled": "Scheduled", "in_progress": "In progress", "completed": "Completed"}
    return {
        "id": one.id,
        "title": one.title,
        "state": states[one.state],
        "running": one.state == "in_progress",
        "body": as_html(one.body),
        "window": edition.window(one),
        "lasts": lasting((one.ends_at - one.starts_at).total_seconds()),
        "overdue": one.state == "in_progress" and edition.now > one.ends_at,
        "ended": edition.moment(one.ended_at) if one.ended_at else "",
        "affected": edition.affected(one.squares),
    }


def _maintenance_page(edition: Edition) -> dict[str, Any]:
    over = reversed(edition.maintenances("completed")[-50:])
    return {
        "running": [_maintenance(edition, one) for one in edition.maintenances("in_progress")],
        "upcoming": [_maintenance(edition, one) for one in edition.maintenances("scheduled")],
        "completed": [_maintenance(edition, one) for one in over],
    }


def _bars(edition: Edition, key: str, name: str, uptime: Uptime) -> dict[str, Any]:
    """One row of 90 days: days that were well or unseen as two paths, every other day a bar with its own words."""
    bad = [(place, day) for place, day in enumerate(uptime.days) if _remarkable(day)]
    unseen = [place for place, day in enumerate(uptime.days) if day.worst is None]
    marked = {place for place, _ in bad} | set(unseen)
    return {
        "key": key,
        "name": name,
        "percent": percent_words(uptime.percent),
        "well": _path(place for place in range(len(uptime.days)) if place not in marked),
        "unseen": _path(unseen),
        "bad": [{"x": str(place * 4), "status": day.worst, "words": _day_words(day)} for place, day in bad],
        "width": str(len(uptime.days) * 4 - 1),
        "label": _bars_label(uptime, [day for _, day in bad], len(unseen)),
    }


def _remarkable(day: Day) -> bool:
    return day.worst is not None and day.worst is not Status.OPERATIONAL


def _path(places: Iterable[int]) -> str:
    return "".join(f"M{place * 4} 0h3v30h-3z" for place in places)


def _day_words(day: Day) -> str:
    parts = [
        f"{lasting(seconds)} {LABELS[status].lower()}"
        for status, seconds in sorted(day.seconds.items(), key=lambda row: -row[0].rank)
        if status is not Status.OPERATIONAL
    ]
    return f"{day.on.day} {day.on:%b %Y}: {', '.join(parts)}"


def _bars_label(uptime: Uptime, bad: list[Day], unseen: int) -> str:
    down = sum(1 for day in bad if any(status in DOWN for status in day.seconds))
    words = [f"{percent_words(uptime.percent)} uptime over {len(uptime.days)} days", f"{down} days with an outage"]
    if unseen:
        words.append(f"{unseen} days without data")
    return ", ".join(words)


def _uptime(edition: Edition, record: Record) -> dict[str, Any]:
    """Component x cluster in percent, and every day of a component that was not all well."""
    rows = []
    for part in edition.the_map.components:
        figures = [record.square(Square(part.id, cluster.id)).percent for cluster in edition.the_map.clusters]
        whole = record.component(part.id)
        rows.append(
            {
                "key": part.id,
                "name": part.name,
                "cells": [percent_words(figure) for figure in figures],
                "whole": percent_words(whole.percent),
                "days": [_day_words(day) for day in reversed(whole.days) if _remarkable(day)],
            }
        )
    return {"rows": rows, "days": str(len(record.dates))}


def _recent(edition: Edition) -> list[dict[str, Any]]:
    """The last days, each with the incidents that began on it: those that are on too, or their day would be called quiet."""
    today = edition.local(edition.now).date()
    days = []
    for back in range(RECENT_DAYS):
        on = today - timedelta(days=back)
        begun = [one for one in edition.incidents if edition.local(one.opened_at).date() == on]
        days.append({"on": f"{on.day} {on:%b %Y}", "incidents": [_incident(edition, one) for one in begun]})
    return _without_quiet_runs(days)


def _without_quiet_runs(days: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Quiet days in a row become one line."""
    found: list[dict[str, Any]] = []
    for day in days:
        if not day["incidents"] and found and not found[-1]["incidents"]:
            found[-1]["since"] = day["on"]
        else:
            found.append(day)
    return found


def _months(edition: Edition) -> list[dict[str, Any]]:
    """By month, the latest first, at most HISTORY_MONTHS that have one."""
    months: dict[str, list[dict[str, Any]]] = {}
    for one in edition.incidents:
        months.setdefault(f"{edition.local(one.opened_at):%B %Y}", []).append(_incident(edition, one))
    return [{"name": name, "incidents": rows} for name, rows in list(months.items())[:HISTORY_MONTHS]]
