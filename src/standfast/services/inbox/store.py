"""Keep messages so that a 250 is true: on disk before the reply, in groups, within a byte cap.

Order on disk: body to the segment, line to the index, fdatasync of both in a thread, then the caller is told. Whatever
came meanwhile is flushed next, so the group grows with the load and no timer is needed. After a kill the index loses at
most a torn last line; entries whose body does not match its hash (power lost before the flush) are taken back, and
nobody was told 250 for them.
"""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from standfast.platform.mail_store import (
    INDEX_NAME,
    SEGMENTS_NAME,
    StoredMessage,
    format_line,
    hash_prefix,
    parse_line,
    segment_path,
)

BODIES_BYTES_MAX = 512 * 1024 * 1024
SEGMENTS = 16
"""How many segments the cap is divided into; the oldest whole one is deleted."""
_CHECK_BYTES = 256 * 1024  # this much of the index's end is compared with the bodies at the start
_HEADER = re.compile(rb"^(message-id|subject|from):[ \t]*((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_BREAKING = str.maketrans({"\t": " ", "\r": "", "\n": " ", "\0": " "})


class StoreFailed(Exception):
    """The message could not be kept (full disk, failing disk); it must not be accepted."""


class Store:
    """The writer of a mailbox directory; one a directory. Use from one event loop."""

    def __init__(self, directory: Path, *, bodies_bytes_max: int = BODIES_BYTES_MAX) -> None:
        self.directory = directory
        self.accepted = 0
        self._bodies_bytes_max = bodies_bytes_max
        self._segment_bytes = max(1, bodies_bytes_max // SEGMENTS)
        (directory / SEGMENTS_NAME).mkdir(parents=True, exist_ok=True)
        self._index = os.open(directory / INDEX_NAME, os.O_RDWR | os.O_CREAT, 0o644)
        self._index_end = _mend_index(directory, self._index)
        self._index_synced = self._index_end
        numbers = [int(path.stem) for path in (directory / SEGMENTS_NAME).glob("*.seg")]
        self._number = max(numbers, default=0)
        self._segment = -1
        self._segment_end = 0
        self._retired: list[int] = []
        self._open_segment(self._number or 1)
        self._waiting: list[asyncio.Future[None]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def append(self, *, sender: str, recipients: list[str], raw: bytes) -> StoredMessage:
        """Keep one message; returns when it is on disk. Raises StoreFailed."""
        if self._segment_end >= self._segment_bytes:
            try:
                self._next_segment()
            except OSError as error:
                raise StoreFailed(f"the message could not be written: {error.strerror}") from error
        message = _describe(
            sender=sender,
            recipients=recipients,
            raw=raw,
            segment=self._number,
            offset=self._segment_end,
            position=self._index_end,
        )
        try:
            self._segment_end = _write_all(self._segment, raw, self._segment_end)
            self._index_end = _write_all(self._index, format_line(message), self._index_end)
        except OSError as error:
            raise StoreFailed(f"the message could not be written: {error.strerror}") from error
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append(done)
        if self._flusher is None:
            self._flusher = loop.create_task(self._flush())
        await done
        self.accepted += 1
        return message

    async def close(self) -> None:
        """Flush what is waiting and close the files."""
        if self._flusher is not None:
            await self._flusher
        os.close(self._segment)
        os.close(self._index)

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            end = self._index_end
            # A segment that is full meanwhile stays open until it is flushed: its number must not mean another file.
            retired, self._retired = self._retired, []
            try:
                await loop.run_in_executor(None, self._sync, [*retired, self._segment])
            except OSError as error:
                self._take_back(waiting, error)
            else:
                self._index_synced = end
                for future in waiting:
                    if not future.done():
                        future.set_result(None)
            for segment in retired:
                os.close(segment)
        self._flusher = None

    def _sync(self, segments: list[int]) -> None:
        for segment in segments:
            os.fdatasync(segment)
        os.fdatasync(self._index)

    def _take_back(self, waiting: list[asyncio.Future[None]], error: OSError) -> None:
        """After a failed flush nothing since the last good one is certain: forget it, and let nobody be told 250."""
        os.ftruncate(self._index, self._index_synced)
        self._index_end = self._index_synced
        waiting, self._waiting = waiting + self._waiting, []
        with suppress(OSError):  # no room for a new file either: the old one goes on
            self._next_segment()
        for future in waiting:
            if not future.done():
                future.set_exception(StoreFailed(f"the message could not be flushed to disk: {error.strerror}"))

    def _next_segment(self) -> None:
        old = self._segment
        self._open_segment(self._number + 1)
        self._retired.append(old)
        paths = sorted((self.directory / SEGMENTS_NAME).glob("*.seg"))
        kept = sum(path.stat().st_size for path in paths) + self._segment_bytes
        for path in paths[:-1]:
            if kept <= self._bodies_bytes_max:
                break
            kept -= path.stat().st_size
            path.unlink()

    def _open_segment(self, number: int) -> None:
        self._segment = os.open(segment_path(self.directory, number), os.O_RDWR | os.O_CREAT, 0o644)
        self._number = number
        self._segment_end = os.fstat(self._segment).st_size


def _write_all(file: int, data: bytes, position: int) -> int:
    """Write at a position and return the end; a half-written piece (full disk) is cut off again."""
    written = 0
    try:
        while written < len(data):
            written += os.pwrite(file, data[written:] if written else data, position + written)
    except OSError:
        os.ftruncate(file, position)
        raise
    return position + len(data)


def _describe(
    *, sender: str, recipients: list[str], raw: bytes, segment: int, offset: int, position: int
) -> StoredMessage:
    headers: dict[bytes, str] = {}
    for name, value in _HEADER.findall(raw[: raw.find(b"\r\n\r\n") + 2]):
        text = re.sub(r"\s+", " ", value.decode("utf-8", "replace")).translate(_BREAKING).strip()
        headers.setdefault(name.lower(), text[:500])
    return StoredMessage(
        id=position,
        at=datetime.now(tz=UTC),
        sender=sender,
        recipients=tuple(recipients),
        message_id=headers.get(b"message-id", ""),
        subject=headers.get(b"subject", ""),
        from_header=headers.get(b"from", ""),
        size=len(raw),
        sha256=hash_prefix(raw),
        segment=segment,
        offset=offset,
    )


def _mend_index(directory: Path, index: int) -> int:
    """Cut a torn line, and last entries whose bodies are not what the index says; returns where the index ends."""
    size = os.fstat(index).st_size
    start = max(0, size - _CHECK_BYTES)
    block = os.pread(index, size - start, start)
    end = start + block.rfind(b"\n") + 1 if b"\n" in block else start
    lines = block[: end - start].splitlines(keepends=True)
    if start and lines:
        lines = lines[1:]  # probably begins in the middle
    newest = None
    while lines:
        line = lines.pop()
        message = parse_line(line, end - len(line))
        if message is not None:
            newest = message.segment if newest is None else newest
            if message.segment < newest or _body_is_whole(directory, message):
                break
        end -= len(line)
    os.ftruncate(index, end)
    return end


def _body_is_whole(directory: Path, message: StoredMessage) -> bool:
    path = segment_path(directory, message.segment)
    if not path.exists():
        return False
    with path.open("rb") as file:
        file.seek(message.offset)
        return hash_prefix(file.read(message.size)) == message.sha256
