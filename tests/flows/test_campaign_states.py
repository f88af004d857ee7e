"""In every state of a campaign something it needs is taken away: it ends in a state with an exit and a reason, and never sends
what nobody meant."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from django.db import OperationalError

from standfast.components.accounts.api import Membership
from standfast.components.audience.api import List, Subscription
from standfast.components.campaigns import api as campaigns
from standfast.components.campaigns import states, steward
from standfast.components.campaigns.models import Campaign, CampaignState, Hold
from standfast.components.campaigns.tests.test_pages import LETTER, freeze, put, ready, signed_in, stored, url
from standfast.components.content.api import Content
from standfast.components.delivery import api as delivery
from standfast.platform.tenancy import account_scope

__all__ = ["ready"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)
S = CampaignState
HOUR = dt.timedelta(hours=1)
_numbers = itertools.count()


def tend(campaign: Campaign) -> Campaign:
    """Some rounds of what moves this campaign on, as the worker makes them."""
    steward._left_alone.clear()
    for _ in range(3):
        campaign = stored(campaign)
        if campaign.state in steward._STEPS:
            with pytest.MonkeyPatch.context() as patch:
                with account_scope(campaign.account_id):
                    found = [row for row in steward._with_something_to_do() if row[1] == campaign.pk]
                patch.setattr(steward, "_with_something_to_do", lambda rows=found: rows)
                steward.tend()
    return stored(campaign)


def held_because(campaign: Campaign) -> str:
    with account_scope(campaign.account_id):
        return Hold.objects.filter(campaign=campaign, released_at=None).get().detail


def another(campaign: Campaign) -> Campaign:
    """A draft like it, to the same people, with a content, a list and a sending domain of its own."""
    account_id = campaign.account_id
    with account_scope(account_id):
        everybody = List.objects.create(account_id=account_id, name=f"List {next(_numbers)}")
        for contact_id in Subscription.objects.filter(account_id=account_id, list_id=campaign.list_ids[0]).values_list(
            "contact_id", flat=True
        ):
            Subscription.objects.create(account_id=account_id, list_id=everybody.pk, contact_id=contact_id,
                                        status="subscribed", since_at=states.now())  # fmt: skip
        content = Content.objects.create(
            account_id=account_id, name="L", subject="Hi", source=LETTER, source_kind="html"
        )
        domain = f"d{everybody.pk}.example"
        delivery.add_domain(account_id=account_id, domain=domain)
        return Campaign.objects.create(
            account_id=account_id, name="Autumn", from_name="Alice", from_email=f"alice@{domain}", content=content,
            list_ids=[everybody.pk], address="1 High Street", state_since_at=states.now(),
        )  # fmt: skip


def sends_of(campaign: Campaign) -> int:
    with account_scope(campaign.account_id):
        return delivery.Send.objects.filter(account_id=campaign.account_id, campaign_id=campaign.pk).count()


def due(campaign: Campaign) -> Campaign:
    """Scheduled, and its time has come."""
    with account_scope(campaign.account_id):
        Campaign.objects.filter(pk=campaign.pk).update(send_at=states.now() - HOUR)
    return put(campaign, S.SCHEDULED)


def left_out(campaign: Campaign) -> List:
    """A list of its own with one of its people, to be left out."""
    with account_scope(campaign.account_id):
        vips = List.objects.create(account_id=campaign.account_id, name=f"List {next(_numbers)}")
        person = Subscription.objects.filter(account_id=campaign.account_id, list_id=campaign.list_ids[0]).first()
        Subscription.objects.create(account_id=campaign.account_id, list_id=vips.pk, contact_id=person.contact_id,
                                    status="subscribed", since_at=states.now())  # fmt: skip
        Campaign.objects.filter(pk=campaign.pk).update(suppressed_list_ids=[vips.pk])
    return vips


def without_address(campaign: Campaign) -> None:
    type(campaign.account).objects.filter(pk=campaign.account_id).update(address="")
    Campaign.objects.filter(pk=campaign.pk).update(address="")  # so that it is the account's that lacks


def without_domain(campaign: Campaign) -> None:
    domain = campaign.from_email.partition("@")[2]
    delivery.SendingDomain.objects.filter(account_id=campaign.account_id, domain=domain).delete()


TAKEN_AWAY = {
    "content": (lambda campaign: campaign.content.delete(), "No content"),
    "list": (lambda campaign: List.objects.filter(pk__in=campaign.list_ids).delete(), "list does not exist"),
    "list left out": (lambda campaign: left_out(campaign).delete(), "left out does not exist"),
    "sending domain": (without_domain, "not one of"),
    "account's address": (without_address, "postal"),
}


def test_what_is_missing_at_the_freeze_holds_it_and_says_so(cast, ready):
    bob = signed_in(cast.bob)
    for state, what in itertools.product((S.SCHEDULED, S.FREEZING), TAKEN_AWAY):
        take_away, why = TAKEN_AWAY[what]
        campaign = another(ready)
        campaign = due(campaign) if state == S.SCHEDULED else put(campaign, state)
        with account_scope(cast.account.pk):
            take_away(campaign)
        campaign = tend(campaign)
        assert (campaign.state, campaign.send_id) == (S.HELD, None), what
        assert why in held_because(campaign)
        assert why in bob.get(url(campaign)).content.decode()
        bob.post(url(campaign, "resume/"))
        assert stored(campaign).state == S.HELD
        bob.post(url(campaign, "unschedule/"))
        assert bob.get(url(campaign), follow=True).status_code == 200
        bob.post(url(campaign, "send/"))
        assert stored(campaign).state == S.DRAFT, "it cannot leave either"


def test_what_is_frozen_needs_them_no_more(cast, ready):
    bob = signed_in(cast.bob)
    for state, what in itertools.product((S.SENDING, S.PAUSED, S.HELD, S.SENT, S.CANCELLED), TAKEN_AWAY):
        campaign = freeze(another(ready))
        campaign = put(campaign, state)
        with account_scope(cast.account.pk):
            if state == S.SENT:
                delivery.Send.objects.filter(pk=campaign.send_id).update(state=delivery.SendState.FINISHED)
            TAKEN_AWAY[what][0](campaign)
        assert tend(campaign).state == state, what
        assert bob.get(url(campaign)).status_code == 200
        bob.post(url(campaign, "send/"))  # from a page that was open since before
        assert tend(campaign).state == state
        assert sends_of(campaign) == 1, "nobody gets it twice"
        if state in (S.PAUSED, S.HELD):
            bob.post(url(campaign, "resume/"))
            assert tend(campaign).state == S.SENDING
        if state not in (S.SENT, S.CANCELLED):
            bob.post(url(campaign, "cancel/"))
            assert tend(campaign).state == S.CANCELLED


def test_whoever_made_it_may_leave(cast, ready):
    made = {}
    for state in S:
        campaign = another(ready)
        with account_scope(cast.account.pk):
            Campaign.objects.filter(pk=campaign.pk).update(created_by_id=cast.alice.pk, send_at=states.now() - HOUR)
        early = state in (S.DRAFT, S.SCHEDULED, S.FREEZING)
        made[state] = put(campaign, state) if early else put(freeze(campaign), state)
    with account_scope(cast.account.pk):
        Membership.objects.filter(account=cast.account, user=cast.alice).delete()
        cast.alice.delete()
    bob = signed_in(cast.bob)
    for state, campaign in made.items():
        assert tend(campaign).state == (S.SENDING if state in (S.SCHEDULED, S.FREEZING) else state)
        assert bob.get(url(campaign), follow=True).status_code == 200


def test_a_held_campaign_that_has_begun_is_never_frozen_again(cast, ready):
    campaign = freeze(ready)
    with account_scope(cast.account.pk):
        states.hold(
            states.locked(account_id=cast.account.pk, campaign_id=campaign.pk), reason="route", detail="refused"
        )
    answer = signed_in(cast.bob).post(url(campaign, "send/"), follow=True)
    assert "begun to leave" in answer.content.decode()
    put(campaign, S.FREEZING)  # and were it in that state all the same
    campaign = tend(campaign)
    assert campaign.state == S.HELD
    assert sends_of(campaign) == 1
    with account_scope(cast.account.pk):
        campaigns.resume(account_id=cast.account.pk, campaign_id=campaign.pk)
    assert stored(campaign).state == S.SENDING


def test_a_step_that_fails_holds_it_in_every_state(cast, ready, monkeypatch):
    def breaks(_: Campaign) -> int:
        raise KeyError("a bug of ours")

    for state in (S.SCHEDULED, S.FREEZING, S.SENDING, S.PAUSED):
        campaign = put(due(another(ready)), state)
        with account_scope(cast.account.pk):
            Campaign.objects.filter(pk=campaign.pk).update(state_since_at=states.now() - dt.timedelta(days=31))
        monkeypatch.setitem(steward._STEPS, state, breaks)
        campaign = tend(campaign)
        monkeypatch.undo()
        assert campaign.state == S.HELD
        assert "KeyError" in held_because(campaign)


def test_a_freeze_that_the_database_refuses_waits_lets_others_pass_and_is_held_in_the_end(cast, ready, monkeypatch):
    campaign = put(ready, S.FREEZING)

    def full(**_: object) -> None:
        raise OperationalError("could not extend file: No space left on device\nHINT: Check free disk space.")

    monkeypatch.setattr(delivery, "freeze_send", full)
    assert tend(campaign).state == S.FREEZING
    with account_scope(cast.account.pk):
        Campaign.objects.filter(pk=campaign.pk).update(state_since_at=states.now() - 2 * HOUR)
    campaign = tend(campaign)
    assert campaign.state == S.HELD
    assert "No space left" in held_because(campaign)
    assert "No space left" in signed_in(cast.bob).get(url(campaign)).content.decode()
    monkeypatch.undo()
    signed_in(cast.bob).post(url(campaign, "resume/"))
    assert tend(campaign).state == S.SENDING


def test_the_page_says_why_a_send_does_not_get_on(cast, ready):
    campaign = freeze(ready)
    with account_scope(cast.account.pk):
        delivery.Send.objects.filter(pk=campaign.send_id).update(problem="there is no host relay.example")
    page = signed_in(cast.bob).get(url(campaign)).content.decode()
    assert "there is no host relay.example" in page


def test_everything_has_left_before_it_is_stopped(cast, ready):
    campaign = freeze(ready)
    with account_scope(cast.account.pk):
        delivery.Send.objects.filter(pk=campaign.send_id).update(state=delivery.SendState.FINISHED)
    bob = signed_in(cast.bob)
    for action in ("cancel/", "pause/"):
        assert "left already" in bob.post(url(campaign, action), follow=True).content.decode()
    assert tend(campaign).state == S.SENT


def test_a_clock_that_jumps_neither_loses_a_scheduled_campaign_nor_sends_it_twice(cast, ready, monkeypatch):
    real = states.now
    with account_scope(cast.account.pk):
        campaigns.schedule(account_id=cast.account.pk, campaign_id=ready.pk, at=real() + dt.timedelta(minutes=30))
    monkeypatch.setattr(states, "now", lambda: real() - HOUR)
    assert tend(ready).state == S.SCHEDULED
    monkeypatch.setattr(states, "now", lambda: real() + HOUR)
    campaign = tend(ready)
    assert campaign.state == S.SENDING, "due by the clock, and once"
    monkeypatch.setattr(states, "now", lambda: real() - HOUR)
    assert tend(campaign).state == S.SENDING
    assert sends_of(campaign) == 1
