"""Read a mailbox directory, from any process, also while the server writes to it.

`index.tsv` has one line a message and is never shortened by age; `segments/NNNNNNNN.seg` hold the bodies, the oldest
are deleted. A message's id is where its line starts in the index.
"""

from __future__ import annotations

import email.errors
import email.header
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

INDEX_NAME = "index.tsv"
LOOKED_AT_MAX = 50_000
SEGMENTS_NAME = "segments"
_BLOCK_BYTES = 256 * 1024


class MessageGone(LookupError):
    """The message is not there, or its body was deleted to make room."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One line of the index. sha256 is the first 16 hexadecimal digits of the message's hash; size is in bytes."""

    id: int
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    subject: str
    from_header: str
    size: int
    sha256: str
    segment: int
    offset: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def format_line(message: StoredMessage) -> bytes:
    """The index line of a message (its id is not in it)."""
    fields = (
        str(int(message.at.timestamp() * 1000)),
        str(message.segment),
        str(message.offset),
        str(message.size),
        message.sha256,
        message.sender,
        ",".join(message.recipients),
        message.message_id,
        message.from_header,
        message.subject,
    )
    return ("\t".join(fields) + "\n").encode("utf-8", "surrogateescape")


def parse_line(line: bytes, position: int) -> StoredMessage | None:
    """The message of an index line, or None when the line is torn."""
    fields = line.decode("utf-8", "surrogateescape").rstrip("\n").split("\t")
    if len(fields) != 10 or not line.endswith(b"\n"):
        return None
    try:
        milliseconds, segment, offset, size = (int(field) for field in fields[:4])
    except ValueError:
        return None
    return StoredMessage(
        id=position,
        at=datetime.fromtimestamp(milliseconds / 1000, tz=UTC),
        sender=fields[5],
        recipients=tuple(fields[6].split(",")),
        message_id=fields[7],
        from_header=fields[8],
        subject=fields[9],
        size=size,
        sha256=fields[4],
        segment=segment,
        offset=offset,
    )


def segment_path(directory: Path, number: int) -> Path:
    return directory / SEGMENTS_NAME / f"{number:08d}.seg"


def entries(directory: Path, *, start: int = 0) -> Iterator[StoredMessage]:
    """All messages from the index, oldest first, from the id `start`; ends at the last complete line."""
    try:
        file = (directory / INDEX_NAME).open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(start)
        position = start
        for line in file:
            message = parse_line(line, position)
            if not line.endswith(b"\n"):
                return
            if message is not None:
                yield message
            position += len(line)


def message_ids(directory: Path) -> Iterator[str]:
    """The Message-ID of every message ever accepted, in order, duplicates included (the hash where there is none)."""
    return (entry.message_id or f"sha256:{entry.sha256}" for entry in entries(directory))


def count_messages(directory: Path) -> int:
    """How many messages were ever accepted."""
    return sum(1 for _ in entries(directory))


def list_messages(
    directory: Path, *, before: int | None = None, limit: int = 50, search: str = ""
) -> list[StoredMessage]:
    """The newest messages first; `before` is the id of the last one already shown. search looks in addresses, subject
    and Message-ID, without regard to case."""
    wanted = search.strip().lower()
    found: list[StoredMessage] = []
    for line, position in _lines_backwards(directory / INDEX_NAME, before):
        message = parse_line(line, position)
        if message is None or (wanted and not _matches(message, wanted)):
            continue
        found.append(message)
        if len(found) >= limit:
            break
    return found


class Sheet(NamedTuple):
    """Some messages, newest first; `older` is where to go on (as `before`), None at the beginning of the mailbox."""

    messages: list[StoredMessage]
    older: int | None


def list_where(
    directory: Path, *, wanted: Callable[[StoredMessage], bool], before: int | None = None, limit: int = 50,
    search: str = "",
) -> Sheet:  # fmt: skip
    """The newest messages that are `wanted`, as `list_messages`; ends after LOOKED_AT_MAX lines even where few were."""
    text = search.strip().lower()
    found: list[StoredMessage] = []
    for looked_at, (line, position) in enumerate(_lines_backwards(directory / INDEX_NAME, before)):
        if len(found) >= limit or looked_at >= LOOKED_AT_MAX:
            return Sheet(found, position + len(line))
        message = parse_line(line, position)
        if message is not None and wanted(message) and (not text or _matches(message, text)):
            found.append(message)
    return Sheet(found, None)


def find_message(directory: Path, message_id: int) -> StoredMessage:
    """One message's index entry. Raises MessageGone."""
    try:
        with (directory / INDEX_NAME).open("rb") as file:
            if message_id > 0:
                file.seek(message_id - 1)
                if file.read(1) != b"\n":
                    raise MessageGone(f"there is no message {message_id}")
            message = parse_line(file.readline(), message_id) if message_id >= 0 else None
    except FileNotFoundError:
        message = None
    if message is None:
        raise MessageGone(f"there is no message {message_id}")
    return message


def read_message(directory: Path, message_id: int | StoredMessage) -> bytes:
    """The bytes of one message as they came. Raises MessageGone when its body was deleted to make room."""
    entry = find_message(directory, message_id) if isinstance(message_id, int) else message_id
    try:
        with segment_path(directory, entry.segment).open("rb") as file:
            file.seek(entry.offset)
            raw = file.read(entry.size)
    except FileNotFoundError:
        raise MessageGone(f"the body of message {entry.id} was deleted to make room for newer ones") from None
    if hash_prefix(raw) != entry.sha256:
        raise MessageGone(f"the body of message {entry.id} is damaged")
    return raw


def hash_prefix(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]


def decoded(header: str) -> str:
    """A header as people read it (RFC 2047)."""
    try:
        return str(email.header.make_header(email.header.decode_header(header)))
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return header


def _matches(message: StoredMessage, wanted: str) -> bool:
    haystack = (message.sender, *message.recipients, message.message_id, message.from_header, message.subject)
    return wanted in "\n".join(haystack).lower() or wanted in decoded(message.subject).lower()


def _lines_backwards(path: Path, before: int | None) -> Iterator[tuple[bytes, int]]:
    """Complete lines of a file with their positions, last first, from the line that ends at `before`."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        end = file.seek(0, 2) if before is None else before
        tail = b""
        while end > 0:
            start = max(0, end - _BLOCK_BYTES)
            file.seek(start)
            block = file.read(end - start) + tail
            first = 0 if start == 0 else block.find(b"\n") + 1
            if start and not first:
                tail, end = block, start
                continue
            lines = block[first:].splitlines(keepends=True)
            positions = []
            position = start + first
            for line in lines:
                positions.append(position)
                position += len(line)
            for line, position in zip(reversed(lines), reversed(positions), strict=True):
                if line.endswith(b"\n"):
                    yield line, position
            tail, end = block[:first], start
