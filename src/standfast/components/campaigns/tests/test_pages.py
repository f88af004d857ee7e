"""Campaigns' pages with Django's client: four steps, two tabs, every button, and who may not."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.visitors import reader_of, signed_in

from standfast.components.audience.api import Contact, List, Subscription
from standfast.components.campaigns import progress, states, steward
from standfast.components.campaigns.models import Campaign, CampaignState, Hold
from standfast.components.content.api import Content
from standfast.components.delivery import api as delivery
from standfast.components.tracking.api import SendCounter
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
LETTER = '<p>Hello {{ contact.first_name }}</p><p>{{ campaign.address }}</p><a href="{{ campaign.unsubscribe_url }}">Leave</a>'
S = CampaignState


def add_people(account, names, mailing_list):
    now = dt.datetime.now(dt.UTC)
    with account_scope(account.pk), connection.cursor() as cursor:
        for name in names:
            cursor.execute("SELECT nextval('audience_contact_id')")
            number = cursor.fetchone()[0]
            email = f"{name}@readers.example"
            Contact.objects.create(account_id=account.pk, id=number, email=email, email_key=email, first_name=name.title(),
                                   created_at=now, updated_at=now)  # fmt: skip
            Subscription.objects.create(account_id=account.pk, list_id=mailing_list.pk, contact_id=number, status="subscribed",
                                        since_at=now)  # fmt: skip


@pytest.fixture
def ready(cast) -> Campaign:
    """Alice's draft that could leave: two people, a letter, a sending domain."""
    with account_scope(cast.account.pk):
        mailing_list = List.objects.create(account=cast.account, name="Newsletter")
        content = Content.objects.create(
            account=cast.account, name="Letter", subject="Hi", source=LETTER, source_kind="html"
        )
        domain = f"{secrets.token_hex(4)}.example"
        delivery.add_domain(account_id=cast.account.pk, domain=domain)
        campaign = Campaign.objects.create(
            account=cast.account, name="Autumn", from_name="Alice", from_email=f"alice@{domain}", content=content,
            list_ids=[mailing_list.pk], state_since_at=states.now(),
        )  # fmt: skip
    add_people(cast.account, ["ada", "ben"], mailing_list)
    return campaign


def url(campaign_or_account, rest=""):
    if isinstance(campaign_or_account, Campaign):
        return f"/accounts/{campaign_or_account.account_id}/campaigns/{campaign_or_account.pk}/{rest}"
    return f"/accounts/{campaign_or_account.pk}/campaigns/{rest}"


def stored(campaign) -> Campaign:
    with account_scope(campaign.account_id):
        return Campaign.objects.get(pk=campaign.pk)


def put(campaign, state) -> Campaign:
    with account_scope(campaign.account_id):
        Campaign.objects.filter(pk=campaign.pk).update(state=state, state_since_at=states.now())
    return stored(campaign)


def freeze(campaign) -> Campaign:
    """As the worker does: the audience becomes a send."""
    put(campaign, S.FREEZING)
    with account_scope(campaign.account_id):
        steward._freeze(states.locked(account_id=campaign.account_id, campaign_id=campaign.pk))
    return stored(campaign)


def seen_in(client, page) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', client.get(page).content.decode())
    assert found
    return found[1]


def details(campaign, **changes):
    return {"name": campaign.name, "subject": "", "preheader": "", "from_name": "Alice", "from_email": campaign.from_email,
            "reply_to": "", "address": "", "language": "en", **changes}  # fmt: skip


def test_a_campaign_is_made_once_and_led_through_its_steps(cast, ready):
    bob = signed_in(cast.bob)
    assert "Alice" in bob.get(url(cast.account, "new/")).content.decode(), "what the last campaign had"
    made = [bob.post(url(cast.account, "new/"), details(ready, name="Winter")) for _ in range(2)]
    assert made[0].url == made[1].url
    page = made[0].url
    chosen = bob.post(page, {"list_ids": ready.list_ids, "seen": seen_in(bob, page)})
    assert chosen.url.endswith("/content/")
    written = bob.post(chosen.url, {"content_id": ready.content_id, "seen": seen_in(bob, chosen.url)})
    assert written.url.endswith("/schedule/")
    body = {"when": "now", "rate_per_minute": "600", "seen": seen_in(bob, written.url), "send": "1"}
    shown = bob.post(written.url, body)
    with account_scope(cast.account.pk):
        campaign = Campaign.objects.get(account_id=cast.account.pk, name="Winter")
    assert shown.url == url(campaign)
    assert (campaign.state, campaign.rate_per_minute) == (S.FREEZING, 600)
    assert bob.post(written.url, body).url == url(campaign), "pressed twice, sent once"
    assert bob.get(url(campaign)).status_code == 200


def test_every_step_shows_and_the_checks_pass(cast, ready):
    bob = signed_in(cast.bob)
    for step in ("details/", "people/", "content/", "schedule/", "test/"):
        answer = bob.get(url(ready, step))
        assert answer.status_code == 200, step
        assert "Autumn" in answer.content.decode()
    assert "Ready to send" in bob.get(url(ready, "checks/")).content.decode()
    assert bob.get(url(ready)).url == url(ready, "schedule/")


def test_the_checks_name_the_line_and_where_it_is_mended(cast, ready):
    with account_scope(cast.account.pk):
        Content.objects.filter(pk=ready.content_id).update(source="<p>\n{% if contact.email %}</p>")
    shown = signed_in(cast.bob).get(url(ready, "checks/")).content.decode()
    assert "line 2" in shown
    assert f"/content/{ready.content_id}/?back=" in shown


def test_people_are_counted_while_they_are_chosen(cast, ready):
    with account_scope(cast.account.pk):
        first = Subscription.objects.filter(account_id=cast.account.pk, list_id=ready.list_ids[0]).first()
        assert first
        Subscription.objects.filter(account_id=cast.account.pk, contact_id=first.contact_id).update(
            status="unsubscribed"
        )
    bob = signed_in(cast.bob)
    shown = bob.get(url(ready, "people/count/"), {"list_ids": ready.list_ids}).content.decode()
    assert re.search(r"sf-bignumber\">1<", shown)
    assert "Unsubscribed from the lists" in shown
    assert bob.get(url(ready, "people/count/"), {"list_ids": ["x", "-1", "9" * 30]}).status_code == 200


def test_large_sends_are_read_from_the_roll_ups(cast, ready, monkeypatch):
    campaign = freeze(ready)
    monkeypatch.setattr(progress, "LEDGER_MAX", 1)
    with account_scope(cast.account.pk):
        for name, value in (("delivered", 2), ("bounced", 1), ("bounced_later", 1)):
            SendCounter.objects.create(account_id=cast.account.pk, send_id=campaign.send_id, name=name, value=value)
        delivery.Send.objects.filter(pk=campaign.send_id).update(total=5)
        found = progress.progress_of(Campaign.objects.get(pk=campaign.pk))
    assert (found.total, found.done, found.open) == (5, 2, 3)
    assert (found.books["delivered"], found.books["bounced"]) == (1, 1)


def test_sizes_of_lists_come_after_the_page(cast, ready):
    shown = signed_in(cast.bob).get(url(cast.account, "list-sizes/")).content.decode()
    assert re.search(rf'id="size-{ready.list_ids[0]}" hx-swap-oob="true">2<', shown)


def test_two_tabs_on_one_step_lose_nothing(cast, ready):
    page = url(ready, "details/")
    alice, bob = signed_in(cast.alice), signed_in(cast.bob)
    seen = seen_in(alice, page)
    assert seen == seen_in(bob, page)
    assert alice.post(page, details(ready, subject="Alice's", seen=seen)).status_code == 302
    answer = bob.post(page, details(ready, subject="Bob's", seen=seen))
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "Bob&#x27;s" in shown
    assert "Alice&#x27;s" in shown
    assert stored(ready).subject == "Alice's"
    over = re.search(r'name="over" value="([^"]+)"', shown)
    assert over
    assert bob.post(page, details(ready, subject="Bob's", seen=seen, over=over[1])).status_code == 302
    assert stored(ready).subject == "Bob's"


def test_two_tabs_on_two_steps_do_not_meet(cast, ready):
    bob = signed_in(cast.bob)
    seen_people, seen_details = seen_in(bob, url(ready, "people/")), seen_in(bob, url(ready, "details/"))
    assert bob.post(url(ready, "details/"), details(ready, subject="New", seen=seen_details)).status_code == 302
    assert bob.post(url(ready, "people/"), {"list_ids": ready.list_ids, "seen": seen_people}).status_code == 302
    assert stored(ready).subject == "New"


def test_a_step_of_a_campaign_that_left_meanwhile_changes_nothing(cast, ready):
    put(ready, S.SENDING)
    bob = signed_in(cast.bob)
    assert bob.post(url(ready, "details/"), details(ready, subject="Too late")).url == url(ready)
    assert stored(ready).subject == ""


def test_a_scheduled_time_is_the_accounts_wall_clock(cast, ready):
    with account_scope(cast.account.pk):
        type(cast.account).objects.filter(pk=cast.account.pk).update(time_zone="America/Toronto")
    bob = signed_in(cast.bob)
    day = (dt.datetime.now(dt.UTC) + dt.timedelta(days=40)).date()
    answer = bob.post(url(ready, "schedule/"), {"when": "at", "date": day.isoformat(), "time": "09:30", "send": "1"})
    assert answer.url == url(ready)
    campaign = stored(ready)
    assert campaign.state == S.SCHEDULED
    assert campaign.send_at == dt.datetime.combine(day, dt.time(9, 30), ZoneInfo("America/Toronto"))
    shown = bob.get(url(ready)).content.decode()
    assert "09:30" in shown
    assert f"{campaign.send_at.astimezone(dt.UTC):%H:%M} UTC" in shown
    assert bob.post(url(ready, "unschedule/")).status_code == 302
    assert stored(ready).state == S.DRAFT


@pytest.mark.parametrize(
    ("date", "time", "says"),
    [
        ("2020-01-01", "09:30", "has passed"),
        ("2027-03-14", "02:30", "does not exist"),
        ("", "", "Choose a day"),
        ("x", "y", "valid"),
    ],
)
def test_times_that_cannot_be_are_refused_with_a_reason(cast, ready, date, time, says):
    with account_scope(cast.account.pk):
        type(cast.account).objects.filter(pk=cast.account.pk).update(time_zone="America/New_York")
    answer = signed_in(cast.bob).post(url(ready, "schedule/"), {"when": "at", "date": date, "time": time, "send": "1"})
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert stored(ready).state == S.DRAFT
    assert (
        signed_in(cast.bob)
        .get(f"/accounts/{cast.account.pk}/campaigns/wall-clock/", {"date": date, "time": time})
        .status_code
        == 200
    )


def test_what_is_not_ready_does_not_leave_and_says_why(cast, ready):
    with account_scope(cast.account.pk):
        Campaign.objects.filter(pk=ready.pk).update(list_ids=[])
    bob = signed_in(cast.bob)
    answer = bob.post(url(ready, "schedule/"), {"when": "now", "send": "1"}, follow=True)
    assert "No list is chosen" in answer.content.decode()
    assert stored(ready).state == S.DRAFT


def test_a_running_campaign_shows_books_pauses_goes_on_and_is_cancelled(cast, ready):
    campaign = freeze(ready)
    bob = signed_in(cast.bob)
    shown = bob.get(url(campaign)).content.decode()
    assert "0 of 2" in shown
    poll = re.search(r'hx-get="([^"]+progress/[^"]+)"', shown)
    assert poll
    answer = bob.get(poll[1].replace("&amp;", "&"))
    assert answer.status_code == 200
    assert "HX-Refresh" not in answer.headers
    bob.post(url(campaign, "pause/"))
    assert stored(campaign).state == S.PAUSED
    assert bob.get(poll[1].replace("&amp;", "&")).headers["HX-Refresh"] == "true"
    assert "Was paused" in bob.get(url(campaign)).content.decode()
    bob.post(url(campaign, "resume/"))
    assert stored(campaign).state == S.SENDING
    bob.post(url(campaign, "cancel/"))
    assert stored(campaign).state == S.CANCELLED
    again = bob.post(url(campaign, "cancel/"), follow=True)
    assert "cannot become cancelled" in again.content.decode()
    assert bob.post(url(campaign, "delete/"), follow=True).status_code == 200
    assert stored(campaign).state == S.CANCELLED, "its books stay"


@pytest.mark.parametrize(
    "query", ["done=x&at=y", "done=-5&at=nan&rate=inf", "done=1&at=1e400&rate=nan", "state=sending"]
)
def test_a_strange_question_about_progress_is_answered(cast, ready, query):
    campaign = freeze(ready)
    assert signed_in(cast.bob).get(url(campaign, f"progress/?{query}")).status_code == 200


def test_a_held_campaign_says_why_and_what_to_do(cast, ready):
    campaign = freeze(ready)
    with account_scope(cast.account.pk):
        states.hold(
            states.locked(account_id=cast.account.pk, campaign_id=campaign.pk),
            reason="route",
            detail="No answer from mail.test.",
        )
        assert Hold.objects.filter(account_id=cast.account.pk).exists()
    shown = signed_in(cast.bob).get(url(campaign)).content.decode()
    assert "No answer from mail.test." in shown
    assert "Go on" in shown


def test_what_was_held_before_it_began_can_be_edited_and_nothing_later(cast, ready):
    put(ready, S.FREEZING)
    with account_scope(cast.account.pk):
        states.hold(
            states.locked(account_id=cast.account.pk, campaign_id=ready.pk), reason="pre-flight", detail="No address."
        )
    bob = signed_in(cast.bob)
    assert "Edit" in bob.get(url(ready)).content.decode()
    bob.post(url(ready, "unschedule/"))
    assert stored(ready).state == S.DRAFT
    campaign = freeze(ready)
    with account_scope(cast.account.pk):
        states.hold(
            states.locked(account_id=cast.account.pk, campaign_id=campaign.pk), reason="route", detail="No answer."
        )
    assert "has begun to leave" in bob.post(url(campaign, "unschedule/"), follow=True).content.decode()
    assert stored(campaign).state == S.HELD


def test_uncertain_messages_go_again_when_a_person_says_so(cast, ready):
    campaign = freeze(ready)
    with account_scope(cast.account.pk):
        delivery.Recipient.objects.filter(account_id=cast.account.pk, send_id=campaign.send_id, seq=1).update(status=4)
        delivery.Recipient.objects.filter(account_id=cast.account.pk, send_id=campaign.send_id, seq=2).update(status=1)
        delivery.Send.objects.filter(pk=campaign.send_id).update(state="finished")
    put(campaign, S.SENT)
    bob = signed_in(cast.bob)
    assert "uncertain" in bob.get(url(campaign)).content.decode()
    assert "Sent again: 1 " in bob.post(url(campaign, "resend-uncertain/"), follow=True).content.decode()
    assert stored(campaign).state == S.SENDING


def test_a_test_goes_to_typed_addresses_as_a_contact(cast, ready):
    bob = signed_in(cast.bob)
    body = {"emails": "one@example.com, two@example.com\nONE@example.com", "as_contact": "ada@readers.example"}
    assert bob.post(url(ready, "test/"), body).status_code == 302
    with account_scope(cast.account.pk):
        sends = list(delivery.Send.objects.filter(account_id=cast.account.pk, campaign_id=None))
    assert len(sends) == 2
    assert sends[0].sources["test_contact"]["first_name"] == "Ada"
    assert sends[0].sources["subject"] == "[Test] Hi"
    many = " ".join(f"p{n}@example.com" for n in range(31))
    assert "30 at most" in bob.post(url(ready, "test/"), {"emails": many}).content.decode()
    assert "is no address" in bob.post(url(ready, "test/"), {"emails": "nonsense"}).content.decode()
    assert (
        "No contact has"
        in bob.post(url(ready, "test/"), {"emails": "a@b.example", "as_contact": "x@y.example"}).content.decode()
    )


def test_duplicate_and_delete(cast, ready):
    bob = signed_in(cast.bob)
    first, second = (bob.post(url(ready, "duplicate/")) for _ in range(2))
    assert first.url == second.url
    for _ in range(2):
        assert bob.post(url(ready, "delete/")).url == url(cast.account)
    assert "Autumn" in bob.get(first.url).content.decode()


def test_charlie_sees_nothing_and_can_do_nothing(cast, ready):
    campaign = freeze(ready)
    charlie = signed_in(cast.charlie)
    pages = ("", "details/", "people/", "people/count/", "content/", "schedule/", "checks/", "test/", "progress/")
    buttons = ("send/", "pause/", "resume/", "cancel/", "unschedule/", "resend-uncertain/", "duplicate/", "delete/")
    for rest in pages:
        assert charlie.get(url(campaign, rest)).status_code == 404, rest
        strange = f"/accounts/{cast.other.pk}/campaigns/{campaign.pk}/{rest}"
        assert charlie.get(strange).status_code == 404, rest
    for rest in buttons:
        assert charlie.post(url(campaign, rest)).status_code == 404, rest
        charlie.post(f"/accounts/{cast.other.pk}/campaigns/{campaign.pk}/{rest}")
    assert stored(campaign).state == S.SENDING
    assert "Autumn" not in charlie.get(url(cast.other)).content.decode()
    mine = charlie.post(url(cast.other, "new/"), details(campaign, name="Mine")).url
    charlie.post(mine, {"list_ids": campaign.list_ids})
    charlie.post(mine.replace("people", "content"), {"content_id": campaign.content_id})
    with account_scope(cast.other.pk):
        own = Campaign.objects.get(account_id=cast.other.pk, name="Mine")
    assert (own.list_ids, own.content_id) == ([], None)


def test_a_reader_looks_and_changes_nothing(cast, ready):
    reader = signed_in(reader_of(cast.account))
    for rest in ("", "checks/", "people/count/", "progress/"):
        assert reader.get(url(ready, rest)).status_code == 200, rest
    assert reader.get(url(cast.account)).status_code == 200
    for rest in ("details/", "people/", "content/", "schedule/", "test/"):
        assert reader.get(url(ready, rest)).status_code == 403, rest
    buttons = (
        "send/",
        "pause/",
        "resume/",
        "cancel/",
        "unschedule/",
        "resend-uncertain/",
        "duplicate/",
        "delete/",
        "details/",
    )
    for rest in buttons:
        assert reader.post(url(ready, rest)).status_code == 403, rest
    assert stored(ready).state == S.DRAFT


def test_pages_ask_as_often_for_many_as_for_one(cast, ready):
    bob = signed_in(cast.bob)
    bob.get(url(cast.account))
    with CaptureQueriesContext(connection) as few:
        bob.get(url(cast.account))
    with account_scope(cast.account.pk):
        for number in range(20):
            Campaign.objects.create(account=cast.account, name=f"Campaign {number}", content_id=ready.content_id)
    with CaptureQueriesContext(connection) as many:
        bob.get(url(cast.account))
    assert len(many) == len(few) <= 16
    campaign = freeze(ready)
    with CaptureQueriesContext(connection) as one:
        bob.get(url(campaign))
    assert len(one) <= 26
