"""Short runs of what `python -m tests.chaos.moments` and `python -m tests.chaos.full_disk` do at length."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.chaos.full_disk import command


def run(module: str, *arguments: str) -> dict[str, object]:
    """In a process of its own: it sets up Django for another installation than the other tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STANDFAST_")}
    line = [sys.executable, "-m", f"tests.chaos.{module}", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.timeout(300)
def test_whatever_ends_at_the_worst_moment_nothing_is_lost_or_sent_twice():
    report = run("moments", "--people", "1000", "--seconds", "2",
                 "--only", "freeze", "cancel", "cut connections")  # fmt: skip
    assert report["wrong"] == []


@pytest.mark.timeout(300)
@pytest.mark.skipif(command() is None, reason="this system gives no mount namespace to this user (unshare)")
def test_full_disks_lose_nothing_say_so_and_are_survived():
    report = run("full_disk", "--people", "600", "--seconds", "2.5")
    assert report["wrong"] == []
