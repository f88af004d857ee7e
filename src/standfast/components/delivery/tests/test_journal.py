"""The journal after a kill, a power cut, a torn tail and a full disk."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import textwrap

import pytest

from standfast.components.delivery import journal
from standfast.components.delivery.journal import JournalDirectory, Noted


def noted(seq: int) -> Noted:
    return Noted(seq, 1, 250, 1, 1_700_000_000.5, "2.0.0 ok")


@pytest.fixture
def directory(tmp_path):
    made = JournalDirectory(tmp_path)
    yield made
    made.close()


def test_what_was_written_is_read(directory):
    lease = directory.open_lease(7)
    lease.mark(200)
    lease.dot(1)
    lease.outcome(noted(1))
    lease.dot(2)
    found = journal.read(lease.path)
    assert found.same_boot and found.marked == 200
    assert found.outcomes == {1: noted(1)}
    assert found.may_have_left([1, 2, 3]) == {2}, "only what is past its dot is in doubt"


def test_after_another_boot_all_that_was_marked_is_in_doubt(directory, monkeypatch):
    lease = directory.open_lease(7)
    lease.mark(3)
    lease.dot(1)
    lease.outcome(noted(1))
    monkeypatch.setattr(journal, "boot_id", lambda: b"another boot")
    assert journal.read(lease.path).may_have_left([1, 2, 3, 4]) == {2, 3}


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_torn_tail_costs_its_record_only(directory, cut):
    lease = directory.open_lease(7)
    lease.dot(1)
    before = lease.path.stat().st_size
    lease.outcome(noted(1))
    size = lease.path.stat().st_size
    with lease.path.open("r+b") as file:
        file.truncate(max(before, size - cut))
    found = journal.read(lease.path)
    assert found.dots == {1}
    assert not found.outcomes


def test_a_missing_file_says_that_nothing_was_sent(tmp_path):
    assert journal.read(tmp_path / "none").may_have_left([1, 2]) == set()


def test_a_dead_worker_is_known_by_its_lock(tmp_path):
    code = f"""
        import os, pathlib
        from standfast.components.delivery.journal import JournalDirectory
        print(JournalDirectory(pathlib.Path({str(tmp_path)!r})).name, flush=True)
        input()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert journal.is_dead(tmp_path, name) is False
    process.kill()
    process.wait()
    assert journal.is_dead(tmp_path, name) is True
    assert journal.is_dead(tmp_path, "elsewhere") is None


def test_a_full_disk_is_an_error_and_leaves_no_half_record(directory):
    lease = directory.open_lease(7)
    lease.dot(1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (lease.path.stat().st_size + 5, before[1]))
    try:
        with pytest.raises(OSError):
            lease.dot(2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    lease.dot(3)
    assert journal.read(lease.path).dots == {1, 3}
