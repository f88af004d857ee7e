"""Decide by quorum, from what the vantages report, which checks are down. Pure: no waiting, no sockets, no log.

The rule. A vantage votes "down" for a check after `failures_to_open` failures in a row. The check is down when a strict
majority of the vantages that report vote so, and it is up again when a strict majority has seen `rounds_to_recover` good
rounds in a row. A bare majority (one vote fewer would not do) must have failed once more each: it costs such a partial
outage one round, and makes false alarms from independent probe loss some hundred times rarer, above all while two
vantages of five are away and 2 of 3 decide (docs/operations.md has the figures).

Nothing rests on the wall clock: ages are the controller's own monotonic time of arrival. Whoever does not report
("silent") or cannot reach its own reference points ("offline") is not counted; fewer than `votes_min` judge nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from standfast.operations.clock import Clock
from standfast.operations.map import Map
from standfast.operations.monitoring.report import (
    Blind,
    CheckDown,
    CheckUp,
    Finding,
    Gap,
    Outcome,
    Reason,
    Report,
    Sighted,
    VantageAbsent,
    VantageBack,
    Vote,
)

GAP_SECONDS = 5.0  # judge() is called each second; after a longer pause, or clock jump, nothing before it is judged on
EXTRA_OF_A_BARE_MAJORITY = 1
BOOTS_REMEMBERED = 32


@dataclass(slots=True)
class _Sight:
    """What a vantage saw of a check. streak: failures in a row when positive, good rounds in a row when negative."""

    outcome: Outcome
    streak: int
    at: float


@dataclass(slots=True)
class _Witness:
    """What is known of a vantage. at: arrival of its last report, None before the first."""

    boot: str = ""
    boots_before: tuple[str, ...] = ()
    round: int = 0
    at: float | None = None
    offline: bool = False
    absent: str | None = None
    sights: dict[str, _Sight] = field(default_factory=dict)

    def takes(self, report: Report) -> bool:
        """Whether the report is news: a later round, or a boot never seen. Notes which boot speaks now."""
        if report.boot == self.boot:
            return report.round > self.round
        if report.boot in self.boots_before:
            return False
        if self.boot:
            self.boots_before = (*self.boots_before, self.boot)[-BOOTS_REMEMBERED:]
        self.boot = report.boot
        self.sights.clear()
        return True


class Detector:
    """Reports in, findings out. Give it every report as it arrives and call `judge` about once a second."""

    def __init__(self, the_map: Map, clock: Clock) -> None:
        self._rules = the_map.rules
        self._clock = clock
        self._checks = {check.id for check in the_map.checks}
        self._witnesses = {vantage.id: _Witness() for vantage in the_map.vantages}
        self._fresh_seconds = self._rules.absent_after_intervals * self._rules.interval_seconds
        self._down: set[str] = set()
        self._suspects: set[str] = set()  # checks for which some vantage may vote down: all that `judge` need look at
        self._blind = False
        self._begun = self._judged = clock.monotonic()
        self._offset = clock.now().timestamp() - self._judged

    @property
    def down(self) -> frozenset[str]:
        """The checks that are down now."""
        return frozenset(self._down)

    def prime(self, checks_down: Iterable[str], *, absent: Iterable[str] = (), blind: bool = False) -> None:
        """After a restart: take over what the log says is so, in order that its end is noticed and said."""
        self._down = self._checks.intersection(checks_down)
        for vantage in absent:
            if vantage in self._witnesses:
                self._witnesses[vantage].absent = "silent"
        self._blind = blind

    def receive(self, report: Report) -> None:
        """Take one report. Old rounds, earlier boots, unknown vantages and unknown checks are passed over."""
        witness = self._witnesses.get(report.vantage)
        if witness is None or not witness.takes(report):
            return
        now = self._clock.monotonic()
        if witness.at is None or report.offline or now - witness.at > self._fresh_seconds:
            witness.sights.clear()  # what it saw before its absence is not in a row with what it sees now
        witness.round, witness.offline, witness.at = report.round, report.offline, now
        if not report.offline:
            for outcome in report.outcomes:
                self._see(witness, outcome, now)

    def _see(self, witness: _Witness, outcome: Outcome, now: float) -> None:
        reason, name = outcome.reason, outcome.check
        if name not in self._checks or reason is Reason.MISCONFIGURED:
            witness.sights.pop(name, None)  # says nothing about the target: abstains
            return
        sight = witness.sights.get(name)
        if sight is None:
            sight = witness.sights[name] = _Sight(outcome, 0, now)
        streak = sight.streak
        if reason is Reason.GOOD:
            sight.streak = streak - 1 if streak < 0 else -1
        else:
            sight.streak = streak = streak + 1 if streak > 0 else 1
            if streak >= self._rules.failures_to_open:
                self._suspects.add(name)
        sight.outcome, sight.at = outcome, now

    def judge(self) -> list[Finding]:
        """What changed since the last call, in the order in which it should be logged."""
        now = self._clock.monotonic()
        findings = self._gap(now)
        reporting = self._presence(now, findings)
        if len(reporting) < self._rules.votes_min:
            if not self._blind and now - self._begun > self._fresh_seconds:
                self._blind = True
                findings.append(Blind(len(reporting)))
            return findings
        if self._blind:
            self._blind = False
            findings.append(Sighted(len(reporting)))
        if self._down or self._suspects:
            self._decide(reporting, now, findings)
        return findings

    def _gap(self, now: float) -> list[Finding]:
        """Notice that we stood still or that the wall clock jumped, and forget the streaks: they are not in a row."""
        paused, offset = now - self._judged, self._clock.now().timestamp() - now
        jumped = offset - self._offset
        self._judged, self._offset = now, offset
        if paused > GAP_SECONDS:
            finding = Gap(round(paused, 3), "stood still")
        elif abs(jumped) > GAP_SECONDS:
            finding = Gap(round(jumped, 3), "clock jumped")
        else:
            return []
        self._begun = now
        self._suspects.clear()
        for witness in self._witnesses.values():
            witness.sights.clear()
            if witness.at is not None and witness.absent is None:
                witness.at = now  # its silence was ours
        return [finding]

    def _presence(self, now: float, findings: list[Finding]) -> list[tuple[str, _Witness]]:
        """The vantages that are counted; says who left and who came back."""
        reporting = []
        for name, witness in self._witnesses.items():
            at = witness.at
            if at is None or now - at > self._fresh_seconds:
                why = "silent" if at is not None or now - self._begun > self._fresh_seconds else witness.absent
            elif witness.offline:
                why = "offline"
            else:
                why = None
                reporting.append((name, witness))
            if why != witness.absent:
                findings.append(VantageBack(name) if why is None else VantageAbsent(name, why))
                witness.absent = why
                if why is not None:
                    witness.sights.clear()
        return reporting

    def _decide(self, reporting: Sequence[tuple[str, _Witness]], now: float, findings: list[Finding]) -> None:
        rules = self._rules
        for name in sorted(self._down | self._suspects):
            seen = [(vantage, witness.sights[name]) for vantage, witness in reporting if name in witness.sights]
            seen = [(vantage, sight) for vantage, sight in seen if now - sight.at <= self._fresh_seconds]
            streaks = [sight.streak for _, sight in seen]
            if name in self._down:
                self._suspects.discard(name)
                if is_up(streaks, votes_min=rules.votes_min, rounds=rules.rounds_to_recover):
                    self._down.discard(name)
                    findings.append(CheckUp(name, _votes(seen, now)))
            elif is_down(streaks, votes_min=rules.votes_min, failures=rules.failures_to_open):
                self._down.add(name)
                findings.append(CheckDown(name, _votes(seen, now)))
            elif all(streak < rules.failures_to_open for streak in streaks):
                self._suspects.discard(name)


def is_down(streaks: Sequence[int], *, votes_min: int, failures: int) -> bool:
    """Whether the vantages with these streaks (failures in a row, good rounds negative) together say "down"."""
    majority = len(streaks) // 2 + 1
    if len(streaks) < votes_min:
        return False
    votes = sum(streak >= failures for streak in streaks)
    firm = sum(streak >= failures + EXTRA_OF_A_BARE_MAJORITY for streak in streaks)
    return votes > majority or firm >= majority


def is_up(streaks: Sequence[int], *, votes_min: int, rounds: int) -> bool:
    """Whether they together say "up again"."""
    return len(streaks) >= votes_min and sum(streak <= -rounds for streak in streaks) > len(streaks) / 2


def _votes(seen: Sequence[tuple[str, _Sight]], now: float) -> tuple[Vote, ...]:
    return tuple(
        Vote(vantage, sight.outcome.reason, sight.outcome.detail, max(sight.streak, 0), round(now - sight.at, 3))
        for vantage, sight in seen
    )
