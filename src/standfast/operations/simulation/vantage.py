"""Simulated vantages: the grid and the reports are as in `monitoring/vantage.py`, what they see is the weather's."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from standfast.operations.monitoring.report import Outcome, Reason, Report
from standfast.operations.simulation.ground import VANTAGES
from standfast.operations.simulation.weather import CHECKS, Absence, Weather

INTERVAL = 2.0
HANGS_SECONDS = 1.5
_GOOD = {check: Outcome(check, Reason.GOOD, "", 1.0) for check in CHECKS}
_BAD = {check: Outcome(check, Reason.REFUSED, "connection refused", 1.0) for check in CHECKS}
_HANG = {check: Outcome(check, Reason.TIMEOUT, "nothing within 1.5 s", 1500.0) for check in CHECKS}


class SimulatedVantage:
    """Looks every two seconds and hands each report to `deliver` when it would arrive. No tasks: timers alone."""

    def __init__(self, name: str, weather: Weather, deliver: Callable[[float, Report], None]) -> None:
        self.name, self._weather, self._deliver = name, weather, deliver
        self._dice = random.Random(f"{weather.seed}-{name}")  # noqa: S311
        self._loop = asyncio.get_running_loop()
        self._absences = [absence for absence in weather.absences if absence.vantage == name]
        self._outages = [outage for outage in weather.outages if name in outage.seen_by]
        self._number = 0
        self._start = INTERVAL * VANTAGES.index(name) / len(VANTAGES)
        self._loop.call_at(self._start, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        self._number += 1
        if now < self._weather.horizon:
            self._loop.call_at(self._start + self._number * INTERVAL, self._look)
        away = self._away(now)
        if away in ("silent", "restarted"):
            return
        outcomes, lasted = self._probe(now, cut=away == "cut")
        if self._dice.random() >= self._weather.report_loss:
            report = Report(self.name, self._boot(now), self._number, outcomes, away == "offline")
            self._loop.call_later(lasted + self._dice.uniform(0.001, 0.08), self._deliver, now + lasted, report)

    def _probe(self, now: float, *, cut: bool) -> tuple[tuple[Outcome, ...], float]:
        lasted, outcomes = 0.0, []
        for check in CHECKS:
            outcome = _GOOD[check]
            if cut or self._dice.random() < self._weather.probe_loss:
                outcome = _HANG[check]
            for outage in self._outages:
                if outage.check == check and outage.begin <= now < outage.end:
                    outcome = _HANG[check] if outage.hangs else _BAD[check]
            if outcome.reason is Reason.TIMEOUT:
                lasted = HANGS_SECONDS
            outcomes.append(outcome)
        return tuple(outcomes), lasted

    def _away(self, now: float) -> str | None:
        return next((one.how for one in self._absences if one.begin <= now < one.end), None)

    def _boot(self, now: float) -> str:
        return f"boot-{sum(_restarted(absence) <= now for absence in self._absences)}"


def _restarted(absence: Absence) -> float:
    return absence.end if absence.how == "restarted" else float("inf")
