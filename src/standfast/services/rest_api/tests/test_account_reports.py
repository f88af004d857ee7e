"""Reports of an account over the reference product's interface."""

import pytest

from standfast.services.rest_api.tests.caller import Caller, key_of
from standfast.services.rest_api.tests.sending import sent_campaign

REPORTS = {
    "opens": ([1, 1, 2], {"browser", "ip_address", "recorded_at"}),
    "clicks": ([1, 1, 1, 4], {"browser", "ip_address", "recorded_at", "url"}),
    "bounces": ([7, 8], {"recorded_on", "type"}),
    "unsubscribes": ([2], {"recorded_on"}),
    "complaints": ([5], {"recorded_on"}),
}


@pytest.fixture
def campaign_id(people, loader):
    return sent_campaign(people.account.pk, loader).campaign_id


def people_of(rows):
    return sorted(int(row["email"].removeprefix("P").partition("@")[0]) for row in rows)


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_has_its_people_and_names(alice, charlie, campaign_id, report):
    numbers, names = REPORTS[report]
    rows = alice.get(f"reports/{report}").json()
    assert people_of(rows) == numbers
    assert all((names | {"contact_id", "campaign_id", "email", "total_pages"}) <= row.keys() for row in rows)
    assert {row["campaign_id"] for row in rows} == {campaign_id}
    assert charlie.get(f"reports/{report}").json() == []


def test_contact_fields_stand_in_a_table_of_their_own(alice, campaign_id):
    rows = alice.get("reports/complaints", query="fields=email,first_name,uid").json()
    assert rows[0]["contact"] == {"email": "P5@example.com", "first_name": "", "uid": None}
    assert alice.get("reports/opens", query="fields=password").status_code == 422


@pytest.mark.parametrize(
    ("report", "query", "numbers"),
    [
        ("opens", "unique=true", [1, 2, 4]),
        ("clicks", "unique=true", [1, 4]),
        ("opens", "email=p1%40example.com", [1, 1]),
        ("opens", "uid=u1", [1, 1]),
        ("opens", "uid=nobody", []),
        ("bounces", "type=hard", [7]),
        ("bounces", "type=soft", [8]),
        ("opens", "to=2001-01-01", []),
        ("unsubscribes", "from=2999-01-01", []),
        ("opens", "from=2000-01-01&to=2999-01-01", [1, 1, 2]),
        ("clicks", "page=2&per=3", [4]),
        ("clicks", "page=3&per=3", []),
    ],
)
def test_a_report_is_narrowed(alice, campaign_id, report, query, numbers):
    assert people_of(alice.get(f"reports/{report}", query=query).json()) == numbers


@pytest.mark.parametrize("query", ["from=yesterday", "to=2026-02-30", "type=hard", "email=nobody", "page=x"])
def test_what_cannot_be_asked_is_said(alice, query):
    assert alice.get("reports/opens", query=query).status_code == 422


def test_there_is_a_report_on_each_campaign_that_was_sent(alice, charlie, campaign_id):
    draft = alice.post("campaigns", {"campaign": {"name": "Later"}}).json()["id"]
    [row] = alice.get("reports").json()
    assert (row["id"], row["delivered"], row["total_pages"]) == (campaign_id, 6, 1)
    assert alice.get(f"reports/{campaign_id}").json()["id"] == campaign_id
    assert alice.get(f"reports/{draft}").status_code == 404
    assert charlie.get(f"reports/{campaign_id}").status_code == 404


def test_a_key_without_the_right_reads_no_report(alice, people, campaign_id):
    other = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["contacts:read"]))
    for path in ("reports", "reports/opens", f"campaigns/{campaign_id}/open_report"):
        assert other.get(path).status_code == 403


def test_fields_of_contacts_are_for_keys_that_may_read_contacts(alice, people, campaign_id):
    few = Caller(alice.client, people.account.pk, key_of(people.account, people.alice, scopes=["reports:read"]))
    assert few.get("reports/opens").status_code == 200
    refused = few.get("reports/opens", query="fields=phone")
    assert refused.status_code == 403 and "contacts:read" in refused.json()["error"]
