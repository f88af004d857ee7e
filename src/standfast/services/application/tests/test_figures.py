from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from standfast.services.application.templatetags import figures


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (1, 0, "–"),
        (0, 10, "0\u202f%"),
        (10, 10, "100\u202f%"),
        (99_999, 100_000, "99.9\u202f%"),
        (1, 100_000, "<\u202f0.01\u202f%"),
        (1, 10_000, "0.01\u202f%"),
        (500, 969_000, "0.05\u202f%"),
        (3, 1000, "0.3\u202f%"),
        (123, 1000, "12.3\u202f%"),
    ],
)
def test_a_share_never_says_all_or_nothing_of_something_else(part, whole, shown):
    assert figures.percent_of(part, whole) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(None, "–"), (0, "0"), (1284339, "1\u00a0284\u00a0339"), (1234.56, "1\u00a0234.6")]
)
def test_numbers_are_grouped(number, shown):
    assert figures.num(number) == shown


def test_short_numbers():
    assert [figures.short_num(n) for n in (999, 12_345, 4_500_000)] == ["999", "12.3k", "4.5M"]


def test_durations_show_two_units():
    assert figures.lasting(timedelta(days=3, hours=4, minutes=9)) == "3\u202fd 4\u202fh"
    assert figures.lasting(245) == "4\u202fmin 5\u202fs"
    assert figures.lasting(0) == "0\u202fs"


def test_a_relative_time_has_the_exact_one_in_its_title():
    shown = figures.ago(timezone.now() - timedelta(minutes=3))
    assert "3 minutes ago" in shown
    assert "title=" in shown


def test_far_times_are_dates():
    assert "24 Nov 2020" in figures.ago(datetime(2020, 11, 24, 9, 5, tzinfo=UTC))
    assert figures.ago(None) == "never"
    assert "in 2 hours" in figures.ago(timezone.now() + timedelta(hours=2, seconds=5))


def test_widths_stay_within_the_bar():
    assert figures.width_of(15, 10) == "100.00%"
    assert figures.width_of(None, 0) == "0%"
