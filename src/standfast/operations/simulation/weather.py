"""What goes wrong in one simulated run: drawn from its seed, and nothing else decides it.

Real outages (seen by all, or by a majority), views of a minority, vantages that are silent, offline, restarted or cut off,
lost probes and reports, a controller that is stopped, killed at any write, or whose wall clock jumps, providers that are
slow or away, and a second controller that moves the same pool.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from standfast.operations.simulation.ground import VANTAGES

CHECKS = ("c0", "c1", "c2")
STORM_ENDS = 55.0  # outages begin before; then there is time to recover and to tell
HORIZON = 110.0


@dataclass(frozen=True, slots=True)
class Outage:
    """A check fails for these vantages from begin to end; hangs: the probe times out instead of being refused."""

    check: str
    begin: float
    end: float
    seen_by: frozenset[str]
    hangs: bool


@dataclass(frozen=True, slots=True)
class Absence:
    """A vantage that is away: silent, offline (says so), restarted (a new boot), or cut (sees everything down)."""

    vantage: str
    begin: float
    end: float
    how: str


@dataclass(slots=True)
class Weather:
    seed: int
    horizon: float = HORIZON
    outages: list[Outage] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)
    probe_loss: float = 0.0
    report_loss: float = 0.0
    stops: list[tuple[float, float]] = field(default_factory=list)  # SIGSTOP to SIGCONT of the controller
    jumps: list[tuple[float, float]] = field(default_factory=list)  # (when, seconds) of the controller's wall clock
    kills: list[float] = field(default_factory=list)
    fuses: list[int] = field(default_factory=list)  # killed at the n-th write of a life
    deaths_on_the_wire: float = (
        0.0  # chance that a notification's sending kills the process, before or after it arrived
    )
    failing_receivers: float = 0.0
    unknown_outcomes: float = 0.0
    provider_seconds: tuple[float, float] = (0.001, 0.02)
    provider_away: list[tuple[str, float, float]] = field(default_factory=list)
    rivals: list[tuple[float, str]] = field(default_factory=list)  # another controller moves the pool: (when, target)

    @property
    def quiet(self) -> bool:
        """Nothing is really wrong with what is watched."""
        return not any(is_real(outage) for outage in self.outages)


def is_real(outage: Outage) -> bool:
    """Whether a majority can see it."""
    return len(outage.seen_by) > len(VANTAGES) / 2


def draw(seed: int) -> Weather:
    """The weather of a seed."""
    dice = random.Random(seed)  # noqa: S311
    weather = Weather(seed)
    _draw_vantages(dice, weather)
    _draw_outages(dice, weather)
    _draw_controller(dice, weather)
    _draw_failover(dice, weather)
    return weather


def _draw_vantages(dice: random.Random, weather: Weather) -> None:
    kind = dice.choice(["none", "none", "silent", "offline", "restarted", "cut"])
    count = {"none": 0, "restarted": 1, "cut": dice.choice([1, 2])}.get(kind, dice.choice([1, 2, 2, 4]))
    for vantage in dice.sample(VANTAGES, count):
        begin = dice.uniform(0, STORM_ENDS)
        end = begin + (3.0 if kind == "restarted" else dice.uniform(2, 40))
        weather.absences.append(Absence(vantage, begin, end, kind))
    if kind != "cut":  # two that see nothing and one that loses probes would be a majority by chance
        weather.probe_loss = dice.choice([0.0, 0.0, 0.01, 0.05])
    weather.report_loss = dice.choice([0.0, 0.0, 0.02])


def _draw_outages(dice: random.Random, weather: Weather) -> None:
    shape = dice.choice(["one", "one", "several", "flap", "root", "minority", "none"])
    away = {absence.vantage for absence in weather.absences}
    if shape == "minority":
        if not away:
            weather.probe_loss = 0.0
            weather.outages.append(_outage(dice, dice.choice(CHECKS), dice.sample(VANTAGES, dice.choice([1, 2]))))
        return
    seen_by = list(VANTAGES) if away else dice.sample(VANTAGES, dice.choice([3, 4, 5, 5, 5]))
    if shape == "one":
        weather.outages.append(_outage(dice, dice.choice(CHECKS), seen_by))
    elif shape == "several":
        for check in dice.sample(CHECKS, 2):
            weather.outages.append(_outage(dice, check, seen_by))
    elif shape == "root":
        one = _outage(dice, CHECKS[0], seen_by)
        weather.outages += [Outage(check, one.begin, one.end, one.seen_by, one.hangs) for check in CHECKS]
    elif shape == "flap":
        check, at = dice.choice(CHECKS), dice.uniform(2, 10)
        while at < STORM_ENDS:
            lasts = dice.uniform(5, 14)
            weather.outages.append(Outage(check, at, at + lasts, frozenset(seen_by), dice.random() < 0.5))
            at += lasts + dice.uniform(5, 14)


def _outage(dice: random.Random, check: str, seen_by: list[str]) -> Outage:
    begin = dice.uniform(2, STORM_ENDS - 15)
    return Outage(check, begin, begin + dice.uniform(3, 30), frozenset(seen_by), dice.random() < 0.5)


def _draw_controller(dice: random.Random, weather: Weather) -> None:
    kind = dice.choice(["calm", "calm", "stop", "jump", "kill", "fuse", "wire"])
    if kind == "stop":
        begin = dice.uniform(0, STORM_ENDS - 15)  # the longest ends before there is too little time to resolve
        weather.stops.append((begin, begin + dice.choice([1.0, 6.0, 30.0])))
    elif kind == "jump":
        weather.jumps.append((dice.uniform(0, STORM_ENDS), dice.choice([3600.0, -3600.0])))
    elif kind == "kill":
        weather.kills = sorted(dice.uniform(1, HORIZON - 20) for _ in range(dice.choice([1, 2, 3])))
    elif kind == "fuse":
        weather.fuses = [dice.randint(1, 12) for _ in range(dice.choice([1, 2, 4]))]
    elif kind == "wire":
        weather.deaths_on_the_wire = 0.3
    weather.failing_receivers = dice.choice([0.0, 0.0, 0.2])
    weather.unknown_outcomes = dice.choice([0.0, 0.0, 0.2])


def _draw_failover(dice: random.Random, weather: Weather) -> None:
    if dice.random() < 0.3:
        weather.provider_seconds = (0.001, 3.0)
    if dice.random() < 0.3:
        begin = dice.uniform(0, STORM_ENDS)
        weather.provider_away.append((dice.choice(["one", "two"]), begin, begin + dice.uniform(1, 30)))
    if dice.random() < 0.4:
        around = [outage.begin + 5 for outage in weather.outages] or [20.0]
        for _ in range(dice.choice([1, 1, 3])):
            when = max(0.0, dice.choice(around) + dice.uniform(-3, 3))
            weather.rivals.append((when, dice.choice(["standby", "standby", "primary"])))
