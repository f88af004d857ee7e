"""Reports over our own API: people and machines apart, pages by cursor, exports as streams."""

import csv
import io
import json

import pytest

from standfast.services.rest_api.tests.sending import PEOPLE, sent_campaign

pytestmark = pytest.mark.django_db(transaction=True)
NINE = {
    "delivered": 6, "open": 3, "click": 4, "link": 4, "bounce": 2, "soft_bounce": 1, "hard_bounce": 1, "unsubscribe": 1,
    "complaint": 1,
}  # fmt: skip


@pytest.fixture
def report(alice, people, loader):
    return f"/campaigns/{sent_campaign(people.account.pk, loader).campaign_id}/report"


def everything(caller, path):
    """All rows of a list, two at a time."""
    rows, cursor = [], ""
    while cursor is not None:
        page = caller.v1("GET", f"{path}{'&' if '?' in path else '?'}limit=2&cursor={cursor}").json()
        assert len(page["data"]) <= 2
        rows, cursor = rows + page["data"], page["next"]
    return rows


def lines(answer):
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def test_figures_hours_and_links(alice, charlie, report):
    found = alice.v1("GET", report).json()
    assert found["people"] == {"opened": 3, "clicked": 2, "opens": 4, "clicks": 4}
    assert found["machines"] == {"opened": 1, "clicked": 1, "opens": 1, "clicks": 1}
    assert (found["bounced"]["total"], found["bounced"]["hard"], found["bounced"]["soft"]) == (2, 1, 1)
    assert {row["name"]: row["count"] for row in found["bounced"]["by_class"]} == {
        "InvalidRecipient": 1,
        "QuotaIssues": 1,
    }
    ends = ("delivered", "uncertain", "failed", "skipped", "open")
    assert sum(found[name] for name in ends) + found["bounced"]["total"] == found["recipients"] == PEOPLE
    hours = everything(alice, f"{report}/hours")
    assert [row["hour_at"] for row in hours] == sorted({row["hour_at"] for row in hours})
    assert sum(row["clicks"] for row in hours) == 4 and sum(row["machine_opens"] for row in hours) == 1
    links = everything(alice, f"{report}/links")
    assert [(row["link"], row["clicks"], row["people"], row["machine_clicks"]) for row in links] == [
        (1, 2, 1, 0),
        (2, 2, 2, 1),
    ]
    [row] = alice.v1("GET", "/reports").json()["data"]
    assert (row["campaign_id"], row["delivered"], row["opened"]) == (found["campaign_id"], 6, 3)
    assert charlie.v1("GET", "/reports").json()["data"] == []
    for rest in ("", "/hours", "/links", "/recipients", "/exports/open", "/exports/recipients"):
        assert charlie.v1("GET", report + rest).status_code == 404, rest


def test_recipients_are_filtered_searched_and_paged(alice, report):
    where = f"{report}/recipients"
    assert [row["number"] for row in everything(alice, where)] == list(range(1, PEOPLE + 1))
    counts = {"delivered": 6, "opened": 3, "clicked": 2, "machines": 1, "bounced": 2, "uncertain": 1, "waiting": 1,
              "unsubscribed": 1, "complained": 1, "failed": 0, "cancelled": 0, "deferred": 0}  # fmt: skip
    assert {status: len(everything(alice, f"{where}?status={status}")) for status in counts} == counts
    [one] = everything(alice, f"{where}?q=p7@example.com")
    assert (one["status"], one["email"], one["opens"]) == ("bounced", "P7@example.com", 0)
    assert len(everything(alice, f"{where}?q=P1")) == 2
    for query in ("status=happy", "q=%00", "limit=0", "cursor=x", f"cursor={'WzFd' * 9}"):
        assert alice.v1("GET", f"{where}?{query}").status_code in (400, 422), query
    assert alice.v1("GET", f"{where}?cursor=WzQ2MTE2ODYwMTg0MjczODc5MDNd").json()["data"] == []  # [2**62 - 1]
    assert alice.v1("GET", f"{report}/hours?cursor=WyJ4Il0").status_code == 422  # ["x"]


def test_the_exports_are_streams_of_csv_and_of_json_lines(alice, report):
    for name, count in (*NINE.items(), ("recipients", PEOPLE)):
        where = f"{report}/exports/{name}"
        answer = alice.v1("GET", where)
        assert answer.streaming and answer.headers["Content-Type"].startswith("text/csv")
        table = list(csv.DictReader(io.StringIO(lines(answer))))
        answer = alice.v1("GET", f"{where}?format=jsonl")
        assert answer.headers["Content-Type"].startswith("application/jsonl")
        rows = [json.loads(line) for line in lines(answer).splitlines()]
        assert len(table) == len(rows) == count, name
        assert list(table[0]) == list(rows[0]), name
    unique = alice.v1("GET", f"{report}/exports/open?unique=true&format=jsonl")
    assert len(lines(unique).splitlines()) == 2
    assert len(lines(alice.v1("GET", f"{report}/exports/open?machines=true&format=jsonl")).splitlines()) == 4
    assert alice.v1("GET", f"{report}/exports/opens").status_code == 422
    assert alice.v1("GET", f"{report}/exports/open?format=pdf").status_code == 422
