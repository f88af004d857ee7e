"""Contents, campaigns and their reports, transactional mail, domains and the route, against the REST service."""

import datetime as dt
import io

import pytest

from standfast.components.delivery.api import add_domain
from standfast.platform.tenancy import account_scope
from standfast.services.rest_api.tests.sending import sent_campaign
from standfast_client import Changed, Conflict, Invalid, NotFound

pytestmark = pytest.mark.django_db(transaction=True)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
SOURCE = '<p>Spring</p><p>{{ campaign.address }}</p><a href="{{ campaign.unsubscribe_url }}">Leave</a>'


@pytest.fixture
def domain(people):
    with account_scope(people.account.pk):
        return add_domain(account_id=people.account.pk, domain="shop.test")


def test_two_writers_do_not_overwrite_each_other(alice, charlie):
    made = alice.contents.make(name="Letter", subject="Hello", source=SOURCE)
    changed = alice.contents.change(made["id"], preheader="At last", if_match=made["etag"])
    assert changed["etag"] != made["etag"] and alice.contents.get(made["id"])["etag"] == changed["etag"]
    with pytest.raises(Changed, match="Nothing was saved"):
        alice.contents.change(made["id"], preheader="Too late", if_match=made["etag"])
    with pytest.raises(NotFound):
        charlie.contents.change(made["id"], preheader="Mine")
    assert alice.contents.checks(made["id"])["may_send"]
    assert alice.contents.preview(made["id"], theme="dark")["subject"] == "Hello"
    assert alice.contents.preview_of(source="<p>{{ tag.a }}</p>", tag={"a": "Yes"})["html"].count("Yes")
    copy = alice.contents.duplicate(made["id"])
    assert {one["id"] for one in alice.contents.all(limit=1)} == {made["id"], copy["id"]}
    alice.contents.delete(copy["id"], if_match=copy["etag"])


def test_images_by_path_file_and_bytes_are_one(alice, tmp_path):
    (tmp_path / "logo.png").write_bytes(PNG)
    kept = alice.images.keep(tmp_path / "logo.png")
    assert kept == alice.images.keep(io.BytesIO(PNG)) == alice.images.keep(PNG)
    assert [one["digest"] for one in alice.images.all()] == [kept["digest"]]
    with pytest.raises(ValueError, match="larger"):
        alice.images.keep(b"x" * (5 * 1024 * 1024 + 1))


def test_a_campaign_is_made_checked_planned_and_sent(alice, charlie, domain):
    news = alice.lists.make(name="News")
    draft = alice.campaigns.make(name="Spring", from_email="news@shop.test", list_ids=[news["id"]])
    with pytest.raises(Invalid) as raised:
        alice.campaigns.send(draft["id"])
    assert "campaign.content" in {fault.field for fault in raised.value.faults}
    letter = alice.contents.make(name="Letter", subject="Hello", source=SOURCE)
    alice.contacts.save_many([{"email": "ann@example.net"}], list_ids=[news["id"]])
    draft = alice.campaigns.change(draft["id"], content_id=letter["id"], if_match=draft["etag"])
    assert alice.campaigns.checks(draft["id"])["may_send"] and alice.campaigns.audience(draft["id"])["total"] == 1
    assert alice.campaigns.test(draft["id"], emails=["me@shop.test"]) == 1
    later = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
    assert alice.campaigns.schedule(draft["id"], send_at=later)["state"] == "scheduled"
    assert alice.campaigns.unschedule(draft["id"])["state"] == "draft"
    assert alice.campaigns.send(draft["id"])["state"] == "freezing"
    with pytest.raises(Conflict) as raised:
        alice.campaigns.pause(draft["id"])
    assert raised.value.possible == ("cancel",)
    assert alice.campaigns.cancel(draft["id"])["id"] == draft["id"]
    assert alice.campaigns.history(draft["id"]) and alice.campaigns.progress(draft["id"])["total"] == 0
    alice.campaigns.delete(alice.campaigns.duplicate(draft["id"])["id"])
    assert [one["name"] for one in alice.campaigns.all(state=["freezing", "cancelled", "scheduled"])] == ["Spring"]
    for call in (charlie.campaigns.get, charlie.campaigns.cancel, charlie.campaigns.delete, charlie.reports.get):
        with pytest.raises(NotFound):
            call(draft["id"])


def test_reports_page_by_page_and_row_by_row(alice, charlie, people, loader, tmp_path):
    which = sent_campaign(people.account.pk, loader).campaign_id
    report = alice.reports.get(which)
    assert (report["recipients"], report["people"]["clicks"], alice.campaigns.wait(which)["state"]) == (10, 4, "sent")
    assert [one["campaign_id"] for one in alice.reports.all()] == [which]
    assert sum(hour["clicks"] for hour in alice.reports.hours(which, limit=1)) == 4
    assert sum(link["clicks"] for link in alice.reports.links(which, limit=1)) == 4
    assert [one["number"] for one in alice.reports.recipients(which, limit=3)] == list(range(1, 11))
    assert [one["number"] for one in alice.reports.recipients(which, status="bounced")] == [7, 8]
    assert [row["email"] for row in alice.reports.rows(which, "complaint")] == ["P5@example.com"]
    assert len(list(alice.reports.rows(which, "recipients"))) == 10
    size = alice.reports.export(which, "open", tmp_path / "open.csv", unique=True)
    assert (tmp_path / "open.csv").stat().st_size == size > 100
    into = io.BytesIO()
    assert alice.reports.export_recipients(which, into, format="jsonl") == len(into.getvalue())
    with pytest.raises(NotFound):
        list(charlie.reports.rows(which, "open"))


def test_a_message_is_taken_once_under_its_key(alice, charlie, domain):
    receipts = alice.transactional.make(name="Receipts", subject="Order {{ tag.order }}", from_email="a@shop.test")
    message = {"email": "ann@example.net", "html": "<p>Thanks</p>", "tags": {"order": "A-1"}, "key": "A-1"}
    assert alice.transactional.send([message], campaign_id=receipts["id"]) == [{"number": 1, "again": False}]
    assert alice.transactional.send([message], campaign_id=receipts["id"]) == [{"number": 1, "again": True}]
    assert alice.transactional.message(receipts["id"], 1)["status"] == "pending"
    assert [one["id"] for one in alice.transactional.all()] == [receipts["id"]]
    with pytest.raises(NotFound):
        charlie.transactional.send([message], campaign_id=receipts["id"])


def test_domains_and_the_route(alice, charlie, domain):
    assert [one["domain"] for one in alice.domains.all()] == ["shop.test"]
    added = alice.domains.add(domain="news.shop.test")
    assert {record["key"] for record in alice.domains.get(added["id"])["records"]} == {"dkim", "dmarc", "spf"}
    with pytest.raises(NotFound):
        charlie.domains.check(added["id"])
    alice.domains.delete(added["id"])
    assert alice.route.change(connections=4)["connections"] == alice.route.get()["connections"] == 4
    assert alice.route.probe(to_inbox=False, host="127.0.0.1", port=1)["ok"] is False
