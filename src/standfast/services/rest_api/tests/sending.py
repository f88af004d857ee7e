"""A campaign of Alice's that was sent, with its responses."""

from standfast.components.campaigns.api import Campaign
from standfast.components.delivery.api import Send
from standfast.platform.tenancy import account_scope


def campaign_of(sent):
    with account_scope(sent.account_id):
        campaign = Campaign.objects.create(
            account_id=sent.account_id, name="Spring", send_id=sent.send_id, state="sent"
        )
        Send.objects.filter(pk=sent.send_id).update(campaign_id=campaign.pk)
    return campaign.pk
