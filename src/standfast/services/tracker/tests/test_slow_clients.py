"""A client that never ends its request, or never takes its answer, holds nothing for long and nobody up."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from standfast.platform.spool import Spool
from standfast.services.tracker import connection, connections
from standfast.services.tracker.app import TrackerApp
from standfast.services.tracker.connection import Connection
from standfast.services.tracker.connections import Connections
from standfast.services.tracker.tests.tracker_process import KEY, token

HEAD = b"HTTP/1.1\r\nHost: t.example.com\r\n"
Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines of a fraction of a second."""
    monkeypatch.setattr(connections, "TICK_SECONDS", 0.02)
    for name in (
        "HEAD_SECONDS_MAX",
        "BODY_SECONDS_MAX",
        "IDLE_SECONDS_MAX",
        "UNREAD_SECONDS_MAX",
        "LINGER_SECONDS_MAX",
    ):
        monkeypatch.setattr(connection, name, 0.3)


@pytest.fixture
async def house(tmp_path: Path, hasty: None) -> AsyncIterator[Connections]:
    spool = Spool(tmp_path)
    app = TrackerApp(spool=spool, token_key=KEY)
    house = Connections(spool=spool, answer=app.answer, outcomes=Counter(), connections_max=50)
    yield house
    await house.stop(seconds_max=1)
    await spool.close()


@pytest.fixture
async def connect(house: Connections) -> AsyncIterator[Connect]:
    server = await asyncio.get_running_loop().create_server(lambda: Connection(house), "127.0.0.1", 0)
    writers: list[asyncio.StreamWriter] = []

    async def make() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        writers.append(writer)
        return reader, writer

    yield make
    for writer in writers:
        writer.close()
    server.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side ends."""
    return await asyncio.wait_for(reader.read(), 20)


async def ended(house: Connections) -> None:
    """Until no connection is left."""
    async with asyncio.timeout(20):
        while len(house):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("begun", "expected"),
    [
        (b"", b""),
        (b"GE", b"408"),
        (b"GET /o/x.gif " + HEAD + b"x: y", b"408"),
        (b"POST /u/" + token().encode() + b" " + HEAD + b"Content-Length: 26\r\n\r\nList-Unsub", b"408"),
        (b"POST /u/" + token().encode() + b" " + HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nLi", b"408"),
        (b"GET /robots.txt " + HEAD + b"\r\n", b"200"),  # answered, then idle
    ],
)
async def test_what_is_begun_must_end(house: Connections, connect: Connect, begun: bytes, expected: bytes) -> None:
    reader, writer = await connect()
    writer.write(begun)
    assert (await rest(reader))[9:12] == expected
    assert house.spool.appended_count == 0
    await ended(house)


async def test_a_byte_now_and_then_does_not_put_the_end_off(house: Connections, connect: Connect) -> None:
    reader, writer = await connect()

    async def drip() -> None:
        writer.write(b"GET / HTTP/1.1\r\nx: ")
        while True:
            writer.write(b"y")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    assert (await rest(reader))[9:12] == b"408"
    dripping.cancel()


async def test_empty_lines_are_no_sign_of_life(house: Connections, connect: Connect) -> None:
    reader, writer = await connect()

    async def drip() -> None:
        while True:
            writer.write(b"\r\n")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    assert await rest(reader) == b""
    dripping.cancel()


async def test_who_does_not_take_answers_is_cut_off(house: Connections, connect: Connect) -> None:
    _, writer = await connect()
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    ask = b"GET /nothing " + HEAD + b"\r\n"
    with pytest.raises((ConnectionError, asyncio.TimeoutError)):
        for _ in range(500):
            writer.write(ask * 200)
            await asyncio.wait_for(writer.drain(), 5)
    await ended(house)


async def test_a_thousand_slow_clients_leave_room_for_others(
    house: Connections, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS_MAX", 60)  # room is made for others, not by the deadline
    house.connections_max = 500
    for _ in range(520):
        _, writer = await connect()
        writer.write(b"GET /o/")
    reader, writer = await connect()
    writer.write(b"GET /o/" + token().encode() + b".gif " + HEAD + b"Connection: close\r\n\r\n")
    assert (await rest(reader)).startswith(b"HTTP/1.1 200 OK\r\n")
    assert house.evicted_count > 0
    assert len(house) <= 500
