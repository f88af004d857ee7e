"""How often the detector cries wolf: the real Detector through days of rounds in which nothing is wrong but lost probes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from math import log, log1p

from standfast.operations.monitoring.detector import Detector
from standfast.operations.monitoring.report import CheckDown, Outcome, Reason, Report
from standfast.operations.simulation.ground import VANTAGES, HandClock, small_map


@dataclass(frozen=True, slots=True)
class Alarms:
    """check_days: simulated days times checks; downs: how often a check was called down."""

    check_days: float
    downs: int
    found: Counter[str]


def count_false_alarms(*, days: float, loss: float, checks: int = 1, vantages: int = 5, seed: int = 1) -> Alarms:
    """Run `days` of rounds in which each probe of each vantage is lost, independently, with probability `loss`.

    Every round is a real report and every round is judged; losses are drawn as distances between them, which is quicker
    than a draw for each probe and the same distribution.
    """
    the_map = small_map(checks=checks, vantages=vantages)
    clock = HandClock()
    detector = Detector(the_map, clock)
    interval = the_map.rules.interval_seconds
    names = [check.id for check in the_map.checks]
    good = tuple(Outcome(name, Reason.GOOD, "", 1.0) for name in names)
    lost = [Outcome(name, Reason.TIMEOUT, "lost", 1500.0) for name in names]
    losses = [_Losses(random.Random(f"{seed}-{vantage}"), loss) for vantage in VANTAGES[:vantages]]  # noqa: S311
    found: Counter[str] = Counter()
    step = interval / vantages
    middle = vantages // 2
    for number in range(1, int(days * 86400 / interval) + 1):
        for place, (vantage, its) in enumerate(zip(VANTAGES, losses, strict=False)):
            outcomes = good
            which = its.among(checks)
            if which:
                changed = list(good)
                for index in which:
                    changed[index] = lost[index]
                outcomes = tuple(changed)
            clock.seconds += step
            detector.receive(Report(vantage, "boot", number, outcomes))
            if place in (middle, vantages - 1):  # about once a second
                found.update(type(finding).__name__ for finding in detector.judge())
    return Alarms(days * checks, found[CheckDown.__name__], found)


class _Losses:
    """Which of the next n probes are lost, drawn by the distance to the next loss."""

    def __init__(self, dice: random.Random, loss: float) -> None:
        self._dice, self._loss = dice, loss
        self._ahead = self._distance()

    def among(self, probes: int) -> list[int]:
        found = []
        while self._ahead < probes:
            found.append(self._ahead)
            self._ahead += self._distance() + 1
        self._ahead -= probes
        return found

    def _distance(self) -> int:
        """How many good probes come before the next lost one (geometric)."""
        if self._loss <= 0:
            return 1 << 60
        return int(log(1.0 - self._dice.random()) / log1p(-self._loss))
