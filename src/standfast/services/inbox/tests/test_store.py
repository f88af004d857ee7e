"""The mailbox on disk: durable, bounded, readable while it is written, whole after a kill."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from standfast.platform.mail_store import (
    INDEX_NAME,
    MessageGone,
    count_messages,
    list_messages,
    message_ids,
    read_message,
    segment_path,
)
from standfast.services.inbox.store import Store, StoreFailed


def mail(number: int, *, size: int = 100) -> bytes:
    head = f"Message-ID: <{number}@a.test>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= {number}\r\n folded\r\n\r\n"
    return head.encode() + b"x" * size + b"\r\n"


async def fill(store: Store, numbers: range, *, size: int = 100) -> None:
    await asyncio.gather(
        *(store.append(sender="s@a.test", recipients=[f"r{n}@b.test"], raw=mail(n, size=size)) for n in numbers)
    )


async def test_what_was_kept_can_be_listed_searched_and_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    await fill(store, range(120))
    newest = list_messages(tmp_path)
    assert [message.message_id for message in newest] == [f"<{n}@a.test>" for n in range(119, 69, -1)]
    older = list_messages(tmp_path, before=newest[-1].id, limit=100)
    assert [message.message_id for message in older] == [f"<{n}@a.test>" for n in range(69, -1, -1)]
    assert [message.recipients for message in list_messages(tmp_path, search="R77@b")] == [("r77@b.test",)]
    assert len(list_messages(tmp_path, search="grüße 5")) == 11
    assert read_message(tmp_path, older[0].id) == mail(69)
    assert list(message_ids(tmp_path)) == [f"<{n}@a.test>" for n in range(120)]
    assert "folded" in newest[0].subject
    with pytest.raises(MessageGone):
        read_message(tmp_path, older[0].id + 3)
    await store.close()


async def test_a_second_start_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    for start in range(0, 60, 3):
        store = Store(tmp_path)
        await fill(store, range(start, start + 3))
        await store.close()
    assert count_messages(tmp_path) == 60
    assert all(read_message(tmp_path, message.id) for message in list_messages(tmp_path, limit=100))


async def test_bodies_stay_under_the_cap_and_the_index_keeps_everything(tmp_path: Path) -> None:
    store = Store(tmp_path, bodies_bytes_max=1_000_000)
    for start in range(0, 600, 20):
        await fill(store, range(start, start + 20), size=5_000)
    assert sum(path.stat().st_size for path in (tmp_path / "segments").iterdir()) <= 1_100_000
    assert count_messages(tmp_path) == 600
    newest, oldest = list_messages(tmp_path, limit=600)[0], list_messages(tmp_path, limit=600)[-1]
    assert read_message(tmp_path, newest.id) == mail(599, size=5_000)
    with pytest.raises(MessageGone, match="make room"):
        read_message(tmp_path, oldest.id)
    await store.close()


async def test_a_torn_tail_and_a_missing_body_are_taken_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    await fill(store, range(10))
    await store.close()
    segment = segment_path(tmp_path, 1)
    os.truncate(segment, segment.stat().st_size - 5)
    with (tmp_path / INDEX_NAME).open("ab") as index:
        index.write(b"1764000000000\t1\t99")
    assert count_messages(tmp_path) == 10
    store = Store(tmp_path)
    assert list(message_ids(tmp_path)) == [f"<{n}@a.test>" for n in range(9)]
    await fill(store, range(9, 12))
    assert [read_message(tmp_path, message.id) for message in list_messages(tmp_path, limit=3)] == [
        mail(n) for n in (11, 10, 9)
    ]
    await store.close()


async def test_a_full_disk_is_never_a_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    await fill(store, range(3))

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(StoreFailed, match="No space left"):
            await fill(store, range(3, 4))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", full)
        with pytest.raises(StoreFailed, match="No space left"):
            await fill(store, range(4, 5))
    assert count_messages(tmp_path) == 3
    await fill(store, range(5, 8))
    assert list(message_ids(tmp_path)) == [f"<{n}@a.test>" for n in (0, 1, 2, 5, 6, 7)]
    assert all(read_message(tmp_path, message.id) for message in list_messages(tmp_path))
    await store.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from standfast.services.inbox.store import Store

async def main():
    store = Store(Path(sys.argv[1]))
    async def one(number):
        raw = b"Message-ID: <%s-%d@a.test>\\r\\n\\r\\n" % (sys.argv[2].encode(), number) + b"x" * 20000 + b"\\r\\n"
        await store.append(sender="s@a.test", recipients=["r@b.test"], raw=raw)
        sys.stdout.write(f"<{sys.argv[2]}-{number}@a.test>\\n")
        sys.stdout.flush()
    number = 0
    while True:
        await asyncio.gather(*(one(number + n) for n in range(8)))
        number += 8

asyncio.run(main())
"""


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    told: list[str] = []
    for round_number in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(round_number)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        told += [process.stdout.readline().strip() for _ in range(40 + round_number * 7)]
        process.send_signal(signal.SIGKILL)
        told += [line.strip() for line in process.stdout.read().splitlines(keepends=True) if line.endswith(">\n")]
        process.wait()
    asyncio.run(_reopen(tmp_path))
    kept = list(message_ids(tmp_path))
    assert set(told) <= set(kept)
    assert len(kept) == len(set(kept))
    assert all(read_message(tmp_path, message.id) for message in list_messages(tmp_path, limit=10_000))


async def _reopen(directory: Path) -> None:
    await Store(directory).close()
