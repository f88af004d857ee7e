"""A short run of what `python -m tests.chaos.moments` does at length."""

from __future__ import annotations

import pytest

from tests.chaos.short_runs import run


@pytest.mark.timeout(300)
def test_whatever_ends_at_the_worst_moment_nothing_is_lost_or_sent_twice():
    report = run("moments", "--people", "1000", "--seconds", "2",
                 "--only", "freeze", "cancel", "cut connections")  # fmt: skip
    assert report["wrong"] == []
