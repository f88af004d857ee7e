"""/api/v2/*.json in the shapes of Atlassian Statuspage's public API (the Status API of every page it hosts).

A cluster is a component group; a component in a cluster is a component of that group. Squares that nothing monitors are
left out, because the API has no word for them and leaving them in would call them up. Fields beyond the shapes: none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from standfast.operations.incidents.records import Incident, Maintenance, Post
from standfast.operations.map import Square
from standfast.operations.status import Status
from standfast.operations.status_page.edition import Edition

Json = dict[str, Any]
INCIDENTS_MAX = 50  # as many as Statuspage gives


def files(edition: Edition) -> dict[str, bytes]:
    """Path -> content of the whole API."""
    shown = [_incident(edition, one) for one in edition.incidents[:INCIDENTS_MAX]]
    unresolved = [_incident(edition, one) for one in edition.unresolved]
    windows = {
        name: [_maintenance(edition, one) for one in edition.maintenances(*states)]
        for name, states in (
            ("all", ("scheduled", "in_progress", "completed")),
            ("upcoming", ("scheduled",)),
            ("active", ("in_progress",)),
        )
    }
    latest_first = list(reversed(windows["all"]))[:INCIDENTS_MAX]
    tables: dict[str, Json] = {
        "summary": {
            "components": components(edition),
            "incidents": unresolved,
            "scheduled_maintenances": windows["active"] + windows["upcoming"],
            "status": _status(edition),
        },
        "status": {"status": _status(edition)},
        "components": {"components": components(edition)},
        "incidents": {"incidents": shown},
        "incidents/unresolved": {"incidents": unresolved},
        "scheduled-maintenances": {"scheduled_maintenances": latest_first},
        "scheduled-maintenances/upcoming": {"scheduled_maintenances": windows["upcoming"]},
        "scheduled-maintenances/active": {"scheduled_maintenances": windows["active"]},
    }
    return {f"api/v2/{name}.json": dumped({"page": page(edition), **table}) for name, table in tables.items()}


def dumped(table: Mapping[str, Any]) -> bytes:
    return json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()


def page(edition: Edition) -> Json:
    given = edition.the_map.page
    return {
        "id": page_id(edition),
        "name": given.name,
        "url": given.url,
        "time_zone": _zone_name(given.time_zone),
        "updated_at": stamp(edition, edition.now),
    }


def page_id(edition: Edition) -> str:
    return short_id("page", edition.the_map.page.url)


def short_id(*parts: str) -> str:
    """Twelve lower-case letters and digits, as Statuspage's ids are, the same for the same parts for ever."""
    number = int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:10], "big")
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    found = ""
    for _ in range(12):
        number, rest = divmod(number, 36)
        found += digits[rest]
    return found


def stamp(edition: Edition, at: datetime) -> str:
    """ISO 8601 with milliseconds in the page's time zone."""
    shown = at.astimezone(edition.zone).isoformat(timespec="milliseconds")
    return (
        shown.removesuffix("+00:00") + "Z" if at.astimezone(edition.zone).utcoffset() == UTC.utcoffset(None) else shown
    )


def components(edition: Edition, squares: Iterable[Square] | None = None) -> list[Json]:
    """Every cluster as a group, followed by its components; or, with squares, only these and no groups."""
    wanted = None if squares is None else set(squares)
    found: list[Json] = []
    for number, cluster in enumerate(edition.the_map.clusters, start=1):
        members = [
            _component(edition, Square(part.id, cluster.id), place)
            for place, part in enumerate(edition.the_map.components, start=1)
            if _shown(edition, Square(part.id, cluster.id), wanted)
        ]
        if wanted is None and members:
            found.append(_group(edition, cluster.id, number, members))
        found += members
    return found


def _shown(edition: Edition, square: Square, wanted: set[Square] | None) -> bool:
    if wanted is not None:
        return square in wanted
    return edition.state.squares.get(square, Status.NOT_MONITORED) is not Status.NOT_MONITORED


def _component(edition: Edition, square: Square, place: int) -> Json:
    """Made once for an edition: an outage of everything names every square again and again."""
    made = edition.kept.get(square)
    if made is None:
        made = edition.kept[square] = _made(edition, square, place)
    return dict(made)


def _made(edition: Edition, square: Square, place: int) -> Json:
    part = edition.the_map.component(square.component)
    began = edition.state.started_at or edition.now
    status = edition.state.squares.get(square, Status.OPERATIONAL)
    return {
        "id": short_id("square", *square),
        "name": part.name,
        "status": _word(status),
        "created_at": stamp(edition, began),
        "updated_at": stamp(edition, edition.changed_at.get(square, began)),
        "position": place,
        "description": part.description or None,
        "showcase": True,
        "start_date": began.astimezone(edition.zone).date().isoformat(),
        "group_id": short_id("cluster", square.cluster),
        "page_id": page_id(edition),
        "group": False,
        "only_show_if_degraded": False,
    }


def _group(edition: Edition, cluster_id: str, place: int, members: list[Json]) -> Json:
    worst = max((Status(one["status"]) for one in members), key=lambda status: status.rank)
    return {
        "id": short_id("cluster", cluster_id),
        "name": edition.the_map.cluster(cluster_id).name,
        "status": worst.value,
        "created_at": members[0]["created_at"],
        "updated_at": max(one["updated_at"] for one in members),
        "position": place,
        "description": None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": page_id(edition),
        "group": True,
        "only_show_if_degraded": False,
        "components": [one["id"] for one in members],
    }


def _word(status: Status) -> str:
    """An incident may name a square that nothing monitors; once it is over the API calls it operational."""
    return Status.OPERATIONAL.value if status is Status.NOT_MONITORED else status.value


def _status(edition: Edition) -> Json:
    indicator, words = edition.state.indicator()
    return {"indicator": indicator, "description": words}


def _incident(edition: Edition, one: Incident) -> Json:
    updates = [_update(edition, one, number) for number in range(len(one.posts))]
    return {
        "id": one.id,
        "name": one.title,
        "status": one.status.value,
        "created_at": stamp(edition, one.posts[0].at),
        "updated_at": stamp(edition, max(post.edited_at or post.at for post in one.posts)),
        "monitoring_at": _or_null(edition, one.monitoring_at),
        "resolved_at": _or_null(edition, one.resolved_at),
        "impact": one.impact.value,
        "shortlink": f"{edition.url}/incidents/{one.id}.html",
        "started_at": stamp(edition, one.opened_at),
        "page_id": page_id(edition),
        "incident_updates": list(reversed(updates)),
        "components": components(edition, one.squares),
        "reminder_intervals": None,
    }


def _update(edition: Edition, incident: Incident, number: int) -> Json:
    post = incident.posts[number]
    before = incident.posts[number - 1].squares if number else {}
    return _posted(
        edition, post.update, incident.id,
        status=post.status.value, body=post.body, at=post.at, changed_at=post.edited_at or post.at,
        affected=[_affected(edition, square, before, post) for square in post.squares if square in edition.known],
        notify=post.notify,
    )  # fmt: skip


def _affected(edition: Edition, square: Square, before: Mapping[Square, Status], post: Post) -> Json:
    part, cluster = edition.the_map.component(square.component), edition.the_map.cluster(square.cluster)
    return {
        "code": short_id("square", *square),
        "name": f"{cluster.name} - {part.name}",
        "old_status": _word(before.get(square, Status.OPERATIONAL)),
        "new_status": _word(post.squares[square]),
    }


def _posted(
    edition: Edition,
    update: str,
    incident: str,
    *,
    status: str,
    body: str,
    at: datetime,
    changed_at: datetime,
    affected: list[Json],
    notify: bool = True,
) -> Json:
    return {
        "id": update,
        "status": status,
        "body": body,
        "incident_id": incident,
        "created_at": stamp(edition, at),
        "updated_at": stamp(edition, changed_at),
        "display_at": stamp(edition, at),
        "affected_components": affected or None,
        "deliver_notifications": notify,
        "custom_tweet": None,
        "tweet_id": None,
    }


def _maintenance(edition: Edition, one: Maintenance) -> Json:
    steps = [("scheduled", one.created_at), ("in_progress", one.started_at), ("completed", one.ended_at)]
    taken = [(status, at) for status, at in steps if at is not None]
    updates = [
        _posted(
            edition,
            f"{one.id}-{status}",
            one.id,
            status=status,
            body=maintenance_words(one, status),
            at=at,
            changed_at=at,
            affected=[],
        )
        for status, at in reversed(taken)
    ]
    return {
        "id": one.id,
        "name": one.title,
        "status": one.state,
        "created_at": stamp(edition, one.created_at),
        "updated_at": stamp(edition, one.updated_at),
        "monitoring_at": None,
        "resolved_at": _or_null(edition, one.ended_at),
        "impact": "maintenance",
        "shortlink": f"{edition.url}/maintenance.html#{one.id}",
        "started_at": stamp(edition, one.started_at or one.created_at),
        "page_id": page_id(edition),
        "incident_updates": updates,
        "components": components(edition, one.squares),
        "scheduled_for": stamp(edition, one.starts_at),
        "scheduled_until": stamp(edition, one.ends_at),
        "reminder_intervals": None,
    }


def maintenance_words(one: Maintenance, status: str) -> str:
    """What a step of a maintenance says: the announcement, or one line."""
    return {
        "scheduled": one.body,
        "in_progress": "Scheduled maintenance is in progress.",
        "completed": "The scheduled maintenance has been completed.",
    }[status]


def _or_null(edition: Edition, at: datetime | None) -> str | None:
    return stamp(edition, at) if at is not None else None


def _zone_name(name: str) -> str:
    return "Etc/UTC" if name == "UTC" else name
