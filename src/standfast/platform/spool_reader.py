"""Reading a spool from a position, in a process of its own, while its writer goes on."""

import os
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from standfast.platform.spool_format import HEADER, PAYLOAD_BYTES_MAX, Segment, next_record, records, segments

READ_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes in the middle of a spool that are no record, starting at `position`."""

    position: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What lies between two positions: records as (position behind it, payload), and damage found on the way."""

    before: int
    after: int
    records: list[tuple[int, bytes]] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)


def read_batch(directory: Path, *, position: int, records_max: int = 10_000) -> Batch:
    """The next records from `position`, none when the reader has caught up. Raises OSError.

    Everything given is on disk: the segment is synchronised before its records are handed out, so that what was copied
    elsewhere can never be lost here and its position used again.
    """
    found = segments(directory)
    for index, segment in enumerate(found):
        newer = index + 1 < len(found)
        if newer and found[index + 1].start <= position:
            continue
        # Whether a newer segment exists was looked up before reading: the writer is done with this one for certain.
        batch = _read_segment(segment, position=max(position, segment.start), finished=newer, records_max=records_max)
        if batch.records or batch.damage:
            return Batch(position, batch.after, batch.records, batch.damage)
        if newer:
            position = found[index + 1].start
    return Batch(position, position)


def lag_bytes(directory: Path, *, position: int) -> int:
    """Bytes of the spool behind `position` that wait to be read."""
    return sum(max(0, _size(segment) - max(0, position - segment.start)) for segment in segments(directory))


def delete_read_segments(directory: Path, *, position: int) -> int:
    """Delete the segments that end before `position`; the newest stays, as it may be the writer's. Gives the count."""
    found = segments(directory)
    done = [old for old, newer in pairwise(found) if newer.start <= position]
    for segment in done:
        segment.path.unlink(missing_ok=True)
    return len(done)


def _size(segment: Segment) -> int:
    try:
        return segment.size
    except FileNotFoundError:  # empty, and taken away by its writer since it was listed
        return 0


def _read_segment(segment: Segment, *, position: int, finished: bool, records_max: int) -> Batch:
    try:
        opened = segment.path.open("rb")
    except FileNotFoundError:  # empty, and taken away by its writer since it was listed
        return Batch(position, position)
    with opened as file:
        size = os.fstat(file.fileno()).st_size
        offset = position - segment.start
        if offset >= size:
            return Batch(position, position)
        file.seek(offset)
        data = file.read(READ_BYTES_MAX)
        whole = offset + len(data) >= size
        os.fdatasync(file.fileno())
    return _split(data, position, last=whole and finished, records_max=records_max)


def _split(data: bytes, position: int, *, last: bool, records_max: int) -> Batch:
    """Records of `data`, which lies at `position`. `last`: nothing will ever follow these bytes in their segment."""
    found: list[tuple[int, bytes]] = []
    damage: list[Damage] = []
    offset = 0
    while len(found) < records_max:
        for offset, payload in records(data, offset, len(data)):  # noqa: B020 - where it stopped is what counts
            found.append((position + offset, payload))
            if len(found) >= records_max:
                break
        else:
            skip = _damaged_bytes(data, offset, last=last)
            if not skip:
                break
            damage.append(Damage(position + offset, data[offset : offset + skip]))
            offset += skip
    return Batch(position, position + offset, found, damage)


def _damaged_bytes(data: bytes, offset: int, *, last: bool) -> int:
    """How many bytes at `offset` are certainly no record; 0 when they may be the beginning of one."""
    end = len(data)
    found = next_record(data, offset, end)
    if found is not None:
        return found - offset
    if last:
        return end - offset
    # Longer than any record can be, and still none in it: damage, whatever follows. Keep what may be a beginning.
    keep = HEADER.size + PAYLOAD_BYTES_MAX
    return max(0, end - offset - keep)
