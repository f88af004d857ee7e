"""What can be done with a campaign: what is offered is legal, what is not offered is refused and moves nothing."""

import datetime as dt

import pytest
from django.db import transaction

from standfast.components.campaigns import actions, states
from standfast.components.campaigns.drafts import change_draft
from standfast.components.campaigns.models import Campaign, CampaignState
from standfast.components.campaigns.options import options
from standfast.components.delivery.api import Send
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
S = CampaignState
LATER = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
BEGUN = (S.SENDING, S.PAUSED, S.HELD, S.SENT, S.CANCELLED)
ACTIONS = {
    "send": lambda **which: actions.schedule(at=None, **which),
    "schedule": lambda **which: actions.schedule(at=LATER, **which),
    "unschedule": actions.unschedule,
    "pause": actions.pause,
    "resume": actions.resume,
    "cancel": actions.cancel,
    "resend-uncertain": actions.resend_uncertain,
    "delete": actions.delete,
    "change": lambda **which: change_draft(states.locked(**which), {"subject": "New"}),
}


class Back(Exception):
    """Whatever was done is taken back."""


def is_legal(action: str, campaign: Campaign) -> bool:
    legal = True
    try:
        with transaction.atomic():
            try:
                ACTIONS[action](account_id=campaign.account_id, campaign_id=campaign.pk)
            except actions.NotReady:
                pass  # it could be, were it complete
            except states.IllegalMove:
                legal = False
            raise Back
    except Back:
        return legal


@pytest.mark.parametrize("begun", [False, True])
def test_what_is_offered_is_what_is_legal_in_each_state(cast, begun):
    with account_scope(cast.account.pk):
        send = Send.objects.create(account=cast.account, sources={}, nonce="x") if begun else None
        campaign = Campaign.objects.create(account=cast.account, name="One", send=send, state_since_at=states.now())
        for state in BEGUN if begun else S:
            Campaign.objects.filter(pk=campaign.pk).update(state=state)
            campaign.refresh_from_db()
            assert [name for name in ACTIONS if is_legal(name, campaign)] == [
                name for name in ACTIONS if name in options(campaign)
            ], state
