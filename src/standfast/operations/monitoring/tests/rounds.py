"""Play rounds into a detector: who sees what, every `interval`, judged each second as the controller does."""

from __future__ import annotations

from collections.abc import Mapping

from standfast.operations.map import Map
from standfast.operations.monitoring.detector import Detector
from standfast.operations.monitoring.report import Finding, Outcome, Reason, Report
from standfast.operations.simulation.ground import HandClock, small_map


class Rounds:
    """One detector over a small map with one check, c0, and a clock set by hand."""

    def __init__(self, the_map: Map | None = None) -> None:
        self.map = the_map or small_map()
        self.clock = HandClock()
        self.detector = Detector(self.map, self.clock)
        self.number = 0
        self.boots = {vantage.id: "boot" for vantage in self.map.vantages}

    def play(self, seen: Mapping[str, bool | str | None], rounds: int = 1) -> list[Finding]:
        """Each vantage's view of c0: True good, False bad, None no report, "offline". Findings of these rounds."""
        findings: list[Finding] = []
        for _ in range(rounds):
            self.number += 1
            for vantage, view in seen.items():
                if view is not None:
                    self.detector.receive(self.report(vantage, view))
            for _ in range(2):
                self.clock.pass_(self.map.rules.interval_seconds / 2)
                findings += self.detector.judge()
        return findings

    def report(self, vantage: str, view: bool | str) -> Report:
        if view == "offline":
            return Report(vantage, self.boots[vantage], self.number, (), offline=True)
        reason = Reason.GOOD if view is True else Reason(view) if isinstance(view, str) else Reason.REFUSED
        outcome = Outcome("c0", reason, "as told", 1.0)
        return Report(vantage, self.boots[vantage], self.number, (outcome,))


def views(bad: int, good: int = 0, silent: int = 0, offline: int = 0) -> dict[str, bool | str | None]:
    """v1.. in this order: so many that see it bad, good, say nothing, are offline."""
    kinds: list[bool | str | None] = [False] * bad + [True] * good + [None] * silent + ["offline"] * offline
    return {f"v{number}": kind for number, kind in enumerate(kinds, start=1)}
