"""A campaign of a brand that leaves out secure lists: its steps, its checks, its freeze."""

from __future__ import annotations

import pytest

from standfast.components.audience import api as audience
from standfast.components.campaigns import actions, preflight, states
from standfast.components.campaigns.models import Campaign
from standfast.components.campaigns.tests.test_pages import (  # noqa: F401
    add_people,
    details,
    freeze,
    ready,
    seen_in,
    signed_in,
    stored,
    url,
)
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def toys(ready) -> int:  # noqa: F811
    """A brand of which Ada wants no mail."""
    with account_scope(ready.account_id):
        brand = audience.brand_named(account_id=ready.account_id, name="Toys").pk
        audience.add_brand_do_not_mail(account_id=ready.account_id, brand_id=brand, email="ada@readers.example")
    return brand


@pytest.fixture
def partner(ready) -> int:  # noqa: F811
    """A secure list with Ben."""
    with account_scope(ready.account_id):
        one = audience.SecureList.objects.create(account_id=ready.account_id, name="Partner").pk
        audience.add_entries(account_id=ready.account_id, secure_list_id=one, entries=["BEN@readers.example"])
    return one


def test_bob_chooses_them_in_the_steps_and_nobody_on_them_is_frozen(cast, ready, toys, partner):  # noqa: F811
    bob = signed_in(cast.bob)
    with account_scope(ready.account_id):
        place = audience.List.objects.get(account_id=ready.account_id)
    add_people(cast.account, ["cleo"], place)
    page = url(ready, "details/")
    assert "Toys" in bob.get(page).content.decode()
    bob.post(page, details(ready, brand_id=toys, seen=seen_in(bob, page)))
    page = url(ready, "people/")
    assert "Partner" in bob.get(page).content.decode()
    chosen = {"list_ids": ready.list_ids, "secure_list_ids": [partner]}
    shown = bob.get(url(ready, "people/count/"), chosen).content.decode()
    assert "On this brand&#x27;s do-not-mail list" in shown and "On a secure list that is left out" in shown
    bob.post(page, {**chosen, "seen": seen_in(bob, page)})
    campaign = stored(ready)
    assert (campaign.brand_id, campaign.secure_list_ids) == (toys, [partner])
    frozen = freeze(ready)
    assert frozen.skipped == {"brand_do_not_mail:api": 1, "secure_list": 1}
    with account_scope(ready.account_id):
        copy = actions.duplicate(account_id=ready.account_id, campaign_id=ready.pk)
    assert (copy.brand_id, copy.secure_list_ids) == (toys, [partner])
    shown = bob.get(url(ready)).content.decode()
    assert "Toys" in shown and "Partner" in shown


def test_two_who_choose_another_brand_are_told(cast, ready, toys):  # noqa: F811
    bob, alice, page = signed_in(cast.bob), signed_in(cast.alice), url(ready, "details/")
    seen = seen_in(bob, page)
    alice.post(page, details(ready, brand_id=toys, seen=seen))
    told = bob.post(page, details(ready, seen=seen))
    assert told.status_code == 409 and "Brand: Toys" in told.content.decode()


def test_a_list_that_is_gone_or_cannot_be_compared_stops_the_campaign(cast, ready, partner):  # noqa: F811
    account_id = ready.account_id
    with account_scope(account_id):
        Campaign.objects.filter(pk=ready.pk).update(secure_list_ids=[partner])
        audience.SecureList.objects.filter(account_id=account_id, pk=partner).update(incomparable=3)
        found = preflight.check(states.locked(account_id=account_id, campaign_id=ready.pk))
        assert any("SHA-1" in each.what for each in found.findings) and not found.may_send
        audience.SecureList.objects.filter(account_id=account_id, pk=partner).delete()
        found = preflight.check(states.locked(account_id=account_id, campaign_id=ready.pk))
        assert any("secure list" in each.what for each in found.findings) and not found.may_send


def test_a_list_of_another_brand_is_warned_of(cast, ready, toys):  # noqa: F811
    with account_scope(ready.account_id):
        Campaign.objects.filter(pk=ready.pk).update(brand_id=toys)
        found = preflight.check(states.locked(account_id=ready.account_id, campaign_id=ready.pk))
    assert found.may_send and any("belongs to no brand" in each.what for each in found.findings)


def test_charlies_brand_and_lists_cannot_be_chosen(cast, ready):  # noqa: F811
    with account_scope(cast.other.pk):
        brand = audience.brand_named(account_id=cast.other.pk, name="His").pk
        one = audience.SecureList.objects.create(account_id=cast.other.pk, name="His").pk
    alice = signed_in(cast.alice)
    assert alice.post(url(ready, "details/"), details(ready, brand_id=brand)).status_code == 200
    alice.post(url(ready, "people/"), {"list_ids": ready.list_ids, "secure_list_ids": [one]})
    campaign = stored(ready)
    assert (campaign.brand_id, campaign.secure_list_ids) == (None, [])
