"""Thousands of seeds through detector, engine, ledger and failover: every invariant holds, and each can be broken.

`make simulate` runs ten thousand.
"""

from __future__ import annotations

import dataclasses

import pytest

from standfast.operations.failover import controller as failover
from standfast.operations.failover.authority import Fenced, Standing, Unreachable
from standfast.operations.incidents.engine import Engine
from standfast.operations.incidents.ledger import Ledger
from standfast.operations.monitoring import detector
from standfast.operations.simulation.__main__ import main
from standfast.operations.simulation.provider import Provider
from standfast.operations.simulation.run import Verdict, run

SEEDS = 2000
BLOCK = 100


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_every_invariant_holds(first):
    failed = [verdict for verdict in map(run, range(first, first + BLOCK)) if verdict.broken]
    assert not failed, "\n".join(
        f"python -m standfast.operations.simulation --seed {verdict.seed}   {'; '.join(verdict.broken)}"
        for verdict in failed
    )


def test_a_seed_is_one_course_of_events():
    for seed in (3, 37, 497):
        assert run(seed) == run(seed)


# -- each rule broken on purpose is seen ------------------------------------------------------------------------------


def first_failure(seeds: int = 400) -> Verdict:
    """The first seed that fails; asserts that one does."""
    for seed in range(seeds):
        verdict = run(seed)
        if verdict.broken:
            return verdict
    raise AssertionError("the broken rule was not seen")


def test_one_vantage_decides(monkeypatch):
    def anybody(streaks, *, votes_min, failures):
        return any(streak >= failures for streak in streaks)

    monkeypatch.setattr(detector, "is_down", anybody)
    assert "was called down" in first_failure().broken[0]


def test_half_decides(monkeypatch):
    def half(streaks, *, votes_min, failures):
        return sum(streak >= failures for streak in streaks) >= len(streaks) // 2

    monkeypatch.setattr(detector, "is_down", half)
    assert "was called down" in first_failure().broken[0]


def test_all_must_agree(monkeypatch):
    def all_of_them(streaks, *, votes_min, failures):
        return bool(streaks) and all(streak >= failures for streak in streaks)

    monkeypatch.setattr(detector, "is_down", all_of_them)
    assert "was not found by" in first_failure().broken[0]


def test_recovery_is_never_noticed(monkeypatch):
    monkeypatch.setattr(detector, "is_up", lambda *_, **__: False)
    assert "at the end" in first_failure().broken[0]


def test_gaps_are_not_noticed_by_the_engine(monkeypatch):
    real = Engine.handle

    def deaf(self, findings):
        real(self, [finding for finding in findings if type(finding).__name__ != "CheckUp"])

    monkeypatch.setattr(Engine, "handle", deaf)
    assert first_failure().broken


def test_what_was_being_sent_is_forgotten_after_a_kill(monkeypatch):
    monkeypatch.setattr(Ledger, "recover", lambda _self: 0)
    assert any("not told" in line or "is trying" in line for line in first_failure().broken)


def test_sending_again_is_not_counted(monkeypatch):
    real = Ledger.recover

    def uncounted(self):
        found = real(self)
        self.log.connection.execute("update notification set unknown = 0")
        return found

    monkeypatch.setattr(Ledger, "recover", uncounted)
    assert any("outcomes were unknown" in line for line in first_failure().broken)


def test_providers_without_a_fence(monkeypatch):
    real = Provider._fenced

    def unfenced(self, addresses, generation, seen):
        return real(self, addresses, generation, dataclasses.replace(seen, fence=self.standing.fence))

    monkeypatch.setattr(Provider, "_fenced", unfenced)
    assert first_failure().broken


def test_a_controller_that_looks_at_no_generation(monkeypatch):
    async def headlong(authority, pool, addresses, generation, *, over=None):
        seen = await authority.read(pool)
        if not isinstance(seen, Standing):
            return seen
        outcome = await authority.replace(pool, addresses, generation=generation, seen=seen)
        return Unreachable("fenced") if isinstance(outcome, Fenced) else outcome

    monkeypatch.setattr(failover, "_bring", headlong)
    assert first_failure().broken


def test_a_rival_of_the_same_number_is_not_settled(monkeypatch):
    monkeypatch.setattr(failover, "_winner", lambda *_: None)
    assert first_failure(1000).broken


# -- the command ------------------------------------------------------------------------------------------------------


def test_a_failing_seed_is_printed_with_its_command(monkeypatch, capsys):
    monkeypatch.setattr(detector, "is_up", lambda *_, **__: False)
    assert main(["--seeds", "5", "--processes", "1"]) == 1
    said = capsys.readouterr().out
    assert "again with: python -m standfast.operations.simulation --seed " in said
    assert "5 seeds in" in said


def test_good_seeds_exit_with_zero(capsys):
    assert main(["--seeds", "3", "--processes", "1"]) == 0
    assert main(["--seed", "3"]) == 0
    assert "every invariant held" in capsys.readouterr().out
