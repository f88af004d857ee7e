"""Campaigns over the reference product's interface."""

import pytest

from standfast.components.audience.api import create_list
from standfast.components.campaigns.api import Campaign
from standfast.components.content.api import Content
from standfast.components.delivery.api import Send, add_domain
from standfast.components.transactional.api import TransactionalCampaign
from standfast.platform.tenancy import account_scope
from standfast.services.rest_api.tests.caller import Caller, key_of
from standfast.services.rest_api.tests.sending import sent_campaign

CAMPAIGN = {
    "name": "Spring", "subject": "Spring is here", "preheader": "Look", "from_name": "Shop", "from_email": "news@shop.example",
    "reply_to": "help@shop.example", "address": "1 Main Street", "language": "en",
}  # fmt: skip


@pytest.fixture
def ground(people):
    """A content and a list of Alice's."""
    with account_scope(people.account.pk):
        add_domain(account_id=people.account.pk, domain="shop.example")
        content = Content.objects.create(
            account=people.account, name="Spring", subject="Spring", source_kind="html",
            source='<p>Hello</p><p>{{ campaign.address }}</p><a href="{{ campaign.unsubscribe_url }}">Leave</a>',
        )  # fmt: skip
        made = create_list(account_id=people.account.pk, name="Everybody")
    return {"content_id": content.pk, "list_ids": [getattr(made, "pk", made)]}


def post(caller, **more):
    return caller.post("campaigns", {"campaign": {**CAMPAIGN, **more}})


def test_a_draft_is_made_shown_listed_and_deleted(alice, charlie, ground):
    answer = post(alice, status="draft", **ground)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert {name: made[name] for name in CAMPAIGN} == CAMPAIGN
    assert (made["status"], made["list_ids"]) == ("draft", ground["list_ids"])
    assert alice.get(f"campaigns/{made['id']}").json()["id"] == made["id"]
    assert [row["total_pages"] for row in alice.get("campaigns").json()] == [1]
    assert charlie.get("campaigns").json() == []
    assert charlie.get(f"campaigns/{made['id']}").status_code == 404
    assert charlie.delete(f"campaigns/{made['id']}").status_code == 404
    assert alice.delete(f"campaigns/{made['id']}").status_code == 204
    assert alice.get(f"campaigns/{made['id']}").status_code == 404


def test_the_newer_list_looks_for_a_name(alice, ground):
    post(alice, status="draft")
    found = alice.get("campaigns", host="/v2", query="name=spri&include_ab_child=no&per_page=1").json()
    assert [row["name"] for row in found] == ["Spring"]
    assert alice.get("campaigns", host="/v2", query="name=autumn").json() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "recurring"}, "status"),
        ({"send_type": "best_time"}, "send_type"),
        ({"send_type": "one_time"}, "send_type"),
        ({"status": "whenever"}, "status"),
        ({"status": "schedule"}, "send_at"),
        ({"status": "schedule", "send_at": "soon"}, "send_at"),
        ({"name": ""}, "name"),
        ({"from_email": "nobody"}, "from_email"),
        ({"content_id": 10**9}, "content_id"),
        ({"list_ids": [10**9]}, "list_ids"),
        ({"segment_ids": [1]}, "segment_ids"),
        ({"subject": "x" * 300}, "subject"),
        ({"status": "send"}, "base"),
        ({"status": "test", "test_emails": ["nobody"]}, "test_emails"),
    ],
)
def test_what_cannot_be_made_is_said_and_nothing_stays(alice, ground, change, field):
    answer = post(alice, **change)
    assert (answer.status_code, list(answer.json())) == (422, [field]), answer.content
    assert alice.get("campaigns").json() == []


def test_a_test_goes_to_the_addresses(alice, ground):
    answer = post(alice, status="test", test_emails=["a@shop.example", "b@shop.example"], **ground)
    assert answer.status_code == 201, answer.content
    with account_scope(alice.account_id):
        assert Send.objects.filter(account_id=alice.account_id).count() == 2


def test_a_time_without_an_offset_is_eastern(alice, ground):
    answer = post(alice, send_at="2099-07-01 08:00:00", **ground)
    assert answer.json()["send_at"] == "2099-07-01T08:00:00.000-04:00"


def test_a_campaign_with_tags_and_nothing_of_lists_is_transactional(alice, ground):
    answer = post(alice, add_ctags=["receipts"])
    assert answer.status_code == 201, answer.content
    with account_scope(alice.account_id):
        assert TransactionalCampaign.objects.filter(pk=answer.json()["id"], name="Spring").exists()
        assert not Campaign.objects.exists()


def test_what_was_sent_has_figures_and_is_not_deleted(alice, people, loader):
    campaign_id = sent_campaign(people.account.pk, loader).campaign_id
    row = alice.get(f"campaigns/{campaign_id}").json()
    assert (row["delivered"], row["bounced"], row["unsubscribed"], row["complained"]) == (6, 2, 1, 1)
    assert alice.delete(f"campaigns/{campaign_id}").status_code == 422


def test_a_reader_makes_and_deletes_nothing(alice, people, ground):
    made = post(alice).json()["id"]
    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["campaigns:read"]))
    assert reader.get(f"campaigns/{made}").status_code == 200
    assert post(reader).status_code == 403
    assert reader.delete(f"campaigns/{made}").status_code == 403
