"""The formula, against cases worked out by hand."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from standfast.operations.map import Square
from standfast.operations.status import Status
from standfast.operations.status_page.tests import scenes
from standfast.operations.status_page.uptime import Record, percent_words

HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")


def record(steps, *, now=scenes.NOW, zone=NEW_YORK, the_map=None):
    the_map = the_map or scenes.a_map()
    return Record(the_map, scenes.fold(the_map, steps), now=now, zone=zone)


def test_an_hour_of_major_outage_in_seventy_days():
    steps = [
        (scenes.NOW - 5 * HOUR, "check_down", {"check": "rest-api-ca1", "votes": []}),
        (scenes.NOW - 4 * HOUR, "check_up", {"check": "rest-api-ca1", "votes": []}),
    ]
    found = record(steps)
    assert found.square(Square("rest-api", "ca1")).percent == pytest.approx(100 * (1 - 1 / (70 * 24)))
    assert found.square(Square("rest-api", "eu1")).percent == 100
    assert found.component("rest-api").percent == pytest.approx(100 * (1 - 1 / (70 * 24 * 5)))


def test_partial_counts_thirty_percent_and_degraded_nothing():
    the_map = scenes.a_map()
    for status, share in (("partial_outage", 0.3), ("degraded_performance", 0.0)):
        steps = [
            (scenes.NOW - 10 * HOUR, "incident_opened", {"incident": "i", "title": "t", "checks": [], "squares": [],
                                                         "impact": "minor"}),
            (scenes.NOW - 10 * HOUR, "post", {"incident": "i", "update": "i-1", "status": "investigating", "body": "b",
                                              "squares": [["login", "app", status]], "author": "alice"}),
        ]  # fmt: skip
        found = record(steps, the_map=the_map).square(Square("login", "app"))
        assert found.percent == pytest.approx(100 * (1 - share * 10 / (70 * 24)))


def test_days_without_anybody_watching_are_grey():
    days = record([]).square(Square("login", "app")).days
    assert [day.worst for day in days[:19]] == [None] * 19
    assert days[19].worst is Status.OPERATIONAL and days[-1].worst is Status.OPERATIONAL


def test_what_is_not_monitored_has_no_uptime_even_after_an_outage_of_everything():
    found = record(scenes.recovered(scenes.a_map())).square(Square("ftp", "app"))
    assert found.percent is None and percent_words(found.percent) == "no data"
    assert found.days[-1].worst is Status.MAJOR_OUTAGE


def test_time_in_which_nobody_could_judge_is_no_uptime():
    steps = [
        (scenes.NOW - 60 * HOUR, "blind", {"reporting": 2}),
        (scenes.NOW - 30 * HOUR, "sighted", {"reporting": 5}),
    ]
    day = record(steps).square(Square("login", "app")).days[-2]
    assert sum(day.seconds.values()) < 24 * 3600 - 1
    assert record(steps).square(Square("login", "app")).percent == 100


def test_a_day_of_summer_time_has_25_hours():
    now = datetime(2026, 11, 3, tzinfo=UTC)
    days = record([], now=now).square(Square("login", "app")).days
    by_date = {day.on.isoformat(): sum(day.seconds.values()) for day in days}
    assert by_date["2026-11-01"] == 25 * 3600 and by_date["2026-10-31"] == 24 * 3600


def test_figures_are_rounded_down():
    assert percent_words(99.9999).startswith("99.99") and percent_words(100.0).startswith("100")
