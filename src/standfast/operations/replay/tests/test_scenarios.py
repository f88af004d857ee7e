"""Each outage of others: the naive variant fails as theirs did, ours does not."""

from __future__ import annotations

import json

import pytest

from standfast.operations.replay import command
from standfast.operations.replay.scoreboard import Figure, duel

NEVER_OURS = {
    "stale-plan": {"applied", "empty", "wrong"},
    "status-dependency": {"unread"},
    "control-plane-loop": set(),
    "memory-loss": {"lost", "unserved"},
}


@pytest.mark.parametrize("name", sorted(NEVER_OURS))
def test_the_naive_variant_fails_and_ours_does_not(name: str) -> None:
    board = command.OTHERS[name]()
    assert not all(figure.good for figure in board.naive), "the naive variant passed: the replay proves nothing"
    assert [figure.id for figure in board.figures if figure.value is None] == []
    assert {figure.id: figure.value for figure in board.figures if figure.id in NEVER_OURS[name]} == dict.fromkeys(
        NEVER_OURS[name], 0
    )


def test_a_duel_in_which_the_naive_variant_passes_is_not_good() -> None:
    good, bad = Figure("lost", "Lost", 0, "", 0), Figure("lost", "Lost", 5, "", 0)
    assert duel("x", "X", naive=[bad], ours=[good]).good
    assert not duel("x", "X", naive=[good], ours=[good]).good
    assert not duel("x", "X", naive=[bad], ours=[bad]).good


def test_the_command_prints_json_and_its_status_says_how_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["stale-plan", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["good"]
    assert [figure["good"] for figure in printed["naive"]] == [False] * 3


def test_a_missing_name_server_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("standfast.operations.replay.name_servers.PROJECT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("standfast.operations.replay.name_servers.SYSTEM", ())
    assert command.main(["stale-plan"]) == 2
    assert "make replay-tools" in capsys.readouterr().err
