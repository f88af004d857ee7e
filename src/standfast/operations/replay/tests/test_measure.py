"""The measured figures that must be nought, on real name servers."""

from __future__ import annotations

from pathlib import Path

from standfast.operations.log import Log
from standfast.operations.replay import measure
from standfast.operations.replay.scenarios.providers import providers


async def test_a_race_has_one_winner_and_no_empty_answer(tmp_path: Path) -> None:
    with providers(tmp_path) as both:
        figures = {figure.id: figure.value for figure in await measure._race(both)}
    assert figures["F4"] == figures["F4-empty"] == 0
    assert figures["F4-same"] is not None


async def test_a_dead_provider_is_caught_up_once(tmp_path: Path) -> None:
    with providers(tmp_path) as both:
        figures = {figure.id: figure.value for figure in await measure._one_down(both, Log(tmp_path / "log.sqlite"))}
    assert figures["F5"] == figures["F5-once"] == 0


def test_the_guard_lets_nothing_through() -> None:
    assert measure._guard().value == 0
