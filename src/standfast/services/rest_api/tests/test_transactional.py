"""Transactional campaigns and messages over the reference product's interface."""

import pytest

from standfast.components.audience.api import Contact
from standfast.components.content.api import Content
from standfast.components.delivery.api import Recipient, add_domain
from standfast.components.transactional.api import TransactionalCampaign
from standfast.platform.tenancy import account_scope
from standfast.services.rest_api.tests.caller import Caller, key_of

CAMPAIGN = {
    "name": "Receipts", "subject": "Order {{ tag.order }}", "preheader": "Thank you", "from_name": "Shop",
    "from_email": "receipts@shop.example", "reply_to": "help@shop.example", "email_preview_link": "0",
    "address": "1 Main Street", "language": "en", "add_ctags": ["receipts"],
}  # fmt: skip


@pytest.fixture
def content(people):
    with account_scope(people.account.pk):
        add_domain(account_id=people.account.pk, domain="shop.example")
        return Content.objects.create(
            account=people.account, name="Receipt", subject="Order", source_kind="html", source="<p>{{ tag.order }}</p>"
        )


@pytest.fixture
def campaign_id(alice, content):
    answer = alice.post("transactional_campaigns", {"campaign": {**CAMPAIGN, "content_id": content.pk}})
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


def mail(campaign_id, /, **more):
    contact = {"email": "New@People.example", "first_name": "New", "custom_field": {"city": "Rome"}}
    return {"email": {"campaign_id": campaign_id, "contact": contact, "tags": {"order": "17"}, **more}}


def ledger(account_id):
    with account_scope(account_id):
        return list(Recipient.objects.filter(account_id=account_id).order_by("seq").values_list("email", flat=True))


def test_a_campaign_echoes_what_it_was_made_of_and_is_listed(alice, charlie, campaign_id, content):
    [row] = alice.get("transactional_campaigns").json()
    assert {name: row[name] for name in CAMPAIGN} == CAMPAIGN
    assert (row["id"], row["account_id"], row["content_id"]) == (campaign_id, alice.account_id, content.pk)
    assert row["total_pages"] == 1
    assert alice.get("transactional_campaigns", query="page=2").json() == []
    assert charlie.get("transactional_campaigns").json() == []


@pytest.mark.parametrize("path", ["emails/deliver"])
def test_a_message_is_taken_and_the_person_becomes_a_contact(alice, campaign_id, path):
    answer = alice.post(path, mail(campaign_id, bcc="boss@shop.example"))
    assert answer.status_code == 201, answer.content
    assert answer.json()["message"]
    with account_scope(alice.account_id):
        contact = Contact.objects.get(account_id=alice.account_id, email_key="new@people.example")
    assert contact.first_name == "New"
    assert len(ledger(alice.account_id)) == 2


def test_a_contact_may_be_named_by_id_and_a_content_stand_in_the_call(alice, campaign_id):
    alice.post("emails/deliver", mail(campaign_id))
    with account_scope(alice.account_id):
        contact = Contact.objects.get(account_id=alice.account_id, email_key="new@people.example")
    own = {"name": "x", "html_part": "<p>Hi {{ tag.order }}</p>", "text_part": "Hi"}
    answer = alice.post(
        "emails/deliver", {"email": {"campaign_id": str(campaign_id), "contact_id": contact.id, "content": own}}
    )
    assert answer.status_code == 201, answer.content
    assert ledger(alice.account_id) == ["New@people.example"] * 2
    with account_scope(alice.account_id):
        assert Contact.objects.get(account_id=alice.account_id, id=contact.id).first_name == "New"


def test_a_message_that_is_handed_in_again_under_its_id_is_taken_once(alice, campaign_id):
    for _ in range(2):
        assert alice.post("emails/deliver", mail(campaign_id, message_id="order-17")).status_code == 201
    assert len(ledger(alice.account_id)) == 1


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"contact": {"email": "nobody"}}, 422, "email"),
        ({"contact": {}}, 422, "contact"),
        ({"contact": {}, "contact_id": 10**9}, 404, "message"),
        ({"campaign_id": 10**9}, 404, "error"),
        ({"campaign_id": None}, 422, "campaign_id"),
        ({"content_id": 10**9}, 422, "content_id"),
        ({"content": {"html_part": "{% if %}"}}, 422, "content"),
        ({"content": {"html_part": 7}}, 422, "content"),
        ({"from_email": "a@elsewhere.example"}, 422, "from_email"),
        ({"send_time": {"hour": 13, "minute": 0}}, 422, "send_time"),
        ({"bcc": "nobody"}, 422, "bcc"),
        ({"tags": {"x": "\x00"}}, 422, "tags"),
    ],
)
def test_what_cannot_be_taken_is_said_and_nothing_stays(alice, campaign_id, change, status, field):
    answer = alice.post("emails/deliver", mail(campaign_id, **change))
    assert (answer.status_code, field in answer.json()) == (status, True), answer.content
    assert ledger(alice.account_id) == []


def test_a_message_may_wait_for_an_hour(alice, campaign_id):
    answer = alice.post("emails/deliver", mail(campaign_id, send_time={"hour": "12", "minute": "30"}))
    assert answer.status_code == 201, answer.content
    with account_scope(alice.account_id):
        assert Recipient.objects.get(account_id=alice.account_id).next_attempt_at is not None


def test_names_are_taken_once_and_contents_are_the_accounts(alice, charlie, campaign_id, content):
    assert "name" in alice.post("transactional_campaigns", {"campaign": CAMPAIGN}).json()
    assert "name" in alice.post("transactional_campaigns", {"campaign": {"subject": "x"}}).json()
    answer = charlie.post("transactional_campaigns", {"campaign": {**CAMPAIGN, "content_id": content.pk}})
    assert (answer.status_code, list(answer.json())) == (422, ["content_id"])


def test_a_stranger_and_a_reader_hand_in_nothing(alice, charlie, people, campaign_id):
    assert charlie.post("emails/deliver", mail(campaign_id)).status_code == 404
    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["transactional:read"]))
    assert reader.post("emails/deliver", mail(campaign_id)).status_code == 403
    assert reader.post("transactional_campaigns", {"campaign": CAMPAIGN}).status_code == 403
    assert reader.get("transactional_campaigns").status_code == 200
    with account_scope(alice.account_id):
        assert TransactionalCampaign.objects.count() == 1
