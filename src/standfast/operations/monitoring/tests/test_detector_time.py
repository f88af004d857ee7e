"""The controller's own troubles with time: standing still, clocks that jump. None makes an incident, each is marked."""

from __future__ import annotations

import pytest

from standfast.operations.monitoring.report import CheckDown, Gap
from standfast.operations.monitoring.tests.rounds import Rounds, views


@pytest.mark.parametrize("hour", [3600.0, -3600.0])
def test_a_jump_of_the_wall_clock_is_marked_and_judged_over(hour):
    rounds = Rounds()
    rounds.play(views(0, 5), 3)
    rounds.clock.jump(hour)
    assert rounds.play(views(0, 5), 20) == [Gap(hour, "clock jumped")]


def test_slow_correction_of_the_wall_clock_is_no_jump():
    rounds = Rounds()
    for _ in range(100):
        rounds.clock.jump(0.5)
        assert rounds.play(views(0, 5)) == []


def test_standing_still_is_marked_and_makes_nobody_absent():
    rounds = Rounds()
    rounds.play(views(0, 5), 3)
    rounds.clock.pass_(30)
    (gap,) = rounds.play(views(0, 5), 20)
    assert isinstance(gap, Gap) and gap.why == "stood still" and gap.seconds >= 30


def test_failures_before_and_after_a_gap_are_not_in_a_row():
    rounds = Rounds()
    rounds.play(views(0, 5), 3)
    rounds.play(views(5))
    rounds.clock.pass_(30)
    assert [type(finding) for finding in rounds.play(views(5))] == [Gap]
    assert [type(finding) for finding in rounds.play(views(5), 2)] == [CheckDown]


def test_what_was_down_before_a_gap_stays_down_until_it_is_seen_good():
    rounds = Rounds()
    rounds.play(views(5), 2)
    rounds.clock.jump(-3600)
    rounds.play(views(5), 3)
    assert rounds.detector.down == {"c0"}
    rounds.play(views(0, 5), 3)
    assert rounds.detector.down == frozenset()


def test_who_stays_silent_after_a_gap_becomes_absent():
    rounds = Rounds()
    rounds.play(views(0, 5), 3)
    rounds.clock.pass_(60)
    found = rounds.play({"v1": True, "v2": True, "v3": True, "v4": True}, 10)
    assert [type(finding).__name__ for finding in found] == ["Gap", "VantageAbsent"]
