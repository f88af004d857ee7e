"""Campaigns over our own API: from nothing to a report, what is refused and what is possible instead."""

import pytest

from standfast.components.campaigns.api import Campaign, tend
from standfast.components.delivery.api import Recipient, Send, SendState, add_domain
from standfast.platform.tenancy import account_scope
from standfast.services.rest_api.tests.caller import Caller, key_of
from standfast.services.rest_api.tests.sending import PEOPLE, let_it_leave, sent_campaign
from standfast.services.rest_api.tests.test_own_contents import LETTER

pytestmark = pytest.mark.django_db(transaction=True)
LATER = "2099-07-01T08:00:00+02:00"


@pytest.fixture
def draft(alice):
    """A draft of Alice's that could leave, to ten people: made by nothing but the API, but for the DKIM key."""
    with account_scope(alice.account_id):
        add_domain(account_id=alice.account_id, domain="shop.example")
    everybody = alice.v1("POST", "/lists", {"name": "Everybody"}).json()["id"]
    rows = [{"email": f"P{n}@people.example", "first_name": f"P{n}"} for n in range(PEOPLE)]
    alice.v1("POST", "/contacts/bulk", {"contacts": rows, "list_ids": [everybody]})
    content = alice.v1("POST", "/contents", {"name": "Spring", "subject": "Hi", "source": LETTER}).json()["id"]
    made = alice.v1(
        "POST", "/campaigns",
        {"name": "Spring", "from_name": "Shop", "from_email": "News@SHOP.example", "content_id": content,
         "list_ids": [everybody]},
    )  # fmt: skip
    assert made.status_code == 201, made.content
    return made.json()


@pytest.fixture
def work(alice, monkeypatch):
    """A round of the worker over Alice's campaigns: the test's connection sees one account at a time."""

    def rows():
        with account_scope(alice.account_id):
            found = Campaign.objects.filter(account_id=alice.account_id, state__in=["freezing", "sending"])
            return [(alice.account_id, each.pk, each.state) for each in found]

    monkeypatch.setattr("standfast.components.campaigns.steward._with_something_to_do", rows)
    return tend


def test_a_campaign_goes_from_a_draft_to_its_report(alice, draft, work, loader):
    where = f"/campaigns/{draft['id']}"
    assert (draft["state"], draft["from_email"]) == ("draft", "News@shop.example")
    assert {"change", "send", "schedule", "delete"} <= set(draft["options"])
    checks = alice.v1("GET", f"{where}/checks").json()
    assert (checks["may_send"], checks["audience"]["total"]) == (True, PEOPLE), checks
    test = alice.v1("POST", f"{where}/test", {"emails": ["a@shop.example"], "as_contact": "p3@people.example"})
    assert (test.status_code, test.json()) == (202, {"sent": 1})

    sent = alice.v1("POST", f"{where}/send", **{"idempotency-key": "send"})
    assert (sent.status_code, sent.json()["state"], sent.json()["options"]) == (200, "freezing", ["cancel"])
    assert alice.v1("POST", f"{where}/send", **{"idempotency-key": "send"}).json() == sent.json()
    twice = alice.v1("POST", f"{where}/send")
    assert (twice.status_code, twice.json()["possible"]) == (409, ["cancel"])
    assert alice.v1("GET", f"{where}/report").status_code == 404
    assert alice.v1("POST", f"{where}/resume").status_code == 409, (
        "while people are counted out there is nothing to go on with"
    )

    assert work() == 1
    progress = alice.v1("GET", f"{where}/progress").json()
    assert (progress["state"], progress["total"], progress["open"]) == ("sending", PEOPLE, PEOPLE)
    assert alice.v1("POST", f"{where}/pause").json()["options"] == ["resume", "cancel"]
    assert alice.v1("POST", f"{where}/resume").json()["state"] == "sending"
    with account_scope(alice.account_id):
        assert Recipient.objects.filter(account_id=alice.account_id, email__startswith="P").count() == PEOPLE

    let_it_leave(alice.account_id, draft["id"], loader)
    with account_scope(alice.account_id):
        Send.objects.filter(account_id=alice.account_id, campaign_id=draft["id"]).update(state=SendState.FINISHED)
    too_late = alice.v1("POST", f"{where}/cancel")
    assert (too_late.status_code, too_late.json()["detail"]) == (409, "Everything has left already.")
    assert work() == 1
    assert alice.v1("GET", where).json()["options"] == ["resend-uncertain"]
    assert alice.v1("DELETE", where).status_code == 409
    report = alice.v1("GET", f"{where}/report").json()
    assert (report["recipients"], report["delivered"], report["people"]["opened"]) == (PEOPLE, 6, 3)
    moves = [(row["title"], row["detail"]) for row in alice.v1("GET", f"{where}/history").json()]
    assert moves[0] == ("Was sent to the last person", "") and len(moves) == 5
    assert moves[2] == ("Was paused", "by the key “test”"), "a program is named as a person is"
    assert alice.v1("POST", f"{where}/resend-uncertain").json() == {"sent_again": 1}
    copy = alice.v1("POST", f"{where}/duplicate").json()
    assert (copy["state"], copy["list_ids"], copy["name"]) == ("draft", draft["list_ids"], "Copy of Spring")


def test_two_writers_do_not_overwrite_each_other_and_only_drafts_change(alice, draft):
    where = f"/campaigns/{draft['id']}"
    seen = alice.v1("GET", where).headers["ETag"]
    mine = alice.v1("PATCH", where, {"subject": "Mine", "rate_per_minute": 600}, **{"if-match": seen})
    assert (mine.status_code, mine.json()["subject"], mine.json()["rate_per_minute"]) == (200, "Mine", 600)
    for method, path, body in (
        ("PATCH", where, {"subject": "Late"}),
        ("DELETE", where, None),
        ("POST", f"{where}/send", None),
    ):
        assert alice.v1(method, path, body, **{"if-match": seen}).status_code == 412, method
    assert alice.v1("GET", where).json()["subject"] == "Mine"
    planned = alice.v1("POST", f"{where}/schedule", {"send_at": LATER}, **{"if-match": f"W/{mine.headers['ETag']}"})
    assert (planned.json()["state"], planned.json()["send_at"]) == ("scheduled", "2099-07-01T06:00:00Z")
    assert planned.headers["ETag"] == alice.v1("GET", where).headers["ETag"] != mine.headers["ETag"]
    refused = alice.v1("PATCH", where, {"subject": "Later"})
    assert (refused.status_code, "unschedule" in refused.json()["possible"]) == (409, True)
    assert [row["id"] for row in alice.v1("GET", "/campaigns?state=scheduled&state=sent").json()["data"]] == [
        draft["id"]
    ]
    assert alice.v1("GET", "/campaigns?state=draft").json()["data"] == []
    assert alice.v1("POST", f"{where}/unschedule").json()["state"] == "draft"
    emptied = alice.v1("PATCH", where, {"content_id": None, "rate_per_minute": None, "list_ids": []}).json()
    assert (emptied["content_id"], emptied["rate_per_minute"], emptied["list_ids"]) == (None, None, [])
    unready = alice.v1("POST", f"{where}/send")
    assert unready.status_code == 422
    assert {"campaign.people", "campaign.content"} <= {each["field"] for each in unready.json()["errors"]}
    assert all(each["remedy"] for each in unready.json()["errors"])
    assert alice.v1("POST", f"{where}/test", {"emails": ["a@shop.example"]}).status_code == 422
    assert alice.v1("DELETE", where).status_code == 204
    assert alice.v1("GET", where).status_code == 404


def test_the_audience_tells_who_is_left_out_and_why(alice, draft):
    where = f"/campaigns/{draft['id']}"
    gone = alice.v1("GET", "/contacts?email=p1@people.example").json()["data"][0]["id"]
    alice.v1("POST", f"/lists/{draft['list_ids'][0]}/unsubscribe", {"contact_ids": [gone]})
    alice.v1("POST", "/do-not-mail", {"emails": ["p2@people.example"]})
    for query in ("", "?exact=true"):
        found = alice.v1("GET", f"{where}/audience{query}").json()
        assert (found["total"], found["is_estimate"]) == (PEOPLE - 2, False)
        assert {row["reason"]: row["people"] for row in found["skipped"]} == {"unsubscribed": 1, "do_not_mail:api": 1}
        assert all(row["text"] for row in found["skipped"])
    alice.v1("PATCH", where, {"list_ids": []})
    assert alice.v1("GET", f"{where}/audience").json() == {"total": 0, "skipped": [], "is_estimate": False}


def test_bad_settings_name_the_field_and_charlie_and_readers_get_nowhere(alice, charlie, people, draft):
    where, content, lists = f"/campaigns/{draft['id']}", draft["content_id"], draft["list_ids"]
    theirs = charlie.v1("POST", "/lists", {"name": "Theirs"}).json()["id"]
    for body, field in (
        ({"name": "\t"}, "body.name"), ({"name": None}, "body.name"), ({"from_email": "nobody"}, "body.from_email"),
        ({"reply_to": "a@b"}, "body.reply_to"), ({"content_id": 2**62 - 1}, "body.content_id"),
        ({"content_id": 10**400}, "body.content_id"), ({"list_ids": [theirs]}, "body.list_ids"),
        ({"list_ids": [0]}, "body.list_ids.0"), ({"suppressed_list_ids": lists}, "body.suppressed_list_ids"),
        ({"rate_per_minute": 0}, "body.rate_per_minute"), ({"subject": "x" * 256}, "body.subject"),
        ({"state": "sent"}, "body.state"), ({"language": "\0\0"}, "body.language"),
    ):  # fmt: skip
        answer = alice.v1("PATCH", where, body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), (body, answer.content)
    for body, field in (
        ({}, "body.send_at"), ({"send_at": "soon"}, "body.send_at"), ({"send_at": "2001-01-01T00:00:00Z"}, "body.send_at"),
        ({"send_at": "9999-12-31T23:59:59-12:00"}, "body.send_at"), ({"send_at": 10**400}, "body.send_at"),
    ):  # fmt: skip
        answer = alice.v1("POST", f"{where}/schedule", body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), (body, answer.content)
    for emails in ([], ["nobody"], ["a@shop.example"] * 31):
        assert alice.v1("POST", f"{where}/test", {"emails": emails}).status_code == 422
    nobody = alice.v1("POST", f"{where}/test", {"emails": ["a@shop.example"], "as_contact": "x@y.example"})
    assert nobody.json()["errors"][0]["field"] == "body.as_contact"
    assert alice.v1("PATCH", where, {"subject": "x"}, **{"if-match": "nonsense"}).status_code == 412

    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["campaigns:read"]))
    assert reader.v1("GET", f"{where}/checks").status_code == 200
    for method, rest in (("PATCH", ""), ("DELETE", ""), ("POST", "/send"), ("POST", "/cancel"), ("POST", "/duplicate")):
        assert reader.v1(method, where + rest, {}).status_code == 403
    assert charlie.v1("POST", "/campaigns", {"name": "C", "content_id": content, "list_ids": lists}).status_code == 422
    assert charlie.v1("GET", "/campaigns").json() == {"data": [], "next": None}
    assert alice.v1("GET", where).json() == draft, "nothing of all that stayed"


def test_a_sent_campaign_is_not_paused(alice, people, loader):
    campaign_id = sent_campaign(people.account.pk, loader).campaign_id
    for name in ("pause", "resume", "cancel", "unschedule", "send"):
        answer = alice.v1("POST", f"/campaigns/{campaign_id}/{name}")
        assert (answer.status_code, answer.json()["possible"]) == (409, ["resend-uncertain"]), name
