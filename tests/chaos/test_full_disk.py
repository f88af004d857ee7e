"""A short run of what `python -m tests.chaos.full_disk` does at length."""

from __future__ import annotations

import pytest

from tests.chaos.full_disk import command
from tests.chaos.short_runs import run


@pytest.mark.timeout(300)
@pytest.mark.skipif(command() is None, reason="this system gives no mount namespace to this user (unshare)")
def test_full_disks_lose_nothing_say_so_and_are_survived():
    report = run("full_disk", "--people", "600", "--seconds", "2.5")
    assert report["wrong"] == []
