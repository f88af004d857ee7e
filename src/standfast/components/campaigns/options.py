"""What can be done with a campaign as it stands, by the names that programs call it."""

from __future__ import annotations

from standfast.components.campaigns.models import Campaign, CampaignState
from standfast.components.campaigns.states import MOVES

S = CampaignState
DELETABLE = (S.DRAFT, S.SCHEDULED, S.CANCELLED, S.HELD)


def options(campaign: Campaign) -> list[str]:
    """Of change, send, schedule, unschedule, pause, resume, cancel, resend-uncertain and delete those that are legal now.

    Whether the pre-flight lets it leave, and whether the last message left a moment ago, is found out when it is tried.
    """
    state, begun, to = campaign.state, campaign.send_id is not None, MOVES[campaign.state]
    legal = {
        "change": state == S.DRAFT,
        "send": S.FREEZING in to and not begun,
        "schedule": S.SCHEDULED in to and not begun,
        "unschedule": S.DRAFT in to and not begun,
        "pause": S.PAUSED in to,
        "resume": state in (S.PAUSED, S.HELD),
        "cancel": S.CANCELLED in to,
        "resend-uncertain": state in (S.SENT, S.SENDING) and begun,
        "delete": may_delete(campaign),
    }
    return [name for name, is_legal in legal.items() if is_legal]


def may_delete(campaign: Campaign) -> bool:
    """Only what was never sent: the books of a send stay."""
    return campaign.send_id is None and campaign.state in DELETABLE
