"""The spool keeps its promise: what it acknowledged is there, what it could not write it refuses."""

import asyncio
import errno
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.platform import spool_reader
from standfast.platform.spool import Spool, SpoolBusy, SpoolError, SpoolFull, read_node
from standfast.platform.spool_format import Segment, frame, segment_path, segments
from standfast.platform.spool_reader import delete_read_segments, lag_bytes, read_batch


def read_all(directory: Path, position: int = 0, records_max: int = 100) -> list[bytes]:
    found = []
    while (batch := read_batch(directory, position=position, records_max=records_max)).after != batch.before:
        found += [payload for _, payload in batch.records]
        position = batch.after
    return found


async def write(directory: Path, payloads: list[bytes], **options: int) -> list[int]:
    spool = Spool(directory, **options)
    positions = list(await asyncio.gather(*[spool.append(payload) for payload in payloads]))
    await spool.close()
    return positions


async def test_what_was_appended_is_read_in_order_across_segments(tmp_path: Path) -> None:
    payloads = [b"event %d " % number * 10 for number in range(1000)]
    spool = Spool(tmp_path, segment_bytes_max=10_000)
    positions = []
    for start in range(0, 1000, 50):
        positions += await asyncio.gather(*[spool.append(payload) for payload in payloads[start : start + 50]])
    await spool.close()
    assert len(segments(tmp_path)) > 5
    assert positions == sorted(set(positions))
    assert read_all(tmp_path) == payloads
    assert read_all(tmp_path, position=positions[499]) == payloads[500:]


async def test_many_appenders_share_a_flush(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await asyncio.gather(*[spool.append(b"x") for _ in range(500)])
    assert spool.flush_count < 10
    await spool.close()


async def test_positions_go_on_after_a_restart_and_the_name_stays(tmp_path: Path) -> None:
    first = await write(tmp_path, [b"one"])
    name = read_node(tmp_path)
    second = await write(tmp_path, [b"two"])
    assert second[0] > first[0]
    assert read_node(tmp_path) == name
    assert read_all(tmp_path) == [b"one", b"two"]


async def test_an_emptied_directory_is_another_spool(tmp_path: Path) -> None:
    await write(tmp_path, [b"one"])
    name = read_node(tmp_path)
    for segment in segments(tmp_path):
        segment.path.unlink()
    await write(tmp_path, [b"two"])
    assert read_node(tmp_path) != name


async def test_one_writer(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(SpoolBusy):
        Spool(tmp_path)
    await spool.close()
    await Spool(tmp_path).close()


async def test_a_torn_tail_is_cut_and_its_positions_are_not_used_again(tmp_path: Path) -> None:
    positions = await write(tmp_path, [b"kept", b"kept too"])
    path = segments(tmp_path)[-1].path
    with path.open("ab") as file:
        file.write(frame(b"half a record")[:-4])
    torn_end = path.stat().st_size
    after = await write(tmp_path, [b"next"])
    assert after[0] > torn_end > positions[-1]
    assert read_all(tmp_path) == [b"kept", b"kept too", b"next"]


async def test_a_reader_waits_for_the_rest_of_a_record(tmp_path: Path) -> None:
    await write(tmp_path, [b"first"])
    path = segments(tmp_path)[-1].path
    record = frame(b"second")
    position = read_batch(tmp_path, position=0).after
    with path.open("ab") as file:
        file.write(record[:9])
    assert read_batch(tmp_path, position=position).after == position
    with path.open("ab") as file:
        file.write(record[9:])
    assert [payload for _, payload in read_batch(tmp_path, position=position).records] == [b"second"]


@pytest.mark.parametrize("at", [0, 2, 4, 8, 20])
async def test_damage_in_the_middle_costs_one_record_and_is_shown(tmp_path: Path, at: int) -> None:
    positions = await write(tmp_path, [b"first record", b"second record", b"third record"])
    path = segments(tmp_path)[-1].path
    data = bytearray(path.read_bytes())
    data[positions[0] + at] ^= 0x55
    path.write_bytes(data)
    batch = read_batch(tmp_path, position=0)
    assert [payload for _, payload in batch.records] == [b"first record", b"third record"]
    assert [(hole.position, len(hole.data)) for hole in batch.damage] == [(positions[0], positions[1] - positions[0])]
    await write(tmp_path, [b"fourth"])
    assert read_all(tmp_path)[-1] == b"fourth"


@settings(max_examples=60, deadline=None)
@given(tail=st.binary(max_size=200), cut=st.integers(min_value=0, max_value=60))
def test_no_tail_breaks_it(tmp_path_factory: pytest.TempPathFactory, tail: bytes, cut: int) -> None:
    directory = tmp_path_factory.mktemp("spool")
    asyncio.run(write(directory, [b"one", b"two", b"three"]))
    path = segments(directory)[-1].path
    whole = path.read_bytes()
    path.write_bytes(whole[: max(0, len(whole) - cut)] + tail)
    asyncio.run(write(directory, [b"after"]))
    found = read_all(directory)
    assert found[-1] == b"after"
    if not cut:
        assert found[:3] == [b"one", b"two", b"three"]


async def test_read_segments_are_deleted_but_never_the_newest(tmp_path: Path) -> None:
    for number in range(4):
        await write(tmp_path, [b"record %d" % number])
    position = read_batch(tmp_path, position=0, records_max=1).after
    assert delete_read_segments(tmp_path, position=position) == 1  # its one record was read
    end = segments(tmp_path)[-1]
    assert lag_bytes(tmp_path, position=position) == sum(segment.size for segment in segments(tmp_path))
    delete_read_segments(tmp_path, position=end.start + end.size)
    assert segments(tmp_path) == [end]
    assert lag_bytes(tmp_path, position=end.start + end.size) == 0


async def test_a_full_disk_is_refused_then_forgotten(tmp_path: Path) -> None:
    """RLIMIT_FSIZE plays the full disk: writes beyond it fail as on a full disk, in the middle of a record."""
    spool = Spool(tmp_path)
    await spool.append(b"before")
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        outcomes = await asyncio.gather(*[spool.append(b"refused" * 10) for _ in range(5)], return_exceptions=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert all(isinstance(outcome, SpoolFull) for outcome in outcomes)
    assert await spool.append(b"behind") > 0
    await spool.close()
    assert read_all(tmp_path) == [b"before", b"behind"]


async def test_a_disk_that_stays_full_does_not_fill_with_empty_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    position = await spool.append(b"before")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", lambda _fd: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
        for number in range(50):
            with pytest.raises(SpoolFull):
                await spool.append(b"refused %d" % number)
    assert len(segments(tmp_path)) <= 3
    assert lag_bytes(tmp_path, position=position) == 0
    last = await spool.append(b"behind")
    assert last > position + 50 * len(frame(b"refused 1"))  # no position is ever used again
    await spool.close()
    assert read_all(tmp_path, position=position) == [b"behind"]


async def test_a_segment_that_vanishes_while_it_is_listed_was_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(tmp_path, [b"one"])
    end = segments(tmp_path)[-1].start + segments(tmp_path)[-1].size
    listed = [*segments(tmp_path), Segment(start=end, path=tmp_path / "gone.spool")]
    monkeypatch.setattr(spool_reader, "segments", lambda _directory: listed)
    assert read_all(tmp_path) == [b"one"]
    assert lag_bytes(tmp_path, position=0) == end


async def test_an_io_error_reaches_every_waiter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)

    def broken(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        outcomes = await asyncio.gather(*[spool.append(b"x") for _ in range(3)], return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [SpoolError] * 3
    assert await spool.append(b"y")
    await spool.close()
    assert read_all(tmp_path)[-1] == b"y"


async def test_sizes_are_limited(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for payload in (b"", b"x" * 70_000):
        with pytest.raises(ValueError, match="spool record"):
            await spool.append(payload)
    await spool.close()
    with pytest.raises(SpoolError, match="closed"):
        await spool.append(b"late")


WRITER = """
import asyncio, sys
from pathlib import Path
from standfast.platform.spool import Spool
async def main():
    spool = Spool(Path(sys.argv[1]), segment_bytes_max=50_000)
    async def client(number):
        for count in range(100_000):
            await spool.append(b"%d-%d" % (number, count))
            sys.stdout.buffer.write(b"%d-%d\\n" % (number, count))
            sys.stdout.buffer.flush()
    await asyncio.gather(*[client(number) for number in range(32)])
asyncio.run(main())
"""


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    acknowledged: list[bytes] = []
    for seconds in (0.4, 0.6):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        threading_kill(process, seconds)
        assert process.stdout
        lines = process.stdout.read().split(b"\n")
        process.wait()
        acknowledged += lines[:-1]
    found = read_all(tmp_path, records_max=10_000)
    assert acknowledged
    assert not set(acknowledged) - set(found)


def threading_kill(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    import threading

    def kill() -> None:
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()


def test_segment_names_sort(tmp_path: Path) -> None:
    assert segment_path(tmp_path, start=7).name == "000000000007.spool"
