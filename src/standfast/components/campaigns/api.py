"""The face of campaigns."""

from standfast.components.campaigns.models import Campaign, CampaignState

__all__ = ["Campaign", "CampaignState"]
