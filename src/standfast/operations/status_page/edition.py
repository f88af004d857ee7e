"""One edition of the page: the map, the fold of the log and the moment, with the words all its files share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.html import format_html
from django.utils.safestring import SafeString

from standfast.operations.incidents.records import Incident, Maintenance
from standfast.operations.incidents.state import State
from standfast.operations.map import Map, Square

STALE_AFTER_SECONDS = 60  # without a sign of life for so long the page warns that it may be out of date


@dataclass(frozen=True)
class Edition:
    """What is rendered. Everything below is derived from it, so that page, JSON and feeds say the same."""

    the_map: Map
    state: State
    now: datetime

    @cached_property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.the_map.page.time_zone)

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """What renderers make once for an edition, by their own keys."""
        return {}

    @cached_property
    def known(self) -> frozenset[Square]:
        """The squares of the map; old incidents may name others."""
        return frozenset(self.the_map.squares)

    @cached_property
    def changed_at(self) -> dict[Square, datetime]:
        """Since when each square has its status."""
        return {interval.square: interval.since for interval in self.state.history}

    @property
    def url(self) -> str:
        return self.the_map.page.url

    @property
    def desk_url(self) -> str:
        """Where the public forms post to; "" when nobody can subscribe."""
        return str(self.the_map.status_page.get("desk_url", "")).rstrip("/")

    @property
    def stale_after_seconds(self) -> int:
        return int(self.the_map.status_page.get("stale_after_seconds", STALE_AFTER_SECONDS))

    @cached_property
    def incidents(self) -> list[Incident]:
        """Those the public may see, newest first."""
        public = [one for one in self.state.incidents.values() if one.public]
        return sorted(public, key=lambda one: one.opened_at, reverse=True)

    @property
    def unresolved(self) -> list[Incident]:
        return [one for one in self.incidents if not one.over]

    def maintenances(self, *states: str) -> list[Maintenance]:
        """Maintenance in the given states, the earliest first; cancelled ones only when asked for."""
        found = [one for one in self.state.maintenances.values() if one.state in states]
        return sorted(found, key=lambda one: one.starts_at)

    # -- words ----------------------------------------------------------------------------------------------------

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def moment(self, at: datetime, *, seconds: bool = False, day: bool = True) -> SafeString:
        """A <time> in the page's zone, exact in UTC in its title."""
        return format_html(
            '<time datetime="{}" title="{}">{}</time>',
            at.astimezone(UTC).isoformat(timespec="seconds"),
            at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            self.moment_words(at, seconds=seconds, day=day),
        )

    def moment_words(self, at: datetime, *, seconds: bool = False, day: bool = True) -> str:
        local = self.local(at)
        clock = local.strftime("%H:%M:%S %Z" if seconds else "%H:%M %Z")
        return f"{local.day} {local:%b %Y}, {clock}" if day else clock

    def window(self, one: Maintenance) -> SafeString:
        """From when to when, the day named once where it is one day."""
        same = self.local(one.starts_at).date() == self.local(one.ends_at).date()
        return format_html("{} – {}", self.moment(one.starts_at), self.moment(one.ends_at, day=not same))

    def affected(self, squares: Iterable[Square]) -> list[str]:
        """What is hit, in as few lines as it can be said: components that are hit in the same clusters share one."""
        wanted = set(squares)
        clusters = [cluster.id for cluster in self.the_map.clusters]
        groups: dict[tuple[str, ...], list[str]] = {}
        for part in self.the_map.components:
            hit = tuple(cluster for cluster in clusters if Square(part.id, cluster) in wanted)
            if hit:
                groups.setdefault(hit, []).append(part.name)
        return [f"{self._components(names)} in {self._clusters(hit)}" for hit, names in groups.items()]

    def _components(self, names: list[str]) -> str:
        everything = len(names) == len(self.the_map.components) > 1
        return f"All {len(names)} components" if everything else ", ".join(names)

    def _clusters(self, hit: tuple[str, ...]) -> str:
        if len(hit) == len(self.the_map.clusters) > 1:
            return f"all {len(hit)} clusters"
        return ", ".join(self.the_map.cluster(one).name for one in hit)


def lasting(seconds: float) -> str:
    """A duration for people: 45 s, 12 min, 3 h 25 min, 2 d 4 h."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def duration(incident: Incident, now: datetime) -> timedelta:
    """How long it lasted: from its opening until all was good again (recovery, else Resolved, else now)."""
    until = incident.recovered_at or incident.resolved_at or now
    return max(timedelta(), until - incident.opened_at)


def counted(rows: Mapping[str, float]) -> str:
    """ "1 h 3 min major outage, 20 s partial outage" of seconds by words, longest first."""
    return ", ".join(f"{lasting(seconds)} {word}" for word, seconds in sorted(rows.items(), key=lambda row: -row[1]))
