"""The kinds of log entries. `docs/operations.md` lists the data of each; squares are [component, cluster]."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What an entry of the operations log says."""

    STARTED = "started"
    CHECK_DOWN = "check_down"
    CHECK_UP = "check_up"
    VANTAGE_ABSENT = "vantage_absent"
    VANTAGE_BACK = "vantage_back"
    BLIND = "blind"
    SIGHTED = "sighted"
    GAP = "gap"
    CHANGE_ANNOUNCED = "change_announced"
    DRIFT_FOUND = "drift_found"
    DRIFT_GONE = "drift_gone"
    FAILOVER_ORDERED = "failover_ordered"  # by a person, for the controller to carry out
    FAILOVER_DECIDED = "failover_decided"
    FAILOVER_PROVIDER = "failover_provider"
    FAILOVER_DONE = "failover_done"
    FAILOVER_REFUSED = "failover_refused"
    INCIDENT_OPENED = "incident_opened"
    INCIDENT_GREW = "incident_grew"
    INCIDENT_REOPENED = "incident_reopened"
    INCIDENT_FLAPPING = "incident_flapping"
    INCIDENT_RECOVERED = "incident_recovered"
    POST = "post"
    POST_EDITED = "post_edited"
    POST_VETOED = "post_vetoed"
    MAINTENANCE_SCHEDULED = "maintenance_scheduled"
    MAINTENANCE_CHANGED = "maintenance_changed"
    MAINTENANCE_STARTED = "maintenance_started"
    MAINTENANCE_ENDED = "maintenance_ended"
    MAINTENANCE_CANCELLED = "maintenance_cancelled"
    POSTMORTEM_DRAFTED = "postmortem_drafted"
    POSTMORTEM_EDITED = "postmortem_edited"
    POSTMORTEM_PUBLISHED = "postmortem_published"
    COUNTED = "counted"


class Stage(StrEnum):
    """The status of an incident (Statuspage's words)."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    POSTMORTEM = "postmortem"


class Impact(StrEnum):
    """How bad, by the share of accounts that are hit."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


# From a stage to those a post may go on to; the same stage again is an update. Reopening leads back to Investigating.
LEGAL = {
    None: {Stage.INVESTIGATING, Stage.IDENTIFIED},
    Stage.INVESTIGATING: {Stage.INVESTIGATING, Stage.IDENTIFIED, Stage.MONITORING, Stage.RESOLVED},
    Stage.IDENTIFIED: {Stage.IDENTIFIED, Stage.INVESTIGATING, Stage.MONITORING, Stage.RESOLVED},
    Stage.MONITORING: {Stage.MONITORING, Stage.INVESTIGATING, Stage.IDENTIFIED, Stage.RESOLVED},
    Stage.RESOLVED: {Stage.RESOLVED, Stage.INVESTIGATING, Stage.POSTMORTEM},
    Stage.POSTMORTEM: {Stage.POSTMORTEM, Stage.INVESTIGATING},
}
