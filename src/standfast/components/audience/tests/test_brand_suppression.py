"""Bounces, complaints and unsubscriptions of branded mail: the brand's lists and do-not-mail, and nothing of the others'."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from standfast.components.audience import api, brands
from standfast.components.audience.models import Brand, BrandDoNotMail, DoNotMail
from standfast.components.audience.tests.test_consumers import event, people, state, tell  # noqa: F401
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
BRANDED, PLAIN, STREAM = 7, 8, 9
BATCHES = pytest.mark.parametrize("batch", [1, 1000])


@pytest.fixture
def toys(cast, people) -> int:  # noqa: F811
    """The brand Toys: the list Offers is its own, News belongs to no brand; Gems is another brand with a list."""
    account = cast.account.pk
    with account_scope(account):
        toys = api.brand_named(account_id=account, name="Toys").pk
        gems = api.brand_named(account_id=account, name="Gems").pk
        api.List.objects.filter(account_id=account, name="Offers").update(brand_id=toys)
        jewels = api.create_list(account_id=account, name="Jewels")
        api.List.objects.filter(account_id=account, pk=jewels.pk).update(brand_id=gems)
        api.subscribe(account_id=account, list_id=jewels.pk, contact_ids=list(people.values()))
        api.bear_brand(account_id=account, send_id=BRANDED, brand_of={0: toys})
        api.bear_brand(account_id=account, send_id=STREAM, brand_of={people["bo"] % 1000: toys})
    return toys


def kept(cast, contact: int) -> tuple[set[str], str | None, dict[str, str]]:
    """(lists still on, why on the general do-not-mail, why on brands')"""
    account = cast.account.pk
    _, general = state(cast, contact)
    with account_scope(account):
        held = api.Subscription.objects.filter(account_id=account, contact_id=contact, status="subscribed")
        lists = api.List.objects.filter(account_id=account, pk__in=held.values_list("list_id", flat=True))
        key = api.Contact.objects.get(account_id=account, id=contact).email_key
        rows = BrandDoNotMail.objects.filter(account_id=account, email_key=key).values_list("brand_id", "reason")
        names = dict(Brand.objects.filter(account_id=account).values_list("pk", "name"))
        return set(lists.values_list("name", flat=True)), general, {names[one]: why for one, why in rows}


DEAD = {"class": "InvalidRecipient", "hard": True, "text": "no such user"}


@BATCHES
def test_of_branded_mail(cast, people, toys, loader, batch):  # noqa: F811
    ana, bo, cy = people.values()
    tell(
        loader, cast, event("bounced", ana, send_id=BRANDED, **DEAD), event("complained", bo, send_id=BRANDED),
        event("unsubscribed", cy, send_id=BRANDED), batch=batch,
    )  # fmt: skip
    assert kept(cast, ana) == ({"News", "Offers", "Jewels"}, "hard_bounce", {"Toys": "hard_bounce"})
    assert kept(cast, bo) == ({"News", "Jewels"}, None, {"Toys": "complaint"})
    assert kept(cast, cy) == ({"News", "Jewels"}, None, {"Toys": "unsubscribe"})


@BATCHES
def test_of_mail_without_a_brand(cast, people, toys, loader, batch):  # noqa: F811
    ana, bo, cy = people.values()
    tell(
        loader, cast, event("bounced", ana, send_id=PLAIN, **DEAD), event("complained", bo, send_id=PLAIN),
        event("unsubscribed", cy, send_id=PLAIN), batch=batch,
    )  # fmt: skip
    assert kept(cast, ana) == ({"News", "Offers", "Jewels"}, "hard_bounce", {})
    assert kept(cast, bo) == ({"Offers", "Jewels"}, "complaint", {})
    assert kept(cast, cy) == ({"Offers", "Jewels"}, "unsubscribe", {})


@BATCHES
def test_one_message_of_a_stream_may_be_a_brands_and_the_next_not(cast, people, toys, loader, batch):  # noqa: F811
    ana, bo, _ = people.values()
    tell(
        loader, cast, event("unsubscribed", ana, send_id=STREAM), event("unsubscribed", bo, send_id=STREAM), batch=batch
    )
    assert kept(cast, ana) == ({"Offers", "Jewels"}, "unsubscribe", {})
    assert kept(cast, bo) == ({"News", "Jewels"}, None, {"Toys": "unsubscribe"})


@BATCHES
def test_taking_back_undoes_what_that_mail_did(cast, people, toys, loader, batch):  # noqa: F811
    ana, bo, cy = people.values()
    told = [event("unsubscribed", one, 1, send_id=BRANDED) for one in (ana, bo)]
    told += [event("unsubscribed", ana, 2, send_id=PLAIN), event("complained", bo, 2, send_id=BRANDED)]
    told += [event("resubscribed", one, 3, send_id=BRANDED) for one in (ana, bo, cy)]
    tell(loader, cast, *told, batch=batch)
    assert kept(cast, ana) == ({"Offers", "Jewels"}, "unsubscribe", {})
    assert kept(cast, bo) == ({"News", "Jewels", "Offers"}, None, {"Toys": "complaint"})
    assert kept(cast, cy) == ({"News", "Jewels", "Offers"}, None, {})


def test_replayed_from_the_start_it_comes_out_the_same(cast, people, toys, loader):  # noqa: F811
    account = cast.account.pk
    ana, bo, cy = people.values()
    tell(
        loader, cast, event("unsubscribed", ana, 1, send_id=BRANDED), event("complained", ana, 2, send_id=PLAIN),
        event("bounced", bo, 3, send_id=BRANDED, **DEAD), event("unsubscribed", cy, 4, send_id=BRANDED),
        event("resubscribed", cy, 5, send_id=BRANDED), batch=2,
    )  # fmt: skip
    before = [kept(cast, one) for one in people.values()]
    with account_scope(account):
        DoNotMail.objects.filter(account_id=account).delete()
        BrandDoNotMail.objects.filter(account_id=account).delete()
    loader.execute("DELETE FROM event_cursor WHERE account_id = %s AND consumer = 'suppression'", [account])
    loader.commit()
    tell(loader, cast)
    assert [kept(cast, one) for one in people.values()] == before


def test_a_brand_that_mail_bears_stays_and_an_idle_one_goes_with_its_do_not_mail(cast, people, toys):  # noqa: F811
    account = cast.account.pk
    with account_scope(account):
        idle = api.brand_named(account_id=account, name="Idle")
        gems = Brand.objects.get(account_id=account, name="Gems")
        api.add_brand_do_not_mail(account_id=account, brand_id=idle.pk, email="ana@example.com")
        for one in (toys, gems.pk):  # a list belongs to Gems
            with pytest.raises(brands.BrandInUse):
                api.delete_brand(account_id=account, brand_id=one)
        api.delete_brand(account_id=account, brand_id=idle.pk)
        assert not BrandDoNotMail.objects.filter(account_id=account).exists()
    with account_scope(cast.other.pk), pytest.raises(Brand.DoesNotExist):  # Charlie
        api.delete_brand(account_id=cast.other.pk, brand_id=toys)


def test_a_deletion_waits_for_the_mail_that_is_being_made(cast, db):
    account = cast.account.pk
    with account_scope(account):
        toys = api.brand_named(account_id=account, name="Toys").pk
    held, outcome = threading.Event(), []

    def delete() -> None:
        held.wait(20)
        try:
            with account_scope(account):
                api.delete_brand(account_id=account, brand_id=toys)
            outcome.append("deleted")
        except brands.BrandInUse:
            outcome.append("in use")
        finally:
            connection.close()

    other = threading.Thread(target=delete)
    other.start()
    with transaction.atomic(), account_scope(account):
        api.bear_brand(account_id=account, send_id=BRANDED, brand_of={0: toys})
        held.set()
        other.join(0.3)  # it may be anywhere by now; the lock is what decides
    other.join(20)
    assert outcome == ["in use"]
