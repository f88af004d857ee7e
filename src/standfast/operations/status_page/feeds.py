"""history.atom (RFC 4287), history.rss (RSS 2.0) and maintenance.ics (RFC 5545).

An incident or a maintenance is one entry whose id never changes; its content grows and its `updated` moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from urllib.parse import urlsplit
from xml.etree import ElementTree as Xml

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from standfast.operations.incidents.records import Incident, Maintenance
from standfast.operations.status_page.api_json import maintenance_words
from standfast.operations.status_page.bodies import as_html, clean
from standfast.operations.status_page.edition import Edition

ENTRIES_MAX = 25
ATOM = "http://www.w3.org/2005/Atom"
_ID_YEAR = "2026"  # a tag URI (RFC 4151) names a date at which its host was the author's; it must never change


@dataclass(frozen=True, slots=True)
class _Entry:
    id: str
    title: str
    url: str
    published_at: datetime
    updated_at: datetime
    content: SafeString


def atom(edition: Edition) -> bytes:
    Xml.register_namespace("", ATOM)
    entries, host = _entries(edition), urlsplit(edition.url).hostname or "status"
    feed = Xml.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "en"})
    _put(feed, "id", f"tag:{host},{_ID_YEAR}:history")
    _put(feed, "title", f"{edition.the_map.page.name}: incident history")
    _put(feed, "updated", _iso(_updated_at(edition, entries)))
    _put(feed, "link", rel="self", type="application/atom+xml", href=f"{edition.url}/history.atom")
    _put(feed, "link", rel="alternate", type="text/html", href=f"{edition.url}/")
    _put(_put(feed, "author"), "name", edition.the_map.page.name)
    for one in entries:
        entry = _put(feed, "entry")
        _put(entry, "id", f"tag:{host},{_ID_YEAR}:{one.id}")
        _put(entry, "title", one.title)
        _put(entry, "published", _iso(one.published_at))
        _put(entry, "updated", _iso(one.updated_at))
        _put(entry, "link", rel="alternate", type="text/html", href=one.url)
        _put(entry, "content", one.content, type="html")
    return _document(feed)


def rss(edition: Edition) -> bytes:
    entries, host = _entries(edition), urlsplit(edition.url).hostname or "status"
    root = Xml.Element("rss", {"version": "2.0"})
    channel = Xml.SubElement(root, "channel")
    Xml.SubElement(channel, "title").text = clean(f"{edition.the_map.page.name}: incident history")
    Xml.SubElement(channel, "link").text = f"{edition.url}/"
    Xml.SubElement(channel, "description").text = "Incidents and maintenance"
    Xml.SubElement(channel, "language").text = "en"
    Xml.SubElement(channel, "lastBuildDate").text = format_datetime(_updated_at(edition, entries).astimezone(UTC))
    self_link = {"rel": "self", "type": "application/rss+xml", "href": f"{edition.url}/history.rss"}
    Xml.SubElement(channel, f"{{{ATOM}}}link", self_link)
    for one in entries:
        item = Xml.SubElement(channel, "item")
        Xml.SubElement(item, "title").text = clean(one.title)
        Xml.SubElement(item, "link").text = one.url
        Xml.SubElement(item, "guid", {"isPermaLink": "false"}).text = f"tag:{host},{_ID_YEAR}:{one.id}"
        Xml.SubElement(item, "pubDate").text = format_datetime(one.updated_at.astimezone(UTC))
        Xml.SubElement(item, "description").text = one.content
    Xml.register_namespace("atom", ATOM)
    shown = _document(root)
    Xml.register_namespace("", ATOM)
    return shown


def calendar(edition: Edition) -> bytes:
    """Maintenance that is planned, on or over, as events; a cancelled one is said to be so, for calendars keep events."""
    host = urlsplit(edition.url).hostname or "status"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Standfast//Status page//EN", "METHOD:PUBLISH"]
    lines.append(f"X-WR-CALNAME:{_ics(edition.the_map.page.name)} maintenance")
    for one in edition.maintenances("scheduled", "in_progress", "completed", "cancelled"):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one.id}@{host}",
            f"DTSTAMP:{_ics_time(one.updated_at)}",
            f"LAST-MODIFIED:{_ics_time(one.updated_at)}",
            f"DTSTART:{_ics_time(one.starts_at)}",
            f"DTEND:{_ics_time(one.ends_at)}",
            f"SUMMARY:{_ics(one.title)}",
            f"DESCRIPTION:{_ics('; '.join(edition.affected(one.squares)) + chr(10) + one.body)}",
            f"URL:{edition.url}/maintenance.html#{one.id}",
            f"STATUS:{'CANCELLED' if one.state == 'cancelled' else 'CONFIRMED'}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) for line in lines).encode()


def _entries(edition: Edition) -> list[_Entry]:
    """The latest of both, by their last change."""
    found: list[tuple[datetime, str, Callable[[], _Entry]]] = [
        (changed_at(one), one.id, partial(_of_incident, edition, one)) for one in edition.incidents
    ]
    for window in edition.maintenances("scheduled", "in_progress", "completed"):
        found.append((window.updated_at, window.id, partial(_of_maintenance, edition, window)))
    return [make() for _, _, make in sorted(found, key=lambda row: row[:2], reverse=True)[:ENTRIES_MAX]]


def changed_at(one: Incident) -> datetime:
    """When a post was written or edited last."""
    return max(post.edited_at or post.at for post in one.posts)


def _of_incident(edition: Edition, one: Incident) -> _Entry:
    posts = format_html_join(
        "",
        "<p><small>{}</small><br><strong>{}</strong></p>{}",
        (
            (edition.moment_words(post.at), post.status.value.capitalize(), as_html(post.body))
            for post in reversed(one.posts)
        ),
    )
    affected = format_html("<p>Affected: {}</p>", "; ".join(edition.affected(one.squares)) or "nothing named")
    return _Entry(
        f"incident/{one.id}", f"{one.title} - {one.status.value.capitalize()}",
        f"{edition.url}/incidents/{one.id}.html", one.posts[0].at, changed_at(one), posts + affected,
    )  # fmt: skip


def _of_maintenance(edition: Edition, one: Maintenance) -> _Entry:
    state = {"scheduled": "Scheduled", "in_progress": "In progress", "completed": "Completed"}[one.state]
    content = format_html("<p><strong>{}</strong></p>{}", edition.window(one), as_html(one.body))
    if one.state != "scheduled":
        content += format_html("<p>{}</p>", maintenance_words(one, one.state))
    content += format_html("<p>Affected: {}</p>", "; ".join(edition.affected(one.squares)) or "nothing named")
    return _Entry(
        f"maintenance/{one.id}", f"Maintenance: {one.title} - {state}",
        f"{edition.url}/maintenance.html#{one.id}", one.created_at, one.updated_at, content,
    )  # fmt: skip


def _updated_at(edition: Edition, entries: list[_Entry]) -> datetime:
    return entries[0].updated_at if entries else edition.state.started_at or edition.now


def _put(parent: Xml.Element, name: str, text: str | None = None, **attributes: str) -> Xml.Element:
    child = Xml.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    child.text = clean(text) if text is not None else None
    return child


def _document(root: Xml.Element) -> bytes:
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _ics(text: str) -> str:
    """RFC 5545, 3.3.11."""
    escaped = clean(text).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\n", "\\n")


def _ics_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _folded(line: str) -> str:
    """No line over 75 octets, continued after a space, never cut inside a character (RFC 5545, 3.1)."""
    found, length = [""], 0
    for character in line:
        size = len(character.encode())
        if length + size > 74:
            found.append("")
            length = 0
        found[-1] += character
        length += size
    return "\r\n ".join(found) + "\r\n"
