"""The targets that need long stretches of time: vantages cut off, our own troubles, flapping. With the rules as shipped."""

from __future__ import annotations

import pytest

from standfast.operations.map import Rules
from standfast.operations.simulation.ground import VANTAGES
from standfast.operations.simulation.run import run_weather
from standfast.operations.simulation.weather import Absence, Outage, Weather

SHIPPED = Rules().model_dump()
EVERYBODY = frozenset(VANTAGES)


@pytest.mark.parametrize("how", ["silent", "offline", "cut"])
@pytest.mark.parametrize("count", [1, 2])
def test_vantages_cut_off_for_ten_minutes_make_no_incident_and_are_shown(how, count):
    away = [Absence(vantage, 10, 610, how) for vantage in VANTAGES[:count]]
    verdict = run_weather(Weather(1, horizon=700, absences=away), **SHIPPED)
    assert not verdict.broken
    assert "incident_opened" not in verdict.counts
    assert verdict.counts.get("vantage_absent", 0) == (0 if how == "cut" else count)
    assert verdict.counts.get("vantage_back", 0) == verdict.counts.get("vantage_absent", 0)


def test_an_outage_while_two_are_away_is_found():
    away = [Absence(vantage, 10, 610, "silent") for vantage in VANTAGES[:2]]
    weather = Weather(1, horizon=800, absences=away, outages=[Outage("c1", 100, 200, EVERYBODY, True)])
    verdict = run_weather(weather, **SHIPPED)
    assert not verdict.broken
    assert verdict.counts["incident_opened"] == 1


@pytest.mark.parametrize(
    "trouble",
    [
        {"stops": [(20.0, 50.0)]},
        {"jumps": [(20.0, 3600.0)]},
        {"jumps": [(20.0, -3600.0)]},
        {"jumps": [(20.0, 3600.0), (40.0, -3600.0)]},
    ],
)
def test_our_own_troubles_with_time_make_no_incident_and_are_marked(trouble):
    verdict = run_weather(Weather(1, probe_loss=0.05, **trouble), **SHIPPED)
    assert not verdict.broken
    assert "incident_opened" not in verdict.counts
    assert verdict.counts["gap"] == sum(len(moments) for moments in trouble.values())


def test_everybody_offline_is_blindness_and_no_incident():
    away = [Absence(vantage, 20, 60, "offline") for vantage in VANTAGES]
    verdict = run_weather(Weather(1, absences=away), **SHIPPED)
    assert not verdict.broken
    assert "incident_opened" not in verdict.counts
    assert verdict.counts["blind"] == verdict.counts["sighted"] == 1


def test_half_an_hour_of_flapping_is_one_incident_and_few_messages():
    flaps = [Outage("c1", 10 + 20 * turn, 20 + 20 * turn, EVERYBODY, False) for turn in range(90)]
    verdict = run_weather(Weather(1, horizon=2600, outages=flaps), **SHIPPED)
    assert not verdict.broken
    assert verdict.counts["incident_opened"] == 1
    # Investigating, "it comes and goes", the one promised update; after it Monitoring and Resolved.
    assert verdict.counts["post"] == 5
