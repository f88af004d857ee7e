"""The nine reports of a campaign over the reference product's interface."""

import pytest

from standfast.services.rest_api.tests.sending import sent_campaign

REPORTS = (
    "delivered_report", "open_report", "opened_report", "click_report", "link_report", "bounce_report",
    "soft_bounce_report", "hard_bounce_report", "unsubscribe_report", "complaint_report",
)  # fmt: skip
RESPONSE = {"account_id", "campaign_id", "contact_id", "uid", "browser", "ip_address", "recorded_at", "email"}


@pytest.fixture
def campaign_id(people, loader):
    return sent_campaign(people.account.pk, loader).campaign_id


@pytest.mark.parametrize(
    ("report", "numbers", "names"),
    [
        ("delivered_report", [1, 2, 3, 4, 5, 6], {"email", "account_id", "campaign_id", "contact_id", "created_at"}),
        ("open_report", [1, 1, 2], RESPONSE),
        ("opened_report", [1, 1, 2], RESPONSE),
        ("click_report", [1, 1, 1, 4], RESPONSE | {"url"}),
        ("link_report", [1, 1, 1, 4], RESPONSE | {"url"}),
        ("bounce_report", [7, 8], {"recorded_on", "contact_id", "email"}),
        ("hard_bounce_report", [7], {"recorded_on"}),
        ("soft_bounce_report", [8], {"recorded_on"}),
        ("unsubscribe_report", [2], {"recorded_on"}),
        ("complaint_report", [5], {"recorded_on"}),
    ],
)
def test_a_report_has_its_people_and_names(alice, campaign_id, report, numbers, names):
    rows = alice.get(f"campaigns/{campaign_id}/{report}").json()
    assert [row["email"] for row in rows] == [f"P{number}@example.com" for number in numbers]
    assert all((names | {"total_pages"}) <= row.keys() for row in rows)
    assert {row["campaign_id"] for row in rows} == {campaign_id}


@pytest.mark.parametrize(
    ("report", "numbers"), [("open_report", [1, 2, 4]), ("click_report", [1, 4]), ("link_report", [1, 1, 4])]
)
def test_unique_keeps_the_first_of_each(alice, campaign_id, report, numbers):
    rows = alice.get(f"campaigns/{campaign_id}/{report}", query="unique=true").json()
    assert [row["email"] for row in rows] == [f"P{number}@example.com" for number in numbers]


@pytest.mark.parametrize("query", ["", "&unique=true"])
@pytest.mark.parametrize("report", REPORTS)
def test_pages_hold_every_row_once_and_past_the_end_nothing(alice, campaign_id, report, query):
    whole = [
        {**row, "total_pages": 0} for row in alice.get(f"campaigns/{campaign_id}/{report}", query=query[1:]).json()
    ]
    pages = []
    for page in range(1, 12):
        rows = alice.get(f"campaigns/{campaign_id}/{report}", query=f"page={page}&per=1{query}").json()
        assert len(rows) <= 1
        assert all(row["total_pages"] >= len(whole) for row in rows)
        pages += [{**row, "total_pages": 0} for row in rows]
    assert pages == whole


def test_a_draft_has_empty_reports_and_a_stranger_none(alice, charlie, campaign_id):
    draft = alice.post("campaigns", {"campaign": {"name": "Later"}}).json()["id"]
    assert alice.get(f"campaigns/{draft}/open_report").json() == []
    for report in REPORTS:
        assert charlie.get(f"campaigns/{campaign_id}/{report}").status_code == 404


@pytest.mark.parametrize("query", ["page=x", "page=0", "per=0", "page=999999999999"])
def test_a_page_that_cannot_be_is_refused(alice, campaign_id, query):
    assert alice.get(f"campaigns/{campaign_id}/open_report", query=query).status_code == 422
