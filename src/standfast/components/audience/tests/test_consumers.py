"""Summaries and suppression from the event log, whatever the batches; and the functions that write people."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection

from standfast.components.audience import api
from standfast.components.audience.models import Contact, ContactSummary, DoNotMail, Subscription
from standfast.platform import consumers, events, tenancy
from standfast.platform.events import Event
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
START = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)


@pytest.fixture
def people(cast) -> dict[str, int]:
    """Three people on two lists."""
    account = cast.account.pk
    with account_scope(account):
        with connection.cursor() as cursor:
            rows = [api.ContactRow(f"{name}@example.com") for name in ("ana", "bo", "cy")]
            landed = api.upsert_contacts(cursor, account_id=account, rows=rows)
        ids = {name: one.contact_id for name, one in zip(("ana", "bo", "cy"), landed, strict=True)}
        for name in ("News", "Offers"):
            place = api.create_list(account_id=account, name=name)
            api.subscribe(account_id=account, list_id=place.pk, contact_ids=list(ids.values()))
    return ids


def tell(loader, cast, *told: Event, batch=10_000) -> None:
    account = cast.account.pk
    with loader.transaction(), loader.cursor() as cursor:
        tenancy.enter(cursor, account)
        events.append(cursor, account_id=account, events=told, bulk=True)
    for consumer in api.CONSUMERS:
        while consumers.advance(loader, consumer, account, batch=batch):
            pass


def event(kind, contact, minutes=0, send_id=5, **data) -> Event:
    return Event(START + dt.timedelta(minutes=minutes), kind, contact, send_id, contact % 1000, data)


def state(cast, contact) -> tuple[int, str | None]:
    """(subscriptions, why on do-not-mail)"""
    account = cast.account.pk
    with account_scope(account):
        key = Contact.objects.get(account_id=account, id=contact).email_key
        held = Subscription.objects.filter(account_id=account, contact_id=contact, status="subscribed").count()
        blocked = DoNotMail.objects.filter(account_id=account, email_key=key).first()
    return held, blocked and blocked.reason


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_summary_counts_people_and_not_machines(cast, people, loader, batch):
    ana = people["ana"]
    tell(
        loader, cast, event("delivered", ana), event("opened", ana, 1, verdict="human"),
        event("opened", ana, 2, verdict="machine"),
        event("clicked", ana, 3, verdict="human"), event("clicked", ana, 4, verdict="human"),
        event("bounced", people["bo"], 5), batch=batch,
    )  # fmt: skip
    with account_scope(cast.account.pk):
        one = ContactSummary.objects.get(account_id=cast.account.pk, contact_id=ana)
        assert ContactSummary.objects.filter(account_id=cast.account.pk).count() == 2
    assert (one.delivered, one.opened, one.clicked, one.bounced) == (1, 1, 2, 0)
    assert one.last_clicked_at == START + dt.timedelta(minutes=4)


@pytest.mark.parametrize("batch", [1, 1000])
def test_hard_bounces_complaints_and_unsubscriptions_stop_mail(cast, people, loader, batch):
    tell(
        loader, cast,
        event("bounced", people["ana"], **{"class": "InvalidRecipient", "hard": True, "text": "no such user"}),
        event("bounced", people["bo"], **{"class": "QuotaIssues", "hard": False}),
        event("complained", people["cy"]), event("unsubscribed", people["cy"], 1),
        event("resubscribed", people["cy"], 2), batch=batch,
    )  # fmt: skip
    assert state(cast, people["ana"]) == (2, "hard_bounce")
    assert state(cast, people["bo"]) == (2, None)
    assert state(cast, people["cy"]) == (0, "complaint")


@pytest.mark.parametrize("batch", [1, 1000])
def test_taking_back_undoes_exactly_that_unsubscription(cast, people, loader, batch):
    ana, account = people["ana"], cast.account.pk
    with account_scope(account):
        place = api.List.objects.get(account_id=account, name="Offers")
        api.unsubscribe(account_id=account, list_id=place.pk, contact_ids=[ana])
    tell(loader, cast, event("unsubscribed", ana, 1), batch=batch)
    assert state(cast, ana) == (0, "unsubscribe")
    tell(loader, cast, event("unsubscribed", ana, 2), event("resubscribed", ana, 3), batch=batch)
    assert state(cast, ana) == (1, None)  # not the list that was left before


def test_upsert_merges_refuses_and_tells(cast, people):
    account = cast.account.pk
    with account_scope(account), connection.cursor() as cursor:
        landed = api.upsert_contacts(
            cursor, account_id=account,
            rows=[api.ContactRow("ANA@example.com", first_name="A", fields={"n": 1}, uid="7"), api.ContactRow("nope"),
                  api.ContactRow("dee@example.com", uid="8"), api.ContactRow("bo@example.com")],
        )  # fmt: skip
    assert [one.outcome for one in landed] == ["updated", "refused", "created", "unchanged"]
    with account_scope(account), connection.cursor() as cursor:
        rows = [api.ContactRow("ana@example.com", fields={"m": 2}), api.ContactRow("bo@example.com", uid="7")]
        again = api.upsert_contacts(cursor, account_id=account, rows=rows)
    assert [one.outcome for one in again] == ["updated", "refused"]
    with account_scope(account):
        ana = Contact.objects.get(account_id=account, id=people["ana"])
        kinds = [item.kind for item in api.contact_timeline(account_id=account, contact_id=people["ana"])]
    assert (ana.first_name, ana.fields, ana.uid) == ("A", {"n": 1, "m": 2}, "7")
    assert kinds == ["contact_updated", "contact_updated", "subscribed", "subscribed", "contact_created"]


def test_erasing_takes_what_names_a_person_from_the_log(cast, people, loader):
    ana, account = people["ana"], cast.account.pk
    tell(loader, cast, event("clicked", ana, verdict="human", ip="192.0.2.1", ua="M", url="https://x.example/"))
    with account_scope(account):
        assert api.delete_contact(account_id=account, contact_id=ana)
        assert not api.delete_contact(account_id=account, contact_id=ana)
    rows = loader.execute(
        "SELECT data FROM event WHERE account_id = %s AND contact_id = %s AND kind = 'clicked'", [account, ana]
    )
    assert rows.fetchone()[0] == {"verdict": "human", "url": "https://x.example/"}


def test_charlie_cannot_reach_alices_people(cast, people):
    other, ana = cast.other.pk, people["ana"]
    with account_scope(other):
        assert api.contact_timeline(account_id=cast.account.pk, contact_id=ana) == []
        assert not api.delete_contact(account_id=other, contact_id=ana)
        assert api.unsubscribe(account_id=other, list_id=None, contact_ids=[ana]) == 0
        place = api.create_list(account_id=other, name="Mine")
        assert api.subscribe(account_id=other, list_id=place.pk, contact_ids=[ana]) == 0
    assert state(cast, ana) == (2, None)
