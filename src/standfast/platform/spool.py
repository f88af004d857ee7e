"""The spool: an append-only file that makes a promise true before it is given.

Appenders wait; one writer writes what has gathered, calls fdatasync in a thread, and wakes them all. The next flush
begins as soon as the last one ends, never on a timer: a lone event waits for one fdatasync, a thousand share one.

A batch that could not be written is refused as a whole (`SpoolFull`, `SpoolError`) and its segment is given up: the
next batch goes to a new file that starts behind everything ever written, so nothing is hidden behind half a record and
no position names two records.
"""

import asyncio
import errno
import fcntl
import mmap
import os
import secrets
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple, Protocol

from standfast.platform.spool_format import frame, next_record, records, segment_path, segments

SEGMENT_BYTES_MAX = 64 * 1024 * 1024
BATCH_BYTES_MAX = 4 * 1024 * 1024
PENDING_BYTES_MAX = 32 * 1024 * 1024
FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SpoolError(Exception):
    """The record is not on disk, and must not be acknowledged."""


class SpoolFull(SpoolError):
    """No room on the disk, or more is waiting than memory should hold: try again later."""


class SpoolBusy(SpoolError):
    """Another process writes this spool."""


class Waiter(Protocol):
    """Somebody who is told, in the appender's event loop, what became of a record."""

    def flushed(self, position: int, error: SpoolError | None) -> None:
        """The record is on disk and ends at `position`; or it is not, for this reason."""


class Spool:
    """The one writer of a spool directory. Open it, `append` from one event loop, `close` it.

    `node` names this spool for ever: (node, position) identifies a record in the whole installation.
    """

    def __init__(self, directory: Path, *, segment_bytes_max: int = SEGMENT_BYTES_MAX) -> None:
        """Open or create the spool: takes the lock, cuts a torn tail off. Raises SpoolBusy and OSError."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.directory = directory
        self._segment_bytes_max = segment_bytes_max
        self._lock_fd = _lock(directory)
        self._next_start = _recover(directory)
        self.node = node_id(directory)
        self._fd: int | None = None
        self._left_empty: Path | None = None
        self._start = self._end = self._next_start
        self._pending: list[bytes] = []
        self._waiters: list[Waiter] = []
        self._pending_bytes = 0
        self._flushing = False
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()
        # A queue and a thread of our own: an executor's futures cost more than the flush of a small batch.
        self._work: SimpleQueue[_Batch | None] = SimpleQueue()
        self._thread = Thread(target=self._write_batches, name="spool", daemon=True)
        self.appended_count = 0
        self.refused_count = 0
        self.flush_count = 0
        self.last_error: str | None = None
        with suppress(OSError):  # a full disk may have room again when the first record comes
            self._roll()

    @property
    def position(self) -> int:
        """The position behind the last durable record."""
        return self._end

    def append(self, payload: bytes) -> asyncio.Future[int]:
        """Append one record. The future gives the position behind it once it is on disk.

        The future raises SpoolFull or SpoolError when it is not. Raises ValueError for an empty or oversized payload.
        """
        waiter = _FutureWaiter(asyncio.get_running_loop().create_future())
        self.append_for(waiter, payload)
        return waiter.future

    def append_for(self, waiter: Waiter, payload: bytes) -> None:
        """Append one record and tell `waiter` once it is on disk or cannot be; at once when too much is waiting.

        Raises ValueError for an empty or oversized payload.
        """
        record = frame(payload)
        if self._closed or self._pending_bytes + len(record) > PENDING_BYTES_MAX:
            self.refused_count += 1
            waiter.flushed(0, SpoolError("the spool is closed") if self._closed else SpoolFull("too much is waiting"))
            return
        self._pending.append(record)
        self._waiters.append(waiter)
        self._pending_bytes += len(record)
        if not self._flushing:
            self._flushing = True
            self._idle.clear()
            loop = asyncio.get_running_loop()
            # Not at once: what else arrives in this turn of the loop shares the flush.
            loop.call_soon(self._flush, loop)

    async def close(self) -> None:
        """Write what is waiting, then release the directory."""
        self._closed = True
        await self._idle.wait()
        if self._thread.ident is not None:
            self._work.put(None)
            self._thread.join()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        os.close(self._lock_fd)

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._thread.ident is None:
            self._thread.start()
        self._work.put(_Batch(loop, *self._take_batch()))

    def _take_batch(self) -> tuple[list[bytes], list[Waiter]]:
        count, size = len(self._pending), self._pending_bytes
        if size > BATCH_BYTES_MAX:
            size = 0
            for count, record in enumerate(self._pending, start=1):  # noqa: B007
                size += len(record)
                if size >= BATCH_BYTES_MAX:
                    break
        batch, waiters = self._pending[:count], self._waiters[:count]
        del self._pending[:count], self._waiters[:count]
        self._pending_bytes -= size
        return batch, waiters

    def _flushed(self, batch: "_Batch", start: int, error: OSError | None) -> None:
        self.flush_count += 1
        # Before anybody is told: what the waiters append now begins the next flush, not one of its own.
        if self._pending:
            self._flush(batch.loop)
        else:
            self._flushing = False
            self._idle.set()
        if error is None:
            self._acknowledge(start, batch)
        else:
            self._refuse(error, batch)

    def _acknowledge(self, start: int, batch: "_Batch") -> None:
        self.appended_count += len(batch.waiters)
        self.last_error = None
        position = start
        for record, waiter in zip(batch.records, batch.waiters, strict=True):
            position += len(record)
            _tell(batch.loop, waiter, position, None)

    def _refuse(self, error: OSError, batch: "_Batch") -> None:
        self.refused_count += len(batch.waiters)
        self.last_error = str(error)
        refusal = SpoolFull if error.errno in FULL_ERRNOS else SpoolError
        for waiter in batch.waiters:
            _tell(batch.loop, waiter, 0, refusal(f"not written to {self.directory}: {error}"))

    def _write_batches(self) -> None:
        """The writer's thread: one batch after the other until None comes."""
        while (batch := self._work.get()) is not None:
            start, error = 0, None
            try:
                start = self._write(b"".join(batch.records))
            except OSError as caught:
                error = caught
            except Exception as caught:  # whatever it is, those who wait must hear that nothing is promised
                error = OSError(f"{type(caught).__name__}: {caught}")
            with suppress(RuntimeError):  # the loop was closed with records waiting: nobody is left to be told
                batch.loop.call_soon_threadsafe(self._flushed, batch, start, error)

    def _write(self, data: bytes) -> int:
        """Make the batch durable and return the position at which it starts. Runs in the writer's thread."""
        if self._fd is None or self._end - self._start >= self._segment_bytes_max:
            self._roll()
        assert self._fd is not None
        begin = self._end
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
            os.fdatasync(self._fd)
        except OSError:
            self._give_up(begin + len(data))
            raise
        self._end = begin + len(data)
        return begin

    def _roll(self) -> None:
        start = max(self._next_start, self._end)
        fd = os.open(segment_path(self.directory, start=start), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _sync_directory(self.directory)  # a file whose name is not on disk is lost with everything in it
        except OSError:
            os.close(fd)
            raise
        if self._fd is not None:
            os.close(self._fd)
        if self._left_empty is not None:
            # Not before: until there is a newer segment, this one's name says where positions go on after a restart.
            self._left_empty.unlink(missing_ok=True)
            self._left_empty = None
        self._fd, self._start, self._end = fd, start, start

    def _give_up(self, end: int) -> None:
        """Leave a segment whose last batch failed. After a failed fdatasync the kernel may have dropped the pages, so
        nothing more may be promised about this file."""
        assert self._fd is not None
        with suppress(OSError):
            os.ftruncate(self._fd, self._end - self._start)  # gives the room of the refused batch back
        with suppress(OSError):
            os.close(self._fd)
        self._fd = None
        if self._end == self._start:
            self._left_empty = segment_path(self.directory, start=self._start)  # or a full disk fills with empty files
        self._next_start = max(self._next_start, end)


class _Batch(NamedTuple):
    """What one flush makes durable, and who waits for it in which loop."""

    loop: asyncio.AbstractEventLoop
    records: list[bytes]
    waiters: list[Waiter]


class _FutureWaiter:
    """Turns the news into a future's result."""

    def __init__(self, future: asyncio.Future[int]) -> None:
        self.future = future

    def flushed(self, position: int, error: SpoolError | None) -> None:
        """See Waiter."""
        if self.future.done():
            return
        if error is None:
            self.future.set_result(position)
        else:
            self.future.set_exception(error)


def _tell(loop: asyncio.AbstractEventLoop, waiter: Waiter, position: int, error: SpoolError | None) -> None:
    try:
        waiter.flushed(position, error)
    except Exception as caught:  # the mistake of one must not leave the others waiting for ever
        loop.call_exception_handler({"message": "a waiter of the spool failed", "exception": caught})


def node_id(directory: Path) -> str:
    """The name of this spool, made at its first use and kept in the file `node` (32 hexadecimal digits).

    A directory without a segment gets a new name: its positions begin at nought again.
    """
    path = directory / "node"
    if segments(directory) and (name := read_node(directory)):
        return name
    name = secrets.token_hex(16)
    temporary = directory / "node.new"
    with temporary.open("w", encoding="ascii") as file:
        file.write(name + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_directory(directory)
    return name


def read_node(directory: Path) -> str | None:
    """The name of this spool, None before its first use."""
    try:
        return (directory / "node").read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None


def _lock(directory: Path) -> int:
    fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise SpoolBusy(f"another process writes the spool {directory}; stop it, or give this one its own") from None
    return fd


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _recover(directory: Path) -> int:
    """Cut the torn tail off the newest segment and return where the next one starts: behind all that was ever there."""
    found = segments(directory)
    if not found:
        return 0
    newest = found[-1]
    size = newest.size
    if size:
        with newest.path.open("r+b") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            keep = _sound_length(data, size)
        if keep < size:
            os.truncate(newest.path, keep)
    return newest.start + size


def _sound_length(data: mmap.mmap, size: int) -> int:
    """Bytes up to the end of the last whole record. Damage before it stays, for the reader to quarantine."""
    keep, offset = 0, 0
    while True:
        for offset, _payload in records(data, offset, size):  # noqa: B020
            keep = offset
        found = next_record(data, offset, size)
        if found is None:
            return keep
        offset = found
