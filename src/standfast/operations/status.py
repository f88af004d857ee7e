"""The states that a field of the matrix can be in, in the words of the field (Statuspage's API uses the same)."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """From best to worst; `max(..., key=Status.rank)` is the worst."""

    OPERATIONAL = "operational"
    NOT_MONITORED = "not_monitored"  # nothing shows whether it works: never counted as up
    UNDER_MAINTENANCE = "under_maintenance"
    DEGRADED_PERFORMANCE = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"

    @property
    def rank(self) -> int:
        return list(Status).index(self)

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()
