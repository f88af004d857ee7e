"""Campaigns that should have begun to leave and have not: what the health of sending is judged by."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from standfast.components.campaigns.models import Campaign, CampaignState

LATE = dt.timedelta(minutes=2)


def late_campaigns() -> int:
    """How many are due for two minutes and still only scheduled, over all accounts. As the worker's role."""
    return Campaign.objects.filter(state=CampaignState.SCHEDULED, send_at__lt=timezone.now() - LATE).count()
