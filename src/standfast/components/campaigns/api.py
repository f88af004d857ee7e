"""The face of campaigns."""

from standfast.components.campaigns.actions import (
    NotReady,
    cancel,
    duplicate,
    pause,
    resend_uncertain,
    resume,
    schedule,
    test_send,
    unschedule,
)
from standfast.components.campaigns.lateness import late_campaigns
from standfast.components.campaigns.models import Campaign, CampaignState, Hold
from standfast.components.campaigns.preflight import Finding, Preflight, check
from standfast.components.campaigns.progress import Progress, progress_of
from standfast.components.campaigns.states import IllegalMove
from standfast.components.campaigns.steward import tend

__all__ = [
    "Campaign",
    "CampaignState",
    "Finding",
    "Hold",
    "IllegalMove",
    "NotReady",
    "Preflight",
    "Progress",
    "cancel",
    "check",
    "duplicate",
    "late_campaigns",
    "pause",
    "progress_of",
    "resend_uncertain",
    "resume",
    "schedule",
    "tend",
    "test_send",
    "unschedule",
]
