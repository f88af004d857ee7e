"""A tracker for a test, or for all of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from standfast.services.tracker.tests.tracker_process import Tracker


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    running = Tracker(tmp_path / "var")
    running.start()
    yield running
    if running.process and running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    """One tracker for the tests that only look at answers."""
    running = Tracker(tmp_path_factory.mktemp("tracker") / "var")
    running.start()
    yield running
    running.stop()
