"""The time zones to choose from: those of places, by region."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo

REGIONS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def zone(name: str) -> dt.tzinfo:
    """The zone of a name; UTC for a name that no longer is one."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return dt.UTC


@functools.cache
def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Grouped as a select shows them: (region, [(zone, place)]), with UTC last."""
    grouped: dict[str, list[tuple[str, str]]] = {region: [] for region in REGIONS}
    for zone in sorted(zoneinfo.available_timezones()):
        region, _, place = zone.partition("/")
        if place and region in grouped:
            grouped[region].append((zone, place.replace("_", " ").replace("/", ", ")))
    return [*grouped.items(), ("Other", [("UTC", "UTC")])]
