"""What moves campaigns on: one that fails keeps nobody else's from leaving."""

import pytest

from standfast.components.campaigns import states, steward
from standfast.components.campaigns.models import Campaign, CampaignState, Hold
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
S = CampaignState


def test_a_campaign_whose_step_fails_is_held_and_the_others_go_on(cast, monkeypatch):
    made = {}
    for account in (cast.account, cast.other):
        with account_scope(account.pk):
            made[account.pk] = Campaign.objects.create(
                account=account, name="One", state=S.FREEZING, state_since_at=states.now()
            )
    freeze = steward._STEPS[S.FREEZING]

    def breaks(campaign: Campaign) -> int:
        if campaign.account_id == cast.account.pk:
            raise KeyError("a bug of ours")
        return freeze(campaign)

    monkeypatch.setitem(steward._STEPS, S.FREEZING, breaks)
    rows = [(pk, campaign.pk, S.FREEZING) for pk, campaign in made.items()]
    monkeypatch.setattr(steward, "_with_something_to_do", lambda: rows)
    steward.tend()
    found = {}
    for pk, campaign in made.items():
        with account_scope(pk):
            assert Campaign.objects.get(pk=campaign.pk).state == S.HELD
            found[pk] = Hold.objects.get(campaign=campaign).reason
    assert found == {cast.account.pk: "error", cast.other.pk: "pre-flight"}
