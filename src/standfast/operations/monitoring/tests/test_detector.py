"""The quorum rule: who is counted, how many must agree, for how long, and when down becomes up."""

from __future__ import annotations

import pytest

from standfast.operations.monitoring.detector import Detector, is_down, is_up
from standfast.operations.monitoring.report import (
    Blind,
    CheckDown,
    CheckUp,
    Outcome,
    Reason,
    Report,
    Sighted,
    VantageAbsent,
    VantageBack,
)
from standfast.operations.monitoring.tests.rounds import Rounds, views
from standfast.operations.simulation.ground import HandClock, small_map


def kinds(findings) -> list[type]:
    return [type(finding) for finding in findings]


def test_all_see_it_fail_twice():
    rounds = Rounds()
    assert rounds.play(views(0, 5), 3) == []
    assert rounds.play(views(5)) == []
    (down,) = rounds.play(views(5))
    assert isinstance(down, CheckDown) and down.check == "c0"
    assert [(vote.vantage, vote.failures, vote.reason) for vote in down.votes] == [
        (f"v{number}", 2, Reason.REFUSED) for number in range(1, 6)
    ]
    assert rounds.play(views(5), 10) == []
    assert rounds.detector.down == {"c0"}


def test_a_bare_majority_must_fail_once_more():
    rounds = Rounds()
    assert rounds.play(views(3, 2), 2) == []
    assert kinds(rounds.play(views(3, 2))) == [CheckDown]


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_minority_decides_nothing(bad):
    assert Rounds().play(views(bad, 5 - bad), 100) == []


def test_one_good_round_ends_the_row():
    rounds = Rounds()
    for _ in range(20):
        assert rounds.play(views(5)) == []
        assert rounds.play(views(0, 5)) == []


def test_recovery_needs_three_good_rounds_of_a_majority():
    rounds = Rounds()
    rounds.play(views(5), 2)
    assert rounds.play(views(0, 5), 2) == []
    assert rounds.play(views(5)) == []
    assert rounds.play(views(0, 5), 2) == []
    (up,) = rounds.play(views(0, 5))
    assert isinstance(up, CheckUp)
    assert {vote.failures for vote in up.votes} == {0}


def test_two_of_five_that_stay_bad_do_not_hold_recovery_up_and_three_do():
    rounds = Rounds()
    rounds.play(views(5), 2)
    assert rounds.play(views(3, 2), 10) == []
    assert kinds(rounds.play(views(2, 3), 3)) == [CheckUp]


def test_the_silent_are_not_counted():
    rounds = Rounds()
    rounds.play(views(0, 5), 5)
    found = rounds.play({"v4": None, "v5": None, "v1": True, "v2": True, "v3": True}, 5)
    assert found == [VantageAbsent("v4", "silent"), VantageAbsent("v5", "silent")]
    assert kinds(rounds.play({"v1": False, "v2": False, "v3": True}, 3)) == [CheckDown]
    assert rounds.play(views(0, 5)) == [VantageBack("v4"), VantageBack("v5")]


def test_what_a_vantage_saw_before_its_absence_does_not_count_after_it():
    rounds = Rounds()
    rounds.play(views(0, 5), 2)
    rounds.play(views(1, 4))
    rounds.play({"v1": None, "v2": True, "v3": True, "v4": True, "v5": True}, 5)
    assert kinds(rounds.play(views(5))) == [VantageBack]
    (down,) = rounds.play(views(5))
    assert [vote.failures for vote in down.votes] == [2] * 5


def test_the_offline_are_not_counted():
    rounds = Rounds()
    rounds.play(views(0, 5), 2)
    cut = {"v1": "offline", "v2": "offline", "v3": True, "v4": True, "v5": True}
    assert rounds.play(cut, 300) == [VantageAbsent("v1", "offline"), VantageAbsent("v2", "offline")]
    assert rounds.play(views(0, 5)) == [VantageBack("v1"), VantageBack("v2")]


def test_too_few_judge_nothing():
    rounds = Rounds()
    rounds.play(views(0, 5), 2)
    found = rounds.play({"v1": False, "v2": False}, 20)
    assert kinds(found) == [VantageAbsent, VantageAbsent, VantageAbsent, Blind]
    assert found[-1] == Blind(2)
    assert rounds.detector.down == frozenset()
    assert rounds.play(views(0, 5))[-1] == Sighted(5)


def test_a_failure_that_lasted_through_blindness_is_found_after_it_and_one_that_stayed_is_kept():
    rounds = Rounds()
    rounds.play(views(5), 2)
    rounds.play(views(0, 0, 5), 20)
    assert rounds.detector.down == {"c0"}
    assert kinds(rounds.play(views(5), 5)) == [*[VantageBack] * 5, Sighted]
    assert kinds(rounds.play(views(0, 5), 3)) == [CheckUp]


def test_nobody_is_called_absent_before_there_was_time_to_report():
    rounds = Rounds()
    assert rounds.play(views(0, 0, 5), 3) == []
    assert kinds(rounds.play(views(0, 0, 5))) == [*[VantageAbsent] * 5, Blind]


def test_old_rounds_and_earlier_boots_say_nothing():
    rounds = Rounds()
    rounds.play(views(0, 5), 4)
    for number in range(1, 5):
        for vantage in rounds.boots:
            rounds.detector.receive(Report(vantage, "boot", number, (Outcome("c0", Reason.TIMEOUT, "", 1.0),)))
    assert rounds.detector.judge() == []
    rounds.boots = dict.fromkeys(rounds.boots, "second")
    assert rounds.play(views(0, 5), 2) == []
    for number in range(90, 99):
        for vantage in rounds.boots:
            rounds.detector.receive(Report(vantage, "boot", number, (Outcome("c0", Reason.TIMEOUT, "", 1.0),)))
    assert rounds.detector.judge() == []


def test_a_check_that_cannot_be_run_says_nothing_of_its_target():
    rounds = Rounds()
    assert rounds.play(dict.fromkeys(rounds.boots, "misconfigured"), 20) == []
    assert kinds(rounds.play({**views(3), "v4": "misconfigured", "v5": "misconfigured"}, 2)) == [CheckDown]


def test_unknown_vantages_and_checks_are_passed_over():
    rounds = Rounds()
    rounds.detector.receive(Report("stranger", "boot", 1, (Outcome("c0", Reason.TIMEOUT, "", 1.0),)))
    rounds.detector.receive(Report("v1", "boot", 1, (Outcome("nothing", Reason.TIMEOUT, "", 1.0),)))
    assert rounds.play(views(0, 5), 5) == []


def test_after_a_restart_the_end_of_what_was_down_is_noticed():
    rounds = Rounds()
    rounds.detector.prime(["c0", "gone"], absent=["v5", "stranger"], blind=True)
    assert rounds.detector.down == {"c0"}
    assert rounds.play(views(5), 3) == [VantageBack("v5"), Sighted(5)]
    assert kinds(rounds.play(views(0, 5), 3)) == [CheckUp]


def test_a_vantage_known_to_be_absent_is_not_called_absent_again_after_a_restart():
    rounds = Rounds()
    rounds.detector.prime([], absent=["v5"])
    assert rounds.play(views(0, 4, 1), 10) == []


def test_checks_are_judged_apart():
    the_map, clock = small_map(checks=3), HandClock()
    detector = Detector(the_map, clock)
    for number in (1, 2):
        for vantage in the_map.vantages:
            outcomes = [Outcome(f"c{check}", Reason.GOOD, "", 1.0) for check in (0, 2)]
            outcomes.append(Outcome("c1", Reason.TIMEOUT, "", 1.0))
            detector.receive(Report(vantage.id, "boot", number, tuple(outcomes)))
        clock.pass_(2)
    assert [finding.check for finding in detector.judge()] == ["c1"]


@pytest.mark.parametrize(
    ("streaks", "down"),
    [
        ([2, 2, 2, 2, -9], True),
        ([2, 2, 2, -9, -9], False),
        ([3, 3, 3, -9, -9], True),
        ([3, 3, 2, -9, -9], False),
        ([3, 3, 2, 2, -9], True),
        ([9, 9, -1, -1, -1], False),
        ([2, 2, 2], True),
        ([3, 3, -1], True),
        ([2, 2, -1], False),
        ([3, 3, -1, -1], False),  # half is no majority
        ([9, 9], False),
        ([], False),
    ],
)
def test_the_rule_for_down(streaks, down):
    assert is_down(streaks, votes_min=3, failures=2) is down


@pytest.mark.parametrize(
    ("streaks", "up"),
    [([-3, -3, -3, 9, 9], True), ([-3, -3, -2, 9, 9], False), ([-3, -3, 1, 1], False), ([-3, -3], False)],
)
def test_the_rule_for_up(streaks, up):
    assert is_up(streaks, votes_min=3, rounds=3) is up


def test_failures_before_and_after_a_vantages_restart_are_not_in_a_row():
    rounds = Rounds()
    rounds.play(views(0, 5), 2)
    rounds.play(views(5))
    rounds.boots = dict.fromkeys(rounds.boots, "second")
    assert rounds.play(views(5)) == []
    assert kinds(rounds.play(views(5))) == [CheckDown]


def test_a_vantage_whose_check_can_no_longer_be_run_takes_its_vote_back():
    rounds = Rounds()
    rounds.play(views(0, 5), 2)
    rounds.play(views(2, 3), 3)
    told = {"v1": "misconfigured", "v2": "misconfigured"}
    assert rounds.play({**told, "v3": True, "v4": True, "v5": True}, 2) == []
    assert rounds.play({**told, "v3": False, "v4": False, "v5": True}, 2) == []  # a bare majority of the three left
    assert kinds(rounds.play({**told, "v3": False, "v4": False, "v5": True})) == [CheckDown]
