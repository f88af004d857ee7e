"""Brands and secure lists of campaigns, lists and messages over the programs' interfaces."""

import pytest

from standfast.components.audience.api import SecureList, add_brand_do_not_mail, brand_named, create_list
from standfast.components.campaigns.api import Campaign
from standfast.components.delivery.api import add_domain
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def toys(people):
    with account_scope(people.account.pk):
        add_domain(account_id=people.account.pk, domain="shop.example")
        return brand_named(account_id=people.account.pk, name="Toys").pk


def test_a_list_belongs_to_a_brand(alice, charlie, toys):
    body = {"name": "Offers", "address": "1 Main Street", "language": "en"}
    made = alice.post("lists", {"list": {**body, "brand_id": str(toys)}}).json()
    assert made["brand_id"] == toys
    assert alice.put(f"lists/{made['id']}", {"list": {"description": "x"}}).json()["brand_id"] == toys
    assert alice.put(f"lists/{made['id']}", {"list": {"brand_id": ""}}).json()["brand_id"] is None
    assert alice.post("lists", {"list": {**body, "name": "x", "brand_id": 10**15}}).status_code == 422
    assert charlie.post("lists", {"list": {**body, "brand_id": toys}}).json() == {
        "brand_id": ["is not a brand of this account"]
    }


def test_a_campaign_has_a_brand_and_leaves_out_secure_lists_by_either_name(alice, charlie, people, toys):
    account_id = people.account.pk
    with account_scope(account_id):
        place = create_list(account_id=account_id, name="Everybody").pk
        secure = SecureList.objects.create(account_id=account_id, name="Partner").pk
        more = SecureList.objects.create(account_id=account_id, name="Other").pk
    assert len({place, secure, more}) == 3  # counted together
    body = {
        "name": "Spring",
        "brand_id": toys,
        "suppressed_list_ids": [place, secure],
        "suppressed_secure_list_ids": [more],
    }
    answer = alice.post("campaigns", {"campaign": body})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["brand_id"], made["suppressed_secure_list_ids"]) == (toys, [secure, more])
    assert made["suppressed_list_ids"] == [place, secure, more]
    with account_scope(account_id):
        stored = Campaign.objects.get(account_id=account_id, pk=made["id"])
        assert (stored.suppressed_list_ids, stored.secure_list_ids) == ([place], [secure, more])
        SecureList.objects.create(account_id=account_id, pk=place, name="From earlier")
    assert "is a list and a secure list" in str(alice.post("campaigns", {"campaign": body}).json())
    for name in ("brand_id", "suppressed_list_ids", "suppressed_secure_list_ids"):
        assert name in charlie.post("campaigns", {"campaign": {"name": "x", name: body[name]}}).json()
        for odd in (10**18, "x", {"a": 1}):
            assert alice.post("campaigns", {"campaign": {"name": "x", name: odd}}).status_code in (201, 422)


def test_messages_bear_their_brand_or_the_campaigns(alice, people, toys, loader):
    body = {"name": "Receipts", "from_email": "a@shop.example", "subject": "x", "brand_id": toys}
    branded = alice.post("transactional_campaigns", {"campaign": body}).json()
    assert branded["brand_id"] == toys
    plain = alice.post("transactional_campaigns", {"campaign": {**body, "name": "Plain", "brand_id": None}}).json()

    def mail(campaign, **more):
        email = {
            "campaign_id": campaign["id"],
            "contact": {"email": "a@b.example"},
            "content": {"text_part": "Hi"},
            **more,
        }
        return alice.post("emails/deliver", {"email": email})

    assert [mail(branded).status_code, mail(plain).status_code, mail(plain, brand_name="Toys").status_code] == [201] * 3
    assert mail(plain, brand_name="Toyz").json() == {"brand": ["There is no brand Toyz in this account. Add it first."]}
    assert mail(plain, brand_id=10**15).status_code == 422
    rows = loader.execute(
        "SELECT seq, brand_id FROM audience_brandedmail WHERE account_id = %s ORDER BY seq", [alice.account_id]
    )
    assert rows.fetchall() == [(1, toys), (2, toys)]  # the second of Plain


def test_what_is_told_of_a_brand_leaves_out(alice, people, toys):
    alice.post("brand_unsubscribes", {"brand_unsubscribe": {"email": "a@b.example", "brand_name": "Toys"}})
    with account_scope(people.account.pk):
        assert not add_brand_do_not_mail(account_id=people.account.pk, brand_id=toys, email="A@b.example")
