"""A worker's journal: what it is about to do and what became of it, on its own disk before it is believed.

One directory per worker process, held by a lock that dies with the process; in it one file per lease. Records, little-endian,
each with a CRC32 so that a torn tail is recognised:

  BOOT     the machine's boot: after another boot, what was only in memory may be missing
  MARK n   flushed to the disk before the n-th message of the lease may leave: what a power cut leaves open
  DOT s    written before the final dot of message s is: what a killed process leaves open
  OUTCOME  what the server answered
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import struct
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_HEAD = struct.Struct("<BHI")  # kind, payload length, CRC32 of kind and payload
_NUMBER = struct.Struct("<i")
_OUTCOME = struct.Struct("<ihhhd")  # seq, status, code, attempt, unix time
_BOOT, _MARK, _DOT, _OUTCOME_KIND = 1, 2, 3, 4
TEXT_BYTES_MAX = 400


class Noted(NamedTuple):
    """An outcome as journaled: `status` a RecipientStatus, `attempt` counted from 1, `at` in unix seconds."""

    seq: int
    status: int
    code: int
    attempt: int
    at: float
    text: str


def _record(kind: int, payload: bytes) -> bytes:
    return _HEAD.pack(kind, len(payload), zlib.crc32(payload, kind)) + payload


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def boot_id() -> bytes:
    """The running boot of this machine; random where the system does not tell, which is the cautious answer."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    except OSError:
        return secrets.token_bytes(16)


class JournalDirectory:
    """A worker's own directory. The lock says "alive"; a directory whose lock is free belongs to a dead worker."""

    def __init__(self, root: Path) -> None:
        self.name = f"{time.time_ns():x}-{secrets.token_hex(6)}"
        self.path = root / self.name
        draft = root / f".{self.name}"
        draft.mkdir(parents=True)
        self._lock = os.open(draft / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.rename(self.path)  # visible only once locked
        _sync_directory(root)

    def open_lease(self, lease_id: int) -> LeaseJournal:
        return LeaseJournal(self.path / f"{lease_id}.journal")

    def close(self) -> None:
        """Leave. Files of unfinished leases stay for the recovery."""
        if not any(self.path.glob("*.journal")):
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


class LeaseJournal:
    """The file of one lease. `dot` and `outcome` cost one write each; only `mark` waits for the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._named = False
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._write(_record(_BOOT, boot_id()))

    def _write(self, record: bytes) -> None:
        written = os.write(self._file, record)
        if written != len(record):  # a full disk can take a part: cut it off, so that later records stay readable
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise OSError(28, "the journal's disk is full", str(self.path))

    def mark(self, count: int) -> None:
        """Promise that at most the first `count` messages have left, durable when it returns. Blocks: call it in a thread."""
        self._write(_record(_MARK, _NUMBER.pack(count)))
        os.fdatasync(self._file)
        if not self._named:
            # After a power cut a file without its name would read as "nothing was sent".
            _sync_directory(self.path.parent)
            self._named = True

    def dot(self, seq: int) -> None:
        self._write(_record(_DOT, _NUMBER.pack(seq)))

    def outcome(self, noted: Noted) -> None:
        text = noted.text.encode()[:TEXT_BYTES_MAX]
        payload = _OUTCOME.pack(noted.seq, noted.status, noted.code, noted.attempt, noted.at) + text
        self._write(_record(_OUTCOME_KIND, payload))

    def close(self) -> None:
        os.close(self._file)

    def discard(self) -> None:
        """The lease is settled in the database: the file has done its work."""
        self.close()
        self.path.unlink(missing_ok=True)


@dataclass
class Found:
    """What a dead worker's file says. `marked` is None when no message can have left."""

    same_boot: bool = True
    marked: int = 0
    dots: set[int] = field(default_factory=set)
    outcomes: dict[int, Noted] = field(default_factory=dict)

    def may_have_left(self, ordered_seqs: list[int]) -> set[int]:
        """Messages without an outcome that may have been delivered: past their dot, or after a power cut all marked ones."""
        left = set(self.dots) if self.same_boot else set(self.dots) | set(ordered_seqs[: self.marked])
        return left - self.outcomes.keys()


def read(path: Path) -> Found:
    """Read a lease's file up to its first torn record. A missing file says that nothing was sent."""
    found = Found()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return found
    here = boot_id()
    offset = 0
    while offset + _HEAD.size <= len(data):
        kind, length, crc = _HEAD.unpack_from(data, offset)
        payload = data[offset + _HEAD.size : offset + _HEAD.size + length]
        if len(payload) < length or zlib.crc32(payload, kind) != crc:
            break
        offset += _HEAD.size + length
        if kind == _BOOT:
            found.same_boot = found.same_boot and payload == here
        elif kind == _MARK:
            found.marked = max(found.marked, _NUMBER.unpack(payload)[0])
        elif kind == _DOT:
            found.dots.add(_NUMBER.unpack(payload)[0])
        elif kind == _OUTCOME_KIND:
            seq, status, code, attempt, at = _OUTCOME.unpack_from(payload)
            text = payload[_OUTCOME.size :].decode("utf-8", "replace")
            noted = Noted(seq, status, code, attempt, at, text)
            found.outcomes[noted.seq] = noted
    return found


def is_dead(root: Path, name: str) -> bool | None:
    """Whether the worker of journal `name` has ended; None when its directory is not on this machine."""
    try:
        descriptor = os.open(root / name / "lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
