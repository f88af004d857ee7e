"""The streaming host: rows while they are read, as lines of JSON, XML or CSV."""

import csv
import io
import json

import pytest
from defusedxml import ElementTree

from standfast.services.rest_api.tests.sending import sent_campaign

STREAM = "/stream/accounts"


@pytest.fixture
def campaign_id(people, loader):
    return sent_campaign(people.account.pk, loader).campaign_id


def whole(answer):
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def lines(answer):
    return [json.loads(line) for line in whole(answer).splitlines()]


@pytest.mark.parametrize(
    ("path", "count"),
    [("campaigns", 1), ("reports", 1), ("reports/opens", 3), ("reports/bounces", 2), ("reports/unsubscribes", 1),
     ("reports/clicks", 4), ("reports/complaints", 1), ("campaigns/{}/delivered_report", 6),
     ("campaigns/{}/link_report", 4), ("campaigns/{}/bounce_report", 2)],
)  # fmt: skip
def test_rows_come_in_all_three_forms(alice, campaign_id, path, count):
    path = path.format(campaign_id)
    found = lines(alice.get(path, host=STREAM, query="stream=true"))
    assert len(found) == count
    root = ElementTree.fromstring(whole(alice.get(path, host=STREAM, suffix=".xml")))
    assert (root.tag, len(root)) == ("records", count)
    answer = alice.get(path, host=STREAM, suffix=".csv")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(whole(answer).decode())))
    assert len(rows) == count
    assert rows[0].keys() >= found[0].keys()


def test_rows_are_limited(alice, campaign_id):
    path = f"campaigns/{campaign_id}/delivered_report"
    assert len(lines(alice.get(path, host=STREAM, query="limit=2"))) == 2
    assert len(lines(alice.get(path, host=STREAM, query="per=4&page=2"))) == 2
    assert alice.get(path, host=STREAM, query="limit=x").status_code == 422


def test_dates_in_csv_have_their_offset(alice, campaign_id):
    text = whole(alice.get("reports/complaints", host=STREAM, suffix=".csv", query="fields=first_name")).decode()
    [row] = csv.DictReader(io.StringIO(text))
    assert row["recorded_on"][-6:] in (" -0400", " -0500")
    assert row["contact.first_name"] == ""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_verbs_are_forbidden(alice, method):
    assert alice.call(method, "campaigns", host=STREAM).status_code == 403


def test_strangers_get_nothing(alice, charlie, campaign_id):
    assert lines(charlie.get("reports/opens", host=STREAM)) == []
    assert charlie.get(f"campaigns/{campaign_id}/open_report", host=STREAM).status_code == 404
    with_no_key = alice.client.get(f"{STREAM}/{alice.account_id}/campaigns.json")
    assert with_no_key.status_code == 401
