"""The face of transactional."""

from standfast.components.transactional.campaigns import NameTaken, campaign_named, create_campaign
from standfast.components.transactional.models import TransactionalCampaign
from standfast.components.transactional.submitting import Finished, Recipient, Refused, Templated, deliver

__all__ = [
    "Finished",
    "NameTaken",
    "Recipient",
    "Refused",
    "Templated",
    "TransactionalCampaign",
    "campaign_named",
    "create_campaign",
    "deliver",
]
