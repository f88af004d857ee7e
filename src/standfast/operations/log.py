"""The operations log: one append-only table in one SQLite file, and the only memory that operations has.

Entries are numbered without gaps and chained by digest, so that a changed or missing one shows. An entry may carry a key:
a second append under the same key returns the first entry and writes nothing, which makes every "say this once" safe to
repeat after a crash. Other tables of the file (ledger, subscribers) are written in the same transaction where they must
agree with the log: see `Log.transaction`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOM_BYTES_MIN = 1_000_000  # SQLite's shared memory and journal need some of it
BUSY_SECONDS = 10.0  # another process (admin, command) writes; SQLite waits this long for its turn

_SCHEMA = """
create table if not exists entry (
    position integer primary key,
    at text not null,
    kind text not null,
    data text not null,
    key text unique,
    digest text not null
);
create index if not exists entry_kind on entry (kind, position);
"""


class LogError(Exception):
    """The log could not be read or written; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: position from 1 without gaps, wall time (UTC), a kind of `incidents/entries.py`, its data."""

    position: int
    at: datetime
    kind: str
    data: Mapping[str, Any]
    digest: str


class Log:
    """The log in a file, or in memory with path=None (simulations). Not for use by several threads at once."""

    def __init__(self, path: Path | None, *, durable: bool = True) -> None:
        self.path = path
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(
                str(path) if path is not None else ":memory:", timeout=BUSY_SECONDS, isolation_level=None
            )
            self.connection.row_factory = sqlite3.Row
            if path is not None:
                self.connection.execute("pragma journal_mode = wal")
            self.connection.execute(f"pragma synchronous = {'full' if durable else 'off'}")
            self.connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise LogError(f"the operations log {path} cannot be opened: {_why(path, error)}") from error

    def prepare(self, schema: str) -> None:
        """Make the tables of another part in the log's file where they are missing. Raises LogError."""
        try:
            self.connection.executescript(schema)
        except sqlite3.Error as error:
            raise LogError(f"the operations log {self.path} cannot be written: {_why(self.path, error)}") from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction over the whole file; may be nested (the outermost commits). Raises LogError."""
        if self.connection.in_transaction:
            yield self.connection
            return
        try:
            self.connection.execute("begin immediate")
            yield self.connection
            self.connection.execute("commit")
        except sqlite3.Error as error:
            self._roll_back()
            raise LogError(f"the operations log {self.path} cannot be written: {_why(self.path, error)}") from error
        except BaseException:
            self._roll_back()
            raise

    def append(self, kind: str, data: Mapping[str, Any], *, at: datetime, key: str | None = None) -> Entry:
        """Write one entry and return it once it is on disk; under a key that exists, return the entry that has it."""
        with self.transaction() as connection:
            if key is not None:
                row = connection.execute("select * from entry where key = ?", (key,)).fetchone()
                if row is not None:
                    return _entry(row)
            last = connection.execute("select position, digest from entry order by position desc limit 1").fetchone()
            position, before = (last["position"] + 1, last["digest"]) if last else (1, "")
            stamp = at.astimezone(UTC).isoformat()
            text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            digest = _digest(before, position, stamp, kind, text)
            connection.execute(
                "insert into entry (position, at, kind, data, key, digest) values (?, ?, ?, ?, ?, ?)",
                (position, stamp, kind, text, key, digest),
            )
        return Entry(position, at.astimezone(UTC), kind, json.loads(text), digest)

    def after(self, position: int = 0, *, kind: str | None = None) -> list[Entry]:
        """The entries after a position, in order."""
        try:
            rows = self.connection.execute(
                "select * from entry where position > ? and (? is null or kind = ?) order by position",
                (position, kind, kind),
            ).fetchall()
        except sqlite3.Error as error:
            raise LogError(f"the operations log {self.path} cannot be read: {_why(self.path, error)}") from error
        return [_entry(row) for row in rows]

    def broken_at(self) -> int | None:
        """The first position whose digest does not follow from the one before; None when the chain holds."""
        before, expected = "", 1
        for row in self.connection.execute("select * from entry order by position"):
            good = _digest(before, row["position"], row["at"], row["kind"], row["data"])
            if row["position"] != expected or row["digest"] != good:
                return expected
            before, expected = row["digest"], expected + 1
        return None

    def close(self) -> None:
        self.connection.close()

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("rollback")


def _why(path: Path | None, error: sqlite3.Error) -> str:
    """SQLite says "disk I/O error" or "database is locked" and leaves it at that; whoever is on call needs the next step."""
    with contextlib.suppress(OSError):
        if path is not None and (left := shutil.disk_usage(path.parent).free) < ROOM_BYTES_MIN:
            return f"{error}. {left:,} bytes are left on its disk: make room, and it goes on by itself"
    if "locked" in str(error):
        return (
            f"{error}. Another process has been writing for more than {BUSY_SECONDS:g} s: see what holds the file open"
        )
    return str(error)


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        row["position"], datetime.fromisoformat(row["at"]), row["kind"], json.loads(row["data"]), row["digest"]
    )


def _digest(before: str, position: int, at: str, kind: str, data: str) -> str:
    return hashlib.sha256("\n".join((before, str(position), at, kind, data)).encode()).hexdigest()
