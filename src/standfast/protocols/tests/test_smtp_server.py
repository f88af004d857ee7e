"""The server against smtplib and against raw sockets that misbehave."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import pytest
import uvloop

from standfast.protocols.smtp_client import Deferred, Stage, Uncertain, connect
from standfast.protocols.smtp_server import Answer, Drop, Envelope, Limits, Reply, Server, SessionHooks, serve

MESSAGE = b"From: a@a.test\r\nSubject: hi\r\n\r\nhello\r\n"
OPEN = b"EHLO me\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n"


class Keeper(SessionHooks):
    """Takes everything, except what a test tells it to."""

    kept: list[tuple[Envelope, bytes]] = []
    answers: dict[str, Answer] = {}

    def on_connect(self) -> Answer:
        return self.answers.get("connect")

    def on_mail(self, sender: str) -> Answer:
        return self.answers.get("mail")

    async def on_rcpt(self, envelope: Envelope, recipient: str) -> Answer:
        await asyncio.sleep(0)
        return self.answers.get(recipient) or self.answers.get("rcpt")

    def on_data_start(self, envelope: Envelope) -> Answer:
        return self.answers.get("data")

    async def on_message(self, envelope: Envelope, raw: bytes) -> Answer:
        await asyncio.sleep(0.001)
        self.kept.append((envelope, raw))
        return self.answers.get("message")


@asynccontextmanager
async def keeping(*, limits: Limits | None = None, **answers: Answer) -> AsyncIterator[Server]:
    Keeper.kept, Keeper.answers = [], dict(answers)
    server = await serve(host="127.0.0.1", port=0, hooks=Keeper, hostname="mx.test", limits=limits)
    try:
        yield server
    finally:
        await server.close(grace_seconds=0.2)


async def say(server: Server, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Write the pieces, then close our half and read everything that comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)
    writer.write(b"QUIT\r\n")
    text = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return text


async def test_smtplib_delivers_to_several_recipients() -> None:
    def deliver(port: int) -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", port) as client:
            refused = client.sendmail("a@a.test", ["b@b.test", "nobody@b.test"], MESSAGE + b".dot\r\n..\r\n")
            assert client.has_extn("pipelining")
            assert client.has_extn("size")
            assert not client.has_extn("smtputf8")
            return refused

    async with keeping(**{"nobody@b.test": Reply(550, "5.1.1 no such user")}) as server:
        refused = await asyncio.to_thread(deliver, server.port)
        assert refused == {"nobody@b.test": (550, b"5.1.1 no such user")}
        envelope, raw = Keeper.kept[0]
        assert (envelope.sender, envelope.recipients) == ("a@a.test", ["b@b.test"])
        assert raw == MESSAGE + b".dot\r\n..\r\n"


async def test_everything_in_one_write_and_byte_by_byte() -> None:
    dialogue = OPEN + MESSAGE + b".\r\n" + OPEN[9:] + b".\r\n"
    async with keeping() as server:
        text = await say(server, dialogue)
        assert text.count(b"250 2.0.0 ok") == 2
        await say(server, *[dialogue[n : n + 1] for n in range(len(dialogue))])
        assert [raw for _, raw in Keeper.kept] == [MESSAGE, b""] * 2


@pytest.mark.parametrize(
    "smuggled",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r.\r",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\n\n.\r\n",
    ],
)
async def test_only_crlf_dot_crlf_ends_a_message(smuggled: bytes) -> None:
    inner = b"MAIL FROM:<evil@x.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\nevil\r\n"
    async with keeping() as server:
        text = await say(server, OPEN, b"Subject: x\r\n\r\nhello" + smuggled + inner + b".\r\n")
        assert b"550 5.6.11" in text
        assert Keeper.kept == []
        assert text.rstrip().endswith(b"221 2.0.0 goodbye")


async def test_limits_answer_with_a_code() -> None:
    limits = Limits(message_bytes=1000, recipients=2, errors=3, idle_seconds=0.2, idle_commands=5)
    async with keeping(limits=limits) as server:
        large = OPEN + b"x" * 500 + b"\r\n" + b"y" * 600 + b"\r\n.\r\n"
        assert b"552 5.3.4" in await say(server, large)
        assert b"552 5.3.4" in await say(server, b"EHLO me\r\nMAIL FROM:<a@a.test> SIZE=2000\r\n")
        assert b"452 4.5.3" in await say(server, OPEN[:-6] + b"RCPT TO:<c@b.test>\r\nRCPT TO:<d@b.test>\r\n")
        assert b"421 4.7.0 too many errors" in await say(server, b"WHAT\r\n" * 5)
        assert b"421 4.5.2" in await say(server, b"x" * 5000)
        assert b"421 4.7.0 too many commands" in await say(server, b"EHLO me\r\n" + b"RSET\r\n" * 9)
        for word in (b"NOOP", b"VRFY x"):
            assert b"421 4.7.0 too many commands" in await say(server, b"EHLO me\r\n" + (word + b"\r\n") * 9), word
        assert b"421 4.4.2" in await say(server, b"EHLO me\r\n", pause=0.5)
    async with keeping(limits=Limits(connections=1)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await reader.readline()
        assert b"421 4.7.0 too many connections" in await say(server)
        writer.close()
    async with keeping(limits=Limits(connections_of_address=1)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await reader.readline()
        assert b"421 4.7.0 too many connections from your address" in await say(server)
        writer.write(b"QUIT\r\n")
        await reader.read()
        writer.close()
        while server.addresses:
            await asyncio.sleep(0.01)
        assert b"250 2.1.5" in await say(server, OPEN[:-6])
    async with keeping() as server:
        assert b"550 5.6.0" in await say(server, OPEN + b"x" * 999 + b"\r\n.\r\n")
        assert b"250 2.0.0" in await say(server, OPEN + (b"x" * 998 + b"\r\n") * 5 + b".\r\n")


@pytest.mark.parametrize("given", [b"EHLO me\r\nMAIL FROM:<", OPEN])
async def test_a_byte_now_and_then_is_idleness_too(given: bytes) -> None:
    async with keeping(limits=Limits(idle_seconds=0.3)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(given)

        async def trickle() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())
        text = await asyncio.wait_for(reader.read(), 10)
        trickling.cancel()
        writer.close()
        assert text.endswith(b"421 4.4.2 idle for too long\r\n")
        assert Keeper.kept == []


async def test_a_slow_but_steady_message_is_taken() -> None:
    async with keeping(limits=Limits(idle_seconds=0.3)) as server:
        pieces = [(b"y" * 98 + b"\r\n") * 200] * 12
        assert b"250 2.0.0 ok" in await say(server, OPEN, *pieces, b".\r\n", pause=0.05)
        assert len(Keeper.kept) == 1 and not server.held_bytes


async def test_many_messages_at_once_do_not_fill_the_memory() -> None:
    async with keeping(limits=Limits(held_bytes=150_000)) as server:
        first = await asyncio.open_connection("127.0.0.1", server.port)
        first[1].write(OPEN + b"x" * 100_000)
        while not server.held_bytes:
            await asyncio.sleep(0.01)
        assert b"421 4.3.1" in await say(server, OPEN, b"x" * 100_000)
        first[1].write(b"\r\n" + b"QUIT\r\n")
        first[1].close()
        while server.held_bytes:
            await asyncio.sleep(0.01)
        assert b"250 2.0.0 ok" in await say(server, OPEN, (b"y" * 98 + b"\r\n") * 1000 + b".\r\n")


async def test_who_reads_no_replies_is_cut_off() -> None:
    async with keeping(limits=Limits(idle_seconds=0.3, idle_commands=10**6)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"EHLO me\r\n" * 60_000)
        while not server.sessions:
            await asyncio.sleep(0.01)
        while server.sessions:
            await asyncio.sleep(0.05)
        writer.transport.abort()
        assert not reader.at_eof()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:<a@a.test>\r\n", b"503"),
        (b"EHLO me\r\nRCPT TO:<b@b.test>\r\n", b"503"),
        (b"EHLO me\r\nDATA\r\n", b"503"),
        (b"EHLO me\r\nMAIL FROM:a@a.test\r\n", b"501"),
        (b"EHLO me\r\nMAIL FROM:<a@a.test> SMTPUTF8\r\n", b"555"),
        (b"EHLO me\r\nMAIL FROM:<\xc3\xbc@a.test>\r\n", b"553"),
        (b"EHLO me\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<>\r\n", b"501"),
        (b"EHLO me\n", b"500"),
        (b"EHLO\r\n", b"501"),
        (b"STARTTLS\r\n", b"502"),
    ],
)
async def test_wrong_commands(line: bytes, code: bytes) -> None:
    async with keeping() as server:
        replies = (await say(server, line)).split(b"\r\n")
        assert replies[-3][:3] == code


@pytest.mark.parametrize(
    ("step", "answer", "expected", "stage"),
    [
        ("mail", Drop(), Deferred, Stage.MAIL),
        ("rcpt", Drop(), Deferred, None),
        ("data", Drop(), Deferred, None),
        ("data", Drop(body_bytes=20), Uncertain, None),
        ("message", Drop(), Uncertain, None),
        ("message", Reply(452, "4.3.1 full"), Deferred, Stage.DOT),
        ("mail", Reply(421, "4.7.0 slow down"), Deferred, Stage.MAIL),
    ],
)
async def test_hooks_answer_drop_and_defer(step: str, answer: Answer, expected: type, stage: Stage | None) -> None:
    async with keeping(**{step: answer}) as server:
        connection = await connect("127.0.0.1", server.port, tls="none")
        outcome = await connection.submit("a@a.test", "b@b.test", MESSAGE)
        assert isinstance(outcome, expected)
        if stage is not None:
            assert outcome.stage is stage
        connection.abort()


async def test_a_drop_at_connect_is_a_connect_error() -> None:
    async with keeping(connect=Drop()) as server:
        with pytest.raises(Exception, match="greeting"):
            await connect("127.0.0.1", server.port, tls="none")


@pytest.mark.parametrize(
    "scenario",
    [
        test_everything_in_one_write_and_byte_by_byte,
        test_limits_answer_with_a_code,
        test_a_drop_at_connect_is_a_connect_error,
        test_smtplib_delivers_to_several_recipients,
    ],
)
def test_the_same_on_uvloop(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    uvloop.run(scenario())
