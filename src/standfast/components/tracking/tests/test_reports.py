"""The numbers of a report and its pages; Charlie sees none of it."""

from __future__ import annotations

import csv
import io
import re
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from standfast.components.delivery.api import Recipient, Send
from standfast.components.tracking import exports, recipients, reports
from standfast.components.tracking.exports import Report
from standfast.components.tracking.recipients import Show
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def url(sent, rest: str = "") -> str:
    return f"/accounts/{sent.account_id}/reports/sends/{sent.send_id}/{rest}"


def text(response) -> str:
    return b"".join(response.streaming_content).decode() if response.streaming else response.content.decode()


def table(response) -> list[dict[str, str]]:
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(text(response))))


def report(sent, **more):
    with account_scope(sent.account_id):
        return reports.summary(account_id=sent.account_id, send_id=sent.send_id, **more)


def test_the_numbers(sent):
    found = report(sent)
    assert (found.title, found.subject, found.total) == ("Spring", "Spring <b>is</b> here", 10)
    assert [tuple(line) for line in found.funnel] == [("Audience", 10), ("Delivered", 6), ("Opened", 3), ("Clicked", 2)]
    assert (found.opens, found.clicks, found.machine_opened, found.machine_clicked) == (4, 4, 1, 1)
    assert (found.bounced, found.bounced_hard, found.bounced_soft, found.uncertain, found.open) == (2, 1, 1, 1, 1)
    assert (found.unsubscribed, found.complained, found.deferrals) == (1, 1, 1)
    assert [line.label for line in found.bounces] == ["No such mailbox", "Mailbox is full"]
    assert [tuple(line) for line in found.deferrals_by_code] == [("451", 1)]


def test_every_message_is_somewhere(sent):
    found = report(sent)
    assert found.delivered + found.bounced + found.uncertain + found.failed + found.skipped + found.open == found.total


def test_machines_are_added_when_asked_for(sent):
    found = report(sent, machines=True)
    assert (found.opened, found.clicked, found.opens, found.clicks) == (4, 3, 5, 6)


def test_links_with_their_heat_and_without_the_trap(sent):
    links = report(sent).links
    assert [(one.link, one.clicks, one.contacts, one.machine_clicks, one.share, one.heat) for one in links] == [
        (1, 2, 1, 0, 50.0, 100.0), (2, 2, 2, 1, 50.0, 100.0),
    ]  # fmt: skip


def test_the_course_adds_up_and_has_no_gaps(sent):
    hours = report(sent).hours
    assert hours["by"] == "hour"
    assert [sum(one["values"]) for one in hours["series"]] == [4, 4]
    assert len(hours["labels"]) == len(hours["series"][0]["values"]) >= 2


def test_a_long_story_is_told_by_days(sent, loader):
    loader.execute(
        "INSERT INTO tracking_sendhour VALUES (%s, %s, 'opens', date_trunc('hour', %s + interval '400 days'), 3)",
        [sent.account_id, sent.send_id, sent.created_at],
    )
    loader.commit()
    hours = report(sent).hours
    assert hours["by"] == "day"
    assert sum(hours["series"][0]["values"]) == 7
    assert len(hours["labels"]) == 401


def test_many_sends_in_one_query(sent):
    with (
        account_scope(sent.account_id),
        CaptureQueriesContext(
            connection,
        ) as queries,
    ):
        found = reports.by_send(account_id=sent.account_id, send_ids=[sent.send_id, None, 10**12])
    assert found == {sent.send_id: reports.SendFigures(6, 3, 2, 2, 1, 1, 1, 9)}
    assert sum("tracking_sendcounter" in query["sql"] for query in queries) == 1


def test_pages_ask_the_database_a_bounded_number_of_times(sent, cast):
    client = client_of(cast.alice)
    for rest, most in (("", 20), ("summary/", 20), ("recipients/", 22), ("recipients/?q=p1@example.com", 23)):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url(sent, rest)).status_code == 200
        assert len(queries) <= most, [query["sql"][:90] for query in queries]


def test_the_report_page_shows_it_and_escapes(sent, cast):
    shown = text(client_of(cast.bob).get(url(sent)))
    assert "Spring &lt;b&gt;is&lt;/b&gt; here" in shown
    assert "No such mailbox" in shown
    assert "https://shop.example/1" in shown
    assert "1 message is uncertain" in shown
    assert "Send them again" not in shown  # Bob is no administrator
    assert "Send them again" in text(client_of(cast.alice).get(url(sent)))


def test_parts_for_the_polling_page(sent, cast):
    client = client_of(cast.alice)
    figures, detail = (
        text(client.get(url(sent, f"summary/?part={part}&machines=1"))) for part in ("figures", "detail")
    )
    assert 'id="report-figures"' in figures
    assert 'id="report-detail"' in detail
    assert "part=figures&amp;machines=1" in figures
    assert "<html" not in figures + detail


def test_the_list_of_reports(sent, cast):
    shown = text(client_of(cast.alice).get(f"/accounts/{sent.account_id}/reports/"))
    assert "Spring" in shown
    assert re.search(r"50\s%", shown)  # 3 of 6 opened


@pytest.mark.parametrize(
    ("show", "seqs"),
    [(Show.ALL, range(1, 11)), (Show.DELIVERED, [1, 2, 3, 4, 5, 6]), (Show.OPENED, [1, 2, 4]), (Show.CLICKED, [1, 4]),
     (Show.MACHINES, [3]), (Show.BOUNCED, [7, 8]), (Show.UNCERTAIN, [9]), (Show.WAITING, [10]), (Show.UNSUBSCRIBED, [2]),
     (Show.COMPLAINED, [5]), (Show.DEFERRED, []), (Show.FAILED, []), (Show.CANCELLED, [])],
)  # fmt: skip
def test_recipients_by_what_became_of_them(sent, show, seqs):
    with account_scope(sent.account_id):
        found = recipients.page(account_id=sent.account_id, send_id=sent.send_id, show=show)
        streamed = [row.seq for row in recipients.every(account_id=sent.account_id, send_id=sent.send_id, show=show)]
    assert [row.seq for row in found.rows] == streamed == list(seqs)


@pytest.mark.parametrize(("q", "seqs"), [("P1@EXAMPLE.com", [1]), ("p1", [1, 10]), ("nobody@x", []), ("%", [])])
def test_recipients_by_address(sent, q, seqs):
    with account_scope(sent.account_id):
        found = recipients.page(account_id=sent.account_id, send_id=sent.send_id, q=q)
    assert [row.seq for row in found.rows] == seqs


def test_paging_goes_both_ways_and_misses_nobody(sent, monkeypatch):
    monkeypatch.setattr(recipients, "PAGE", 4)
    mine = {"account_id": sent.account_id, "send_id": sent.send_id}
    with account_scope(sent.account_id):
        forth = [recipients.page(**mine)]
        while forth[-1].after is not None:
            forth.append(recipients.page(**mine, after=forth[-1].after))
        back = [forth[-1]]
        while back[-1].before is not None:
            back.append(recipients.page(**mine, before=back[-1].before))
    assert [row.seq for page in forth for row in page.rows] == list(range(1, 11))
    assert [[row.seq for row in page.rows] for page in back] == [[9, 10], [5, 6, 7, 8], [1, 2, 3, 4]]


def test_the_ledger_as_csv_is_safe_to_open(sent, cast):
    lines = table(client_of(cast.alice).get(url(sent, "recipients.csv")))
    assert [line["email"] for line in lines] == [f"P{seq}@example.com" for seq in range(1, 11)]
    assert [line["status"] for line in lines] == ["delivered"] * 6 + ["bounced", "bounced", "uncertain", "pending"]
    assert lines[6]["reply"] == "'=5.1.1 no such user"
    assert lines[0]["opens"] == "2"
    assert lines[0]["opened_at"].endswith("+00:00")


@pytest.mark.parametrize(
    ("name", "people"),
    [("delivered", [1, 2, 3, 4, 5, 6]), ("open", [1, 2, 1]), ("open.csv?unique=true", [1, 2]),
     ("open.csv?machines=1", [1, 2, 3, 1]),
     ("click", [1, 1, 1, 4]), ("click.csv?unique=true", [1, 4]), ("link.csv?unique=true", [1, 1, 4]), ("bounce", [7, 8]),
     ("hard_bounce", [7]), ("soft_bounce", [8]), ("unsubscribe", [2]), ("complaint", [5])],
)  # fmt: skip
def test_the_nine_reports(sent, cast, name, people):
    rest = name if ".csv" in name else f"{name}.csv"
    lines = table(client_of(cast.alice).get(url(sent, rest)))
    assert sorted(int(line["email"][1:].split("@")[0]) for line in lines) == sorted(people)
    wanted = Report(name.split(".")[0])
    assert not lines or list(lines[0]) == exports.columns(wanted)
    for line in lines:
        assert (line["account_id"], line["campaign_id"]) == (str(sent.account_id), "5")


def test_rows_of_clicks_say_who_where_and_with_what(sent, cast):
    first = table(client_of(cast.alice).get(url(sent, "click.csv")))[0]
    assert (first["uid"], first["browser"], first["ip_address"], first["url"]) == (
        "u1",
        "M",
        "::1",
        "https://shop.example/1",
    )


def test_an_administrator_sends_uncertain_ones_again(sent, cast):
    assert client_of(cast.bob).post(url(sent, "resend-uncertain/")).status_code == 403
    assert client_of(cast.alice).get(url(sent, "resend-uncertain/")).status_code == 405
    answer = client_of(cast.alice).post(url(sent, "resend-uncertain/"), follow=True)
    assert "1 uncertain message is sent again" in text(answer)
    with account_scope(sent.account_id):
        assert Recipient.objects.get(account_id=sent.account_id, send_id=sent.send_id, seq=9).status == 2
        assert Send.objects.get(pk=sent.send_id).state == "ready"


@pytest.mark.parametrize(
    "rest",
    ["", "summary/", "recipients/", "recipients.csv", "resend-uncertain/", *(f"{report}.csv" for report in Report)],
)
def test_charlie_finds_no_page(sent, cast, rest):
    charlie = client_of(cast.charlie)
    ask = charlie.post if rest == "resend-uncertain/" else charlie.get
    assert ask(url(sent, rest)).status_code == 404
    own = f"/accounts/{cast.other.pk}/reports/sends/{sent.send_id}/{rest}"
    assert ask(own).status_code == 404


def test_charlie_gets_no_number_from_any_function(sent, cast):
    for claimed in (cast.other.pk, sent.account_id):  # also when he names Alice's account
        mine = {"account_id": claimed, "send_id": sent.send_id}
        with account_scope(cast.other.pk):
            assert reports.summary(**mine) is None
            assert reports.by_send(account_id=claimed, send_ids=[sent.send_id]) == {}
            assert not reports.sends(account_id=claimed).exists()
            for show in Show:
                assert recipients.page(**mine, show=show).rows == []
                assert list(recipients.every(**mine, show=show)) == []
            for wanted in Report:
                assert list(exports.rows(**mine, report=wanted)) == []
    assert "Spring" not in text(client_of(cast.charlie).get(f"/accounts/{cast.other.pk}/reports/"))


def test_odd_questions_are_answered(sent, cast):
    client = client_of(cast.alice)
    for rest in (
        "recipients/?after=x",
        "recipients/?before=99999999999999",
        "recipients/?show=nonsense&q=%00",
        "?machines=7",
    ):
        assert client.get(url(sent, rest)).status_code == 200
    assert client.get(url(sent, "nonsense.csv")).status_code == 404
    assert client.get(f"/accounts/{sent.account_id}/reports/sends/{10**30}/").status_code == 404


def test_hours_and_days_are_those_of_the_account(sent, loader):
    loader.execute("DELETE FROM tracking_sendhour WHERE account_id = %s", [sent.account_id])
    loader.execute(
        "INSERT INTO tracking_sendhour VALUES (%s, %s, 'opens', '2026-11-24 22:00+00', 3)",
        [sent.account_id, sent.send_id],
    )
    loader.commit()
    with timezone.override(ZoneInfo("Asia/Kolkata")):
        hours = report(sent).hours
    assert hours["labels"][0] == "03:30\n25 Nov" and hours["zone"] == "Asia/Kolkata"
    assert hours["series"][0]["values"] == [3] + [0] * 11, "a first hour is one of several bars"
    assert hours["kind"] == "bar"


def test_a_search_reads_a_part_at_a_time_and_leads_on(sent, monkeypatch):
    monkeypatch.setattr(recipients, "SEARCHED_MAX", 2)
    chosen = {"account_id": sent.account_id, "send_id": sent.send_id, "q": "p5"}
    with account_scope(sent.account_id):
        first = recipients.page(**chosen)
        assert (first.rows, first.before, first.after, first.searched) == ([], None, 2, (1, 2))
        second = recipients.page(**chosen, after=2)
        assert (second.rows, second.after, second.searched) == ([], 4, (3, 4))
        third = recipients.page(**chosen, after=4)
        assert [row.seq for row in third.rows] == [5]
        assert third.before == 5 and third.searched[0] == 5
        assert recipients.page(**chosen, before=5).searched == (3, 4)
        assert recipients.page(**chosen, before=3).before is None
