"""The dashboard: first steps with ticks, what runs, what needs somebody; each account its own."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.visitors import signed_in

from standfast.components.audience.api import Contact, Import
from standfast.components.campaigns.api import Campaign, CampaignState, Hold
from standfast.components.content.api import Content
from standfast.components.delivery.api import Send
from standfast.components.tracking.api import SendCounter
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


def url(account, rest=""):
    return f"/accounts/{account.pk}/{rest}"


def sent(account, name="Autumn", **counters) -> Campaign:
    """A campaign that was sent, with figures of its roll-up."""
    now = dt.datetime.now(dt.UTC)
    with account_scope(account.pk):
        send = Send.objects.create(account=account, sources={}, total=100, nonce="x", state="finished")
        for counter, value in counters.items():
            SendCounter.objects.create(account_id=account.pk, send_id=send.pk, name=counter, value=value)
        return Campaign.objects.create(account=account, name=name, state=CampaignState.SENT, send=send, finished_at=now)


def test_a_new_account_is_led_through_its_first_steps(cast):
    alice = signed_in(cast.alice)
    shown = alice.get(url(cast.account)).content.decode()
    assert "Bring your people" in shown
    assert shown.count('class="is-done"') == 0
    now = dt.datetime.now(dt.UTC)
    with account_scope(cast.account.pk):
        Contact.objects.create(
            account_id=cast.account.pk,
            id=1,
            email="a@b.example",
            email_key="a@b.example",
            created_at=now,
            updated_at=now,
        )
        Content.objects.create(account=cast.account, name="Letter")
    assert alice.get(url(cast.account, "dashboard/first-steps/")).content.decode().count('class="is-done"') == 2
    sent(cast.account)
    assert alice.get(url(cast.account, "dashboard/first-steps/")).headers["HX-Refresh"] == "true"
    assert "Bring your people" not in alice.get(url(cast.account)).content.decode()


def test_results_are_shares_of_what_was_delivered(cast):
    sent(cast.account, delivered=100, opens_unique=40, clicks_unique=5)
    shown = signed_in(cast.bob).get(url(cast.account)).content.decode()
    assert "40\u202f%" in shown
    assert "5\u202f%" in shown


def test_what_needs_somebody_is_named(cast):
    campaign = sent(cast.account, uncertain=3)
    with account_scope(cast.account.pk):
        held = Campaign.objects.create(account=cast.account, name="Winter", state=CampaignState.HELD)
        Hold.objects.create(account=cast.account, campaign=held, reason="route", detail="No answer from mail.test.")
        Import.objects.create(
            account=cast.account, file_name="people.csv", path="x", size_bytes=1, state="failed", problem="It is empty."
        )
        type(cast.account).objects.filter(pk=cast.account.pk).update(address="")
    shown = signed_in(cast.bob).get(url(cast.account)).content.decode()
    for text in (
        "Winter",
        "No answer from mail.test.",
        "3 messages",
        "people.csv",
        "no postal address",
        "no sending domain",
    ):
        assert text in shown, text
    assert f"/campaigns/{campaign.pk}/" in shown


def test_what_runs_is_polled_and_the_page_comes_anew_when_it_ends(cast):
    with account_scope(cast.account.pk):
        send = Send.objects.create(account=cast.account, sources={}, total=0, nonce="x")
        campaign = Campaign.objects.create(account=cast.account, name="Spring", state=CampaignState.SENDING, send=send)
    bob = signed_in(cast.bob)
    assert "Spring" in bob.get(url(cast.account)).content.decode()
    poll = url(cast.account, f"dashboard/running/?shown={campaign.pk}-sending")
    assert "Spring" in bob.get(poll).content.decode()
    with account_scope(cast.account.pk):
        Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.PAUSED)
    assert bob.get(poll).headers["HX-Refresh"] == "true"


def test_people_by_day(cast):
    now = dt.datetime.now(dt.UTC)
    with account_scope(cast.account.pk):
        for number, age in ((1, 0), (2, 3), (3, 90)):
            email = f"{number}@b.example"
            Contact.objects.create(account_id=cast.account.pk, id=number, email=email, email_key=email,
                                   created_at=now - dt.timedelta(days=age), updated_at=now)  # fmt: skip
    shown = signed_in(cast.bob).get(url(cast.account, "dashboard/growth/")).content.decode()
    assert "3 in all, 2 new" in shown


def test_charlie_sees_nothing(cast):
    sent(cast.account, name="Secret")
    charlie = signed_in(cast.charlie)
    for rest in ("", "dashboard/running/", "dashboard/first-steps/", "dashboard/growth/"):
        assert charlie.get(url(cast.account, rest)).status_code == 404
        assert "Secret" not in charlie.get(url(cast.other, rest)).content.decode()


def test_it_asks_as_often_for_many_as_for_one(cast):
    bob = signed_in(cast.bob)
    sent(cast.account)
    bob.get(url(cast.account))
    with CaptureQueriesContext(connection) as few:
        bob.get(url(cast.account))
    for number in range(10):
        sent(cast.account, name=f"Campaign {number}")
    with CaptureQueriesContext(connection) as many:
        bob.get(url(cast.account))
    assert len(many) == len(few) <= 24
