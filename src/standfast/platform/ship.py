"""The shipper: copies a spool into the event log, each event once, however often either side is killed.

It reads a batch, hands each account's part over in one transaction (the callable records the last position there), and
only then moves its own mark. After a crash it begins at the mark again, and the transaction skips what it already has.
Nothing is ever skipped because the database is away: the shipper waits. What can never be an event, damaged bytes or
what the database refuses for good, goes to the folder `quarantine`, counted.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

import structlog

from standfast.platform.events import Event
from standfast.platform.spool import read_node
from standfast.platform.spool_reader import Batch, delete_read_segments, lag_bytes, read_batch
from standfast.protocols.event_record import RecordError, decode_event

BATCH_EVENTS = 10_000
IDLE_SECONDS = 0.2
RETRY_SECONDS_MIN = 0.5
RETRY_SECONDS_MAX = 5.0  # what waits goes on soon after the database is back
NO_ACCOUNT = 0  # a health check of the spool writes such records; they are nobody's events

Records = Sequence[tuple[int, Event]]
# append(account_id, node, records): one transaction that appends the records it has not yet got from this node.
Append = Callable[[int, str, Records], object]

log = structlog.get_logger("shipper")


@dataclass(slots=True)
class ShipState:
    """Figures of one spool's shipping. `lag_bytes` is what waits on the disk, `shipped_at` unix seconds or None."""

    position: int = 0
    shipped_count: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    lag_bytes: int = 0
    shipped_at: float | None = None
    last_error: str | None = None


class Shipper:
    """Ships one spool directory. `append` raises when the database is away."""

    def __init__(self, *, directory: Path, append: Append) -> None:
        self.directory = directory
        self.state = ShipState()
        self._append = append
        self._node: str | None = None

    def run(self, *, stop: Flag) -> None:
        """Ship until `stop` is set."""
        retry_seconds = RETRY_SECONDS_MIN
        while not stop.is_set():
            try:
                moved = self.ship_once()
            except Exception as error:  # the top of a loop that must go on: the spool keeps what is not shipped
                self.state.last_error = f"{type(error).__name__}: {error}".strip()
                log.warning("shipping waits", spool=str(self.directory), error=self.state.last_error)
                stop.wait(retry_seconds)
                retry_seconds = min(retry_seconds * 2, RETRY_SECONDS_MAX)
                continue
            retry_seconds = RETRY_SECONDS_MIN
            if not moved:
                stop.wait(IDLE_SECONDS)

    def ship_once(self) -> bool:
        """Ship one batch; False when there was none. Raises what `append` raises, and OSError."""
        if not self._find_node():
            return False
        assert self._node is not None
        batch = read_batch(self.directory, position=self.state.position, records_max=BATCH_EVENTS)
        if batch.after == batch.before:
            self.state.lag_bytes = 0
            self.state.last_error = None
            return False
        by_account = self._decode(batch)
        for account_id, records in by_account.items():
            self._hand_over(account_id, records)
        for damage in batch.damage:
            self._quarantine("damaged", damage.position, damage.data)
        self._mark(batch.after)
        return True

    def _find_node(self) -> bool:
        """Learn whose spool this is, and where shipping stopped. A spool made anew begins at its own beginning."""
        node = read_node(self.directory) if self.directory.is_dir() else None
        if node is not None and node != self._node:
            self._node = node
            self.state.position = _read_mark(self.directory, node)
        return node is not None

    def _decode(self, batch: Batch) -> dict[int, list[tuple[int, Event]]]:
        by_account: dict[int, list[tuple[int, Event]]] = {}
        for position, payload in batch.records:
            try:
                record = decode_event(payload)
            except RecordError as error:
                log.error("record is no event", position=position, error=str(error))
                self._quarantine("not_an_event", position, payload)
                continue
            if record.account_id != NO_ACCOUNT:
                event = Event(record.at, record.kind, record.contact_id, record.send_id, record.seq, record.data)
                by_account.setdefault(record.account_id, []).append((position, event))
        return by_account

    def _hand_over(self, account_id: int, records: list[tuple[int, Event]]) -> None:
        """Append the records; when the database refuses them as such, halve until the culprit stands alone."""
        assert self._node is not None
        try:
            self._append(account_id, self._node, records)
        except Exception as error:
            if not refused_by_postgres(error):
                raise
            if len(records) == 1:
                position, event = records[0]
                log.error("event refused", account_id=account_id, position=position, error=str(error))
                self._quarantine("refused", position, f"{account_id} {event!r}\n{error}".encode())
                return
            middle = len(records) // 2
            self._hand_over(account_id, records[:middle])
            self._hand_over(account_id, records[middle:])
            return
        self.state.shipped_count += len(records)

    def _mark(self, position: int) -> None:
        assert self._node is not None
        self.state.position = position
        self.state.shipped_at = time.time()
        self.state.last_error = None
        with suppress(OSError):  # a full disk: the mark only saves work, and deleting may be what frees the disk
            _write_mark(self.directory, self._node, position)
        delete_read_segments(self.directory, position=position)
        self.state.lag_bytes = lag_bytes(self.directory, position=position)

    def _quarantine(self, reason: str, position: int, data: bytes) -> None:
        """Keep what cannot be shipped. The name holds the position, so a second run of the same batch adds nothing."""
        self.state.quarantined[reason] += 1
        folder = self.directory / "quarantine"
        folder.mkdir(exist_ok=True, mode=0o700)
        (folder / f"{position:012d}.{reason}").write_bytes(data)


def refused_by_postgres(error: Exception) -> bool:
    """Whether PostgreSQL refused the data itself, so that trying again cannot help: SQLSTATE class 22 (a value it
    cannot hold), 23502 and 23514 (a value that is not allowed), 23503 (the account is gone)."""
    state = getattr(error, "sqlstate", None) or ""
    return state[:2] == "22" or state in {"23502", "23503", "23514"}


def _read_mark(directory: Path, node: str) -> int:
    try:
        name, position = (directory / "shipped").read_text(encoding="ascii").split()
    except (FileNotFoundError, ValueError):
        return 0
    return int(position) if name == node and position.isdigit() else 0


def _write_mark(directory: Path, node: str, position: int) -> None:
    draft = directory / "shipped.new"
    draft.write_text(f"{node} {position}\n", encoding="ascii")
    os.replace(draft, directory / "shipped")  # noqa: PTH105 - one system call
