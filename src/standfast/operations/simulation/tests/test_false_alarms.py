"""False alarms from lost probes. The whole measure is `python -m standfast.operations.simulation false-alarms`."""

from __future__ import annotations

from standfast.operations.simulation.false_alarms import count_false_alarms


def test_five_percent_of_lost_probes_make_no_alarm_in_days():
    alarms = count_false_alarms(days=1, loss=0.05, checks=6)
    assert alarms.check_days == 6
    assert not alarms.found


def test_nor_while_two_vantages_of_five_are_away():
    assert count_false_alarms(days=2, loss=0.05, vantages=3).downs == 0


def test_the_measure_can_count_alarms():
    alarms = count_false_alarms(days=0.2, loss=0.4)
    assert alarms.downs > 10
    assert abs(alarms.found["CheckDown"] - alarms.found["CheckUp"]) <= 1
