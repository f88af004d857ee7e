"""However a stream of requests is cut into pieces, and whatever follows them, the answers are the same."""

import asyncio
from collections import Counter
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.services.tracker.app import TrackerApp
from standfast.services.tracker.connection import Connection
from standfast.services.tracker.connections import READ_BYTES, Connections
from standfast.services.tracker.tests.tracker_process import KEY, click_path, token

HEAD = b" HTTP/1.1\r\nHost: t.example.com\r\n"
GOOD = [
    b"GET /o/" + token().encode() + b".gif" + HEAD + b"User-Agent: x\r\n\r\n",
    b"GET " + click_path(token()).encode() + HEAD + b"\r\n",
    b"HEAD /u/" + token().encode() + HEAD + b"\r\n",
    b"GET /nothing" + HEAD + b"\r\n",
    b"POST /u/" + token().encode() + HEAD + b"Content-Length: 26\r\n\r\nList-Unsubscribe=One-Click",
    b"POST /r/" + token().encode() + HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\nx: y\r\n\r\n",
    b"GET /o/" + token().encode() + b".gif" + HEAD + b"Connection: close\r\n\r\n",
]
PARTS = st.one_of(st.sampled_from(GOOD), st.sampled_from(GOOD), st.binary(max_size=40))


class Disk:
    """A spool that keeps its records in a list, and says so at once or when it is asked to."""

    last_error = None

    def __init__(self, *, lazy: bool) -> None:
        self.records: list[bytes] = []
        self.lazy = lazy
        self.waiting: list[Any] = []

    def append_for(self, waiter: Any, payload: bytes) -> None:
        self.records.append(payload)
        if self.lazy:
            self.waiting.append(waiter)
        else:
            waiter.flushed(len(self.records), None)

    def flush(self) -> None:
        waiting, self.waiting = self.waiting, []
        for waiter in waiting:
            waiter.flushed(0, None)


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.reading = True

    def get_extra_info(self, name: str) -> tuple[str, int]:
        return ("192.0.2.1", 4711)

    def write(self, data: bytes) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write_eof(self) -> None:
        pass

    close = abort = write_eof


def answers(pieces: list[bytes], *, lazy: bool) -> tuple[list[bytes], list[str], bool]:
    """The status lines sent, the kinds of event written, and whether the connection still listens."""

    async def run() -> tuple[list[bytes], list[str], bool]:
        disk, wire = Disk(lazy=lazy), Wire()
        app = TrackerApp(spool=disk, token_key=KEY)  # type: ignore[arg-type]
        house = Connections(spool=disk, answer=app.answer, outcomes=Counter(), connections_max=9)  # type: ignore[arg-type]
        connection = Connection(house)
        connection.connection_made(wire)
        for piece in pieces:
            for at in range(0, len(piece), READ_BYTES):
                part = piece[at : at + READ_BYTES]
                connection.get_buffer(-1)[: len(part)] = part
                connection.buffer_updated(len(part))
                if not wire.reading:
                    disk.flush()
                    assert wire.reading
        disk.flush()
        lines = [part[:3] for part in wire.written.split(b"HTTP/1.1 ")[1:]]
        kinds = [record.split(b'"')[1].decode() for record in disk.records]
        connection.connection_lost(None)
        await house.stop(seconds_max=0)
        return lines, kinds, not connection._deaf

    return asyncio.run(run())


@settings(max_examples=150, deadline=None)
@given(parts=st.lists(PARTS, max_size=40), cuts=st.lists(st.integers(0, 4000), max_size=30), lazy=st.booleans())
def test_pieces_make_no_difference(parts: list[bytes], cuts: list[int], lazy: bool) -> None:
    stream = b"".join(parts)
    edges = sorted({0, len(stream), *[cut for cut in cuts if cut < len(stream)]})
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    whole = answers([stream] if stream else [], lazy=lazy)
    assert answers(pieces, lazy=not lazy) == whole
    assert answers([stream[at : at + 1] for at in range(len(stream))], lazy=lazy) == whole


def test_each_of_the_requests_is_good() -> None:
    lines, kinds, listens = answers([b"".join(GOOD)], lazy=True)
    assert lines == [b"200", b"302", b"200", b"404", b"200", b"200", b"200"]
    assert kinds == ["opened", "clicked", "unsubscribed", "complained", "opened"]
    assert not listens
