"""The log: gapless, chained, once under a key, and whole after a crash or with several writers."""

import multiprocessing
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from standfast.operations.log import Log, LogError

NOW = datetime(2022, 9, 30, tzinfo=UTC)


def test_a_key_is_written_once() -> None:
    log = Log(None)
    first = log.append("post", {"n": 1}, at=NOW, key="a")
    assert log.append("post", {"n": 2}, at=NOW, key="a") == first
    assert [entry.data for entry in log.after()] == [{"n": 1}]


def test_a_changed_or_missing_entry_shows() -> None:
    for sql, place in (
        ("update entry set data = '{}' where position = 2", 2),
        ("delete from entry where position = 2", 2),
    ):
        log = Log(None)
        for number in range(4):
            log.append("x", {"n": number}, at=NOW)
        assert log.broken_at() is None
        log.connection.execute(sql)
        assert log.broken_at() == place


def test_what_fails_within_a_transaction_leaves_nothing() -> None:
    log = Log(None)
    with pytest.raises(ValueError, match="no"), log.transaction():
        log.append("x", {}, at=NOW)
        raise ValueError("no")
    assert log.after() == []


def write(path: Path, number: int) -> None:
    log = Log(path)
    for each in range(50):
        log.append("x", {"writer": number, "n": each}, at=NOW)


def test_several_processes_write_without_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    Log(path).close()
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write, args=(path, number)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    log = Log(path)
    assert len(log.after()) == 200
    assert log.broken_at() is None


def test_a_full_disk_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Log(tmp_path / "log.sqlite")
    one.connection.execute(f"pragma max_page_count = {one.connection.execute('pragma page_count').fetchone()[0]}")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    with pytest.raises(LogError, match=r"full\. 4,096 bytes are left on its disk: make room, and it goes on by itself"):
        one.append("x", {"much": "x" * 100_000}, at=NOW)
    with pytest.raises(LogError, match="make room"):
        one.prepare("create table other (a); create index other_a on other (a);")
    one.connection.execute("pragma max_page_count = 100000")
    assert one.append("x", {}, at=NOW).position == 1


def test_a_log_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite").write_bytes(b"not a database, but long enough to be looked at as one" * 100)
    with pytest.raises(LogError, match="cannot be opened"):
        Log(tmp_path / "log.sqlite")
