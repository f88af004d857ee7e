"""The whole incident on this machine: real name servers, monitor, page and trackers, and a scoreboard without a miss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from standfast.operations.incidents.entries import Kind
from standfast.operations.log import Log
from standfast.operations.replay import incident_2022
from standfast.operations.replay.scoreboard import Figure, Scoreboard


@pytest.mark.timeout(300)
def test_everything_comes_about_and_nothing_is_lost(tmp_path: Path, database: Any) -> None:
    """Short TTL and quiet period, the suite's database: what takes how long is for the replay's own scoreboard to judge."""
    board = incident_2022.replay(quiet_seconds=3, ttl=5, folder=tmp_path, installation=database.var)
    assert [figure.id for figure in board.figures if figure.value is None] == []
    for never in ("lost", "unserved", "unread", "unnamed", "twice"):
        assert board.figure(never).value == 0, board.as_json()
    log = Log(tmp_path / "operations.sqlite")
    assert log.broken_at() is None
    found = [entry.data for entry in log.after(kind=Kind.DRIFT_FOUND)]
    assert {drift["provider"] for drift in found} == {"north"}
    assert {drift["change"] for drift in found} == {None}
    assert "standmail.test. MX" in {drift["subject"] for drift in found}
    assert len(log.after(kind=Kind.INCIDENT_OPENED)) == 1
    for kind in (Kind.CHECK_DOWN, Kind.CHECK_UP):  # the real services were out of reach, and were reached again
        assert {"rest-api-eu1", "smtp-api-eu1", "tracking-eu1"} <= {
            entry.data["check"] for entry in log.after(kind=kind)
        }
    log.close()


def test_a_scoreboard_says_what_was_missed() -> None:
    figures = (
        Figure("a", "A", 3.0, "s", 10, "1 h"),
        Figure("b", "B", None, "s", 10, "1 h"),
        Figure("c", "C", 1, "", 0, "not told"),
    )
    board = Scoreboard("x", "X", "then", figures)
    assert not board.good
    assert [figure["good"] for figure in json.loads(board.as_json())["figures"]] == [True, False, False]
