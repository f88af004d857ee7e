"""The shapes of Statuspage's public API v2, as strict models: a field too many or too few is an error.

From its public documentation (GET /api/v2/summary.json and the others); what is nullable there is nullable here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Stamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$")]
ShortId = Annotated[str, Field(pattern=r"^[a-z0-9]{12}$")]
Address = Annotated[str, Field(pattern=r"^https?://\S+$")]
ComponentStatus = Literal[
    "operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"
]  # fmt: skip


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Page(Shape):
    id: ShortId
    name: str
    url: Address
    time_zone: str
    updated_at: Stamp


class OverallStatus(Shape):
    indicator: Literal["none", "minor", "major", "critical", "maintenance"]
    description: str


class Component(Shape):
    id: ShortId
    name: str
    status: ComponentStatus
    created_at: Stamp
    updated_at: Stamp
    position: int
    description: str | None
    showcase: bool
    start_date: str | None
    group_id: ShortId | None
    page_id: ShortId
    group: bool
    only_show_if_degraded: bool
    components: list[ShortId] | None = None


class Affected(Shape):
    code: ShortId
    name: str
    old_status: ComponentStatus
    new_status: ComponentStatus


class Update(Shape):
    id: str
    status: Literal[
        "investigating", "identified", "monitoring", "resolved", "postmortem",
        "scheduled", "in_progress", "verifying", "completed",
    ]  # fmt: skip
    body: str
    incident_id: str
    created_at: Stamp
    updated_at: Stamp
    display_at: Stamp
    affected_components: list[Affected] | None
    deliver_notifications: bool
    custom_tweet: None
    tweet_id: None


class Incident(Shape):
    id: str
    name: str
    status: Literal["investigating", "identified", "monitoring", "resolved", "postmortem"]
    created_at: Stamp
    updated_at: Stamp
    monitoring_at: Stamp | None
    resolved_at: Stamp | None
    impact: Literal["none", "minor", "major", "critical"]
    shortlink: Address
    started_at: Stamp
    page_id: ShortId
    incident_updates: list[Update]
    components: list[Component]
    reminder_intervals: None


class Maintenance(Incident):
    status: Literal["scheduled", "in_progress", "verifying", "completed"]  # type: ignore[assignment]
    impact: Literal["maintenance"]  # type: ignore[assignment]
    scheduled_for: Stamp
    scheduled_until: Stamp


class Summary(Shape):
    page: Page
    components: list[Component]
    incidents: list[Incident]
    scheduled_maintenances: list[Maintenance]
    status: OverallStatus


class StatusFile(Shape):
    page: Page
    status: OverallStatus


class Components(Shape):
    page: Page
    components: list[Component]


class Incidents(Shape):
    page: Page
    incidents: list[Incident]


class Maintenances(Shape):
    page: Page
    scheduled_maintenances: list[Maintenance]


SHAPES: dict[str, type[Shape]] = {
    "summary": Summary,
    "status": StatusFile,
    "components": Components,
    "incidents": Incidents,
    "incidents/unresolved": Incidents,
    "scheduled-maintenances": Maintenances,
    "scheduled-maintenances/upcoming": Maintenances,
    "scheduled-maintenances/active": Maintenances,
}
