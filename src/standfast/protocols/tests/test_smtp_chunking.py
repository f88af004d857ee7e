"""BDAT (RFC 3030) over real sockets: the same message as by DATA however it is cut, and every refusal keeps its place."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.protocols.smtp_server import Drop, Limits
from standfast.protocols.tests.test_smtp_server import MESSAGE, Keeper, keeping, say

OPEN = b"EHLO me\r\nMAIL FROM:<a@a.test> BODY=8BITMIME\r\nRCPT TO:<b@b.test>\r\n"


def chunked(message: bytes, cuts: list[int]) -> bytes:
    """The commands that hand a message in, cut at these places."""
    places = sorted({min(cut, len(message)) for cut in cuts} | {0, len(message)})
    pieces = [message[low:high] for low, high in itertools.pairwise(places)] or [b""]
    last = len(pieces) - 1
    return b"".join(
        b"BDAT %d%b\r\n%b" % (len(piece), b" LAST" if place == last else b"", piece)
        for place, piece in enumerate(pieces)
    )


def split(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[low:high] for low, high in itertools.pairwise(places)]


LINES = st.lists(st.sampled_from([b"", b".", b"..", b".a", b"BDAT 3 LAST", b"MAIL FROM:<e@x.test>", b"\xc3\xa9\0"]))
CUTS = st.lists(st.integers(0, 120), max_size=8)


@given(lines=LINES, cuts=CUTS, packets=CUTS)
@settings(max_examples=60, deadline=None)
def test_however_a_message_is_cut_it_is_the_one_of_data(
    lines: list[bytes], cuts: list[int], packets: list[int]
) -> None:
    message = b"".join(line + b"\r\n" for line in lines)
    stuffed = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)

    async def go() -> list[bytes]:
        async with keeping() as server:
            await say(server, *split(OPEN + chunked(message, cuts), packets))
            await say(server, OPEN + b"DATA\r\n" + stuffed + b".\r\n")
            return [raw for _, raw in Keeper.kept]

    assert asyncio.run(go()) == [message, message]


async def test_chunks_pipelined_and_a_second_message_behind_them() -> None:
    async with keeping() as server:
        text = await say(server, OPEN + chunked(MESSAGE, [3, 4, 30]) + OPEN[9:] + b"BDAT 5 LAST\r\nhello")
        assert b"250-CHUNKING" in text and text.count(b"bytes taken") == 3 and text.count(b"250 2.0.0 ok") == 2
        assert [raw for _, raw in Keeper.kept] == [MESSAGE, b"hello\r\n"]  # the CRLF that ends every message


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        (b"EHLO me\r\nBDAT 6 LAST\r\nNOOP\r\n", b"503"),
        (b"EHLO me\r\nMAIL FROM:<a@a.test>\r\nBDAT 6 LAST\r\nQUIT\r\n", b"503"),
        (OPEN + b"BDAT 2\r\nabDATA\r\n", b"503"),
        (OPEN + b"BDAT 2\r\nabRCPT TO:<c@b.test>\r\n", b"503"),
        (OPEN + b"BDAT 2\r\nabMAIL FROM:<c@b.test>\r\n", b"503"),
        (OPEN + b"BDAT 2\r\nabRSET\r\nBDAT 0 LAST\r\n", b"503"),
        (OPEN + b"BDAT 4 LAST\r\na\nb\n", b"550"),
        (OPEN + b"BDAT 3 LAST\r\na\rb", b"550"),
        (OPEN + b"BDAT 1200 LAST\r\n" + b"x" * 1200, b"550"),
        (OPEN + b"BDAT 2001 LAST\r\n" + b"QUIT\r\n".ljust(2001), b"552"),
        (OPEN + b"BDAT 1500\r\n" + b"QUIT\r\n".ljust(1500) + b"BDAT 1000 LAST\r\n" + b"QUIT\r\n".ljust(1000), b"552"),
    ],
)
async def test_what_is_refused_swallows_its_bytes(commands: bytes, code: bytes) -> None:
    async with keeping(limits=Limits(message_bytes=2000)) as server:
        replies = (await say(server, commands)).split(b"\r\n")
        assert replies[-3][:3] == code and replies[-2].startswith(b"221")
        assert Keeper.kept == []


async def test_the_chunks_after_a_refused_one_are_refused() -> None:
    async with keeping(limits=Limits(message_bytes=2000)) as server:
        text = await say(
            server, OPEN + b"BDAT 2001\r\n" + b"x" * 2001 + b"BDAT 6 LAST\r\nNOOP\r\n" + OPEN[9:] + b"BDAT 0 LAST\r\n"
        )
        assert [line[:3] for line in text.split(b"\r\n")[-7:-1]] == [b"552", b"503", b"250", b"250", b"250", b"221"]
        assert len(Keeper.kept) == 1


@pytest.mark.parametrize("argument", [b"", b"x", b"-1", b"1 2", b"10 LAST LAST", b"1" * 400, b"999999999"])
async def test_a_bdat_that_cannot_be_read_ends_the_connection(argument: bytes) -> None:
    async with keeping() as server:
        text = await say(server, OPEN + b"BDAT " + argument + b"\r\nMAIL FROM:<evil@x.test>\r\n")
        assert text.split(b"\r\n")[-2].startswith(b"421 4.5.2")
        assert Keeper.kept == []


async def test_a_hook_that_drops_and_one_that_refuses_at_the_first_chunk() -> None:
    async with keeping(data=Drop(body_bytes=20)) as server:
        assert b"bytes taken" not in await say(server, OPEN + b"BDAT 30 LAST\r\n" + b"x" * 30)
        assert Keeper.kept == [] and not server.held_bytes
