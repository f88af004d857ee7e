"""Make the page: a whole release when something happened, the sign of life alone when nothing did."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from standfast.operations.incidents.state import State
from standfast.operations.map import Map
from standfast.operations.status import Status
from standfast.operations.status_page import api_json, badge, feeds, pages, release
from standfast.operations.status_page.edition import Edition

HEARTBEAT = "heartbeat.json"
HEADERS = ".headers.json"  # what the serving process sends with each file
_ABOUT = ".release.json"  # what the release was made from
GROWING = timedelta(minutes=1)  # how often figures that grow with time alone (an outage's length) are made anew
_AS_OF = re.compile(rb'(<span id="as-of">).*?(</span>)')
_STAMP = re.compile(rb'("page":\{[^}]*"updated_at":")[^"]*(")')
_BEATING = ("api/v2/summary.json", "api/v2/status.json", "api/v2/components.json", "api/v2/incidents/unresolved.json")


def render(the_map: Map, state: State, folder: Path, *, now: datetime) -> Path:
    """Bring folder/current up to date and return the release it shows. Raises OSError; then the old page stands."""
    edition = Edition(the_map, state, now)
    made_of = _made_of(edition)
    with release.locked(folder):
        standing = release.current(folder)
        if standing is not None and _read_about(standing) == made_of:
            release.replace(standing, _beat(edition, standing))
            return standing
        name = release.next_name(folder, state.position)
        return release.publish(folder, name, files(edition, name=name, made_of=made_of))


def files(edition: Edition, *, name: str, made_of: str = "") -> dict[str, bytes]:
    """Path -> content of a whole release."""
    return {
        **pages.files(edition, release=name),
        **api_json.files(edition),
        **pages.assets(),
        "history.atom": feeds.atom(edition),
        "history.rss": feeds.rss(edition),
        "maintenance.ics": feeds.calendar(edition),
        "badge.svg": badge.svg(edition),
        **badge.icons(),
        "robots.txt": b"User-agent: *\nAllow: /\n",
        HEARTBEAT: _heartbeat(edition, name),
        HEADERS: api_json.dumped(headers(edition)),
        _ABOUT: made_of.encode(),
    }


def headers(edition: Edition) -> dict[str, dict[str, str]]:
    """What is sent with every file ("*"), and with some in its place. No inline script or style anywhere."""
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        f"base-uri 'none'; form-action {edition.desk_url or chr(39) + 'none' + chr(39)}; frame-ancestors "
    )
    return {
        "*": {
            "content-security-policy": policy + "'none'",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "x-frame-options": "DENY",
            "cross-origin-opener-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
        },
        "/embed.html": {"content-security-policy": policy + "*", "x-frame-options": ""},
        "/badge.svg": {"access-control-allow-origin": "*"},
        "/heartbeat.json": {"access-control-allow-origin": "*"},
        "/api/": {"access-control-allow-origin": "*"},
    }


def _made_of(edition: Edition) -> str:
    """A digest of all that a release depends on but the second: the log, the map, the day, our own files."""
    minute = int(edition.now.timestamp() // GROWING.total_seconds()) if _growing(edition) else 0
    parts = (
        str(edition.state.position),
        edition.the_map.model_dump_json(),
        edition.local(edition.now).date().isoformat(),
        str(minute),
        pages.own_digest(),
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _growing(edition: Edition) -> bool:
    """Whether figures grow while nothing happens: an outage goes on, or nobody sees."""
    quiet = (Status.OPERATIONAL, Status.NOT_MONITORED)
    return edition.state.blind_since is not None or any(
        status not in quiet for status in edition.state.squares.values()
    )


def _heartbeat(edition: Edition, name: str) -> bytes:
    indicator, words = edition.state.indicator()
    return api_json.dumped(
        {
            "updated_at": edition.now.astimezone(UTC).isoformat(timespec="milliseconds"),
            "as_of": edition.moment_words(edition.now, seconds=True),
            "release": name,
            "stale_after_seconds": edition.stale_after_seconds,
            "indicator": indicator,
            "description": words,
        }
    )


def _beat(edition: Edition, standing: Path) -> dict[str, bytes]:
    """The small files that carry the time, with the time put anew and nothing else touched."""
    stamp = api_json.stamp(edition, edition.now).encode()
    made = {HEARTBEAT: _heartbeat(edition, standing.name)}
    shown = edition.moment(edition.now, seconds=True).encode()
    made["index.html"] = _AS_OF.sub(rb"\g<1>" + shown + rb"\g<2>", (standing / "index.html").read_bytes(), count=1)
    for path in _BEATING:
        made[path] = _STAMP.sub(rb"\g<1>" + stamp + rb"\g<2>", (standing / path).read_bytes(), count=1)
    return made


def _read_about(standing: Path) -> str:
    try:
        return (standing / _ABOUT).read_text()
    except OSError:
        return ""
