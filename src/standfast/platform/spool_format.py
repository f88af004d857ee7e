"""What a spool looks like on disk: framed records in segment files.

A position is a byte offset in the whole spool since its beginning; a segment file is named after the position at which
it starts (`000000000000.spool`), so a reader finds any position without an index. A record is

    length: u32 little endian | CRC32 of the payload, seeded with the length: u32 | payload

The seed makes a damaged length show, and a run of zero bytes (what a file system may leave after a power cut) is no
record, as an empty payload is not allowed.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from zlib import crc32

HEADER = struct.Struct("<II")
PAYLOAD_BYTES_MAX = 64 * 1024
SEGMENT_NAME = re.compile(r"^(\d{12,19})\.spool$")
# Four bytes that can be the length of a record: not nought, and at most 65,536.
POSSIBLE_LENGTH = re.compile(rb"(?!\x00{4})(?=..[\x00\x01]\x00)", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of a spool. `start` is the position of its first byte."""

    start: int
    path: Path

    @property
    def size(self) -> int:
        """Bytes in the file now."""
        return self.path.stat().st_size


def segment_path(directory: Path, *, start: int) -> Path:
    """The file that starts at this position."""
    return directory / f"{start:012d}.spool"


def segments(directory: Path) -> list[Segment]:
    """All segments of the directory, oldest first."""
    found = ((SEGMENT_NAME.match(path.name), path) for path in directory.iterdir())
    return sorted(Segment(start=int(match[1]), path=path) for match, path in found if match)


def frame(payload: bytes) -> bytes:
    """The record of a payload (1 to 65,536 bytes). Raises ValueError for another size."""
    length = len(payload)
    if not 0 < length <= PAYLOAD_BYTES_MAX:
        raise ValueError(f"a spool record holds 1 to {PAYLOAD_BYTES_MAX} bytes, not {length}")
    return HEADER.pack(length, crc32(payload, length)) + payload


def payload_at(data: bytes | mmap, offset: int, end: int) -> bytes | None:
    """The payload of the whole and undamaged record at `offset`, else None."""
    if offset + HEADER.size > end:
        return None
    length, checksum = HEADER.unpack_from(data, offset)
    first = offset + HEADER.size
    if not 0 < length <= PAYLOAD_BYTES_MAX or first + length > end:
        return None
    payload = bytes(data[first : first + length])
    return payload if crc32(payload, length) == checksum else None


def records(data: bytes | mmap, offset: int, end: int) -> Iterator[tuple[int, bytes]]:
    """(offset behind the record, payload) of each record from `offset`, up to the first that is torn or damaged."""
    while (payload := payload_at(data, offset, end)) is not None:
        offset += HEADER.size + len(payload)
        yield offset, payload


def next_record(data: bytes | mmap, offset: int, end: int) -> int | None:
    """The offset of the first whole record at or after `offset`, None when there is none: the way past damage."""
    for match in POSSIBLE_LENGTH.finditer(data, offset, end):
        if payload_at(data, match.start(), end) is not None:
            return match.start()
    return None
