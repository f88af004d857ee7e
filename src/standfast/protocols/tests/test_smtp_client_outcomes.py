"""The client against servers that fail at each step: each message gets exactly the outcome that is known."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine

import pytest
import uvloop

from standfast.protocols.smtp_client import (
    Accepted,
    Connection,
    Deferred,
    Refused,
    SmtpConnectError,
    Stage,
    Timeouts,
    Uncertain,
    connect,
)

MESSAGE = b"From: a@a.test\r\nSubject: hi\r\n\r\nhello\r\n"
EHLO = b"250-peer\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n"
Step = bytes | str | None


class Script:
    """A server that answers from a table: verb -> list of replies, one a call, the last for ever; "cut" cuts."""

    def __init__(
        self, replies: dict[str, list[Step]], *, ehlo: bytes = EHLO, greeting: bytes = b"220 peer\r\n"
    ) -> None:
        usual: dict[str, list[Step]] = {
            "EHLO": [ehlo],
            "MAIL": [b"250 ok\r\n"],
            "RCPT": [b"250 ok\r\n"],
            "DATA": [b"354 go\r\n"],
            "DOT": [b"250 2.0.0 kept\r\n"],
            "RSET": [b"250 ok\r\n"],
            "QUIT": [b"221 bye\r\n"],
        }
        self.replies = {**usual, **replies}
        self.greeting = greeting
        self.verbs: list[str] = []
        self.bodies: list[bytes] = []
        self.port = 0

    async def __aenter__(self) -> Script:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def connect(self, **settings: object) -> Connection:
        return await connect("127.0.0.1", self.port, tls="none", **settings)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.greeting)
        try:
            while line := await reader.readline():
                verb = line[:4].decode().strip().upper()
                if not await self._answer(verb, writer):
                    return
                if verb == "DATA" and self.last.startswith(b"354"):
                    body = await _until_dot(reader)
                    self.bodies.append(body)
                    if not await self._answer("DOT", writer):
                        return
                if verb == "QUIT":
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def _answer(self, verb: str, writer: asyncio.StreamWriter) -> bool:
        self.verbs.append(verb)
        table = self.replies.get(verb, [b"500 what\r\n"])
        step = table.pop(0) if len(table) > 1 else table[0]
        if step == "cut":
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.transport.close()
            return False
        if step is None:  # silence
            await asyncio.Event().wait()
        self.last = step if isinstance(step, bytes) else b""
        writer.write(self.last)
        await writer.drain()
        return not self.last.startswith(b"421")


async def _until_dot(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while (line := await reader.readline()) not in (b".\r\n", b""):
        body += line
    return body


async def three(script: Script, **settings: object) -> list[object]:
    connection = await script.connect(**settings)
    submitted = [connection.submit("b-1@b.test", f"r{n}@r.test", MESSAGE) for n in range(3)]
    outcomes = await asyncio.gather(*submitted)
    await connection.quit()
    return list(outcomes)


async def test_three_messages_share_a_connection_and_end_with_quit() -> None:
    async with Script({}) as script:
        assert await three(script) == [Accepted(250, "2.0.0 kept")] * 3
        assert script.verbs == ["EHLO", *["MAIL", "RCPT", "DATA", "DOT"] * 3, "QUIT"]
        assert script.bodies == [MESSAGE] * 3


async def test_without_pipelining_every_command_waits() -> None:
    async with Script({"RCPT": [b"550 5.1.1 nobody\r\n", b"250 ok\r\n"]}, ehlo=b"250 peer\r\n") as script:
        outcomes = await three(script)
        assert outcomes[0] == Refused(550, "5.1.1", "nobody", Stage.RCPT)
        assert outcomes[1:] == [Accepted(250, "2.0.0 kept")] * 2
        assert script.verbs[:4] == ["EHLO", "MAIL", "RCPT", "RSET"]


@pytest.mark.parametrize(
    ("verb", "reply", "expected"),
    [
        ("MAIL", b"451 4.3.0 later\r\n", Deferred(451, "4.3.0", "later", Stage.MAIL)),
        ("RCPT", b"550-5.1.1 no\r\n550 5.1.1 body\r\n", Refused(550, "5.1.1", "no body", Stage.RCPT)),
        ("DATA", b"554 5.7.1 not you\r\n", Refused(554, "5.7.1", "not you", Stage.DATA)),
        ("DOT", b"452 4.2.2 full\r\n", Deferred(452, "4.2.2", "full", Stage.DOT)),
        ("DOT", b"550 spam\r\n", Refused(550, "", "spam", Stage.DOT)),
    ],
)
async def test_a_failed_message_does_not_harm_the_next(verb: str, reply: bytes, expected: object) -> None:
    usual = {"MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n", "DATA": b"354 go\r\n", "DOT": b"250 2.0.0 kept\r\n"}
    replies: dict[str, list[Step]] = {verb: [reply, usual[verb]]}
    if verb in ("MAIL", "RCPT"):
        replies["DATA"] = [b"503 5.5.1 no valid recipients\r\n", b"354 go\r\n"]
    async with Script(replies) as script:
        assert await three(script) == [expected, *[Accepted(250, "2.0.0 kept")] * 2]
        assert ("RSET" in script.verbs) == (verb != "DOT")


async def test_data_accepted_without_a_recipient_is_ended_with_an_empty_message() -> None:
    async with Script({"RCPT": [b"550 no\r\n", b"250 ok\r\n"]}) as script:
        outcomes = await three(script)
        assert outcomes == [Refused(550, "", "no", Stage.RCPT), *[Accepted(250, "2.0.0 kept")] * 2]
        assert script.bodies == [b"", MESSAGE, MESSAGE]


async def test_a_connection_cut_after_the_dot_makes_one_message_uncertain_and_no_other() -> None:
    async with Script({"DOT": [b"250 2.0.0 kept\r\n", "cut"]}) as script:
        first, second, third = await three(script)
        assert first == Accepted(250, "2.0.0 kept")
        assert isinstance(second, Uncertain)
        assert isinstance(third, Deferred)
        assert third.stage in (Stage.MAIL, Stage.QUEUED)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_connection_cut_before_the_dot_defers_everything(verb: str) -> None:
    async with Script({verb: ["cut"]}) as script:
        outcomes = await three(script)
        assert [type(outcome) for outcome in outcomes] == [Deferred] * 3
        assert [outcome.stage for outcome in outcomes][1:] == [Stage.QUEUED] * 2


async def test_421_after_the_dot_defers_that_message_and_ends_the_session() -> None:
    async with Script({"DOT": [b"421 4.7.0 too many\r\n"]}) as script:
        first, second, third = await three(script)
        assert first == Deferred(421, "4.7.0", "too many", Stage.DOT)
        assert isinstance(second, Deferred)
        assert isinstance(third, Deferred)
        assert third.code == 421


async def test_silence_after_the_dot_is_uncertain_and_before_it_deferred() -> None:
    timeouts = Timeouts(dot_seconds=0.1, command_seconds=0.1, data_start_seconds=0.1)
    async with Script({"DOT": [None]}) as script:
        first, second, _ = await three(script, timeouts=timeouts)
        assert isinstance(first, Uncertain)
        assert isinstance(second, Deferred)
    async with Script({"DATA": [None]}) as script:
        assert {type(outcome) for outcome in await three(script, timeouts=timeouts)} == {Deferred}


async def test_a_reply_that_drips_is_late_all_the_same() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 peer\r\n")
        await reader.readline()
        with contextlib.suppress(OSError):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    with pytest.raises(SmtpConnectError) as caught:
        port = server.sockets[0].getsockname()[1]
        await connect("127.0.0.1", port, tls="none", timeouts=Timeouts(command_seconds=0.2))
    server.close()
    assert "in time" in caught.value.text


async def test_nonsense_after_the_dot_is_uncertain() -> None:
    for reply in (b"hello there\r\n", b"354 again\r\n", b"2" * 70_000):
        async with Script({"DOT": [reply]}) as script:
            first, second, _ = await three(script)
            assert isinstance(first, Uncertain)
            assert isinstance(second, Deferred)


async def test_a_journal_that_fails_keeps_the_dot_unsaid() -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    async with Script({}) as script:
        connection = await script.connect()
        outcome = await connection.submit("a@a.test", "b@b.test", MESSAGE, full)
        assert isinstance(outcome, Deferred)
        assert "No space left" in outcome.text
        assert script.bodies in ([], [b""])
        assert not connection.usable


async def test_on_dot_comes_before_the_message_reaches_the_server() -> None:
    async with Script({}) as script:
        connection = await script.connect()
        seen: list[int] = []
        await connection.submit("a@a.test", "b@b.test", MESSAGE, lambda: seen.append(len(script.bodies)))
        await connection.submit("a@a.test", "b@b.test", MESSAGE, lambda: seen.append(len(script.bodies)))
        assert seen == [0, 1]
        await connection.quit()


async def test_a_large_message_arrives_whole_and_dots_are_stuffed() -> None:
    large = b"Subject: x\r\n\r\n.first\r\n" + b"..two dots and more text\r\n" * 40_000
    async with Script({}, ehlo=b"250-peer\r\n250 PIPELINING\r\n") as script:
        connection = await script.connect()
        assert isinstance(await connection.submit("a@a.test", "b@b.test", large), Accepted)
        stuffed = large.replace(b"\r\n.", b"\r\n..")
        assert script.bodies == [stuffed]
        await connection.quit()


@pytest.mark.parametrize("body_lines", [10, 40_000])
async def test_a_message_in_pieces_arrives_as_one(body_lines: int) -> None:
    head, body = b"Subject: x\r\n\r\n", b"some text\r\n" * body_lines
    async with Script({}, ehlo=b"250-peer\r\n250 PIPELINING\r\n") as script:
        connection = await script.connect()
        heard: list[object] = []
        connection.push("a@a.test", "b@b.test", (head, body), on_outcome=heard.append, wire_ready=True)
        await connection.drained()
        assert isinstance(heard[0], Accepted)
        assert script.bodies == [head + body]
        await connection.quit()


@pytest.mark.parametrize(
    ("sender", "recipient", "message", "enhanced"),
    [
        ("a@a.test", "b@b.test>\r\nRCPT TO:<evil@x.test", MESSAGE, "5.1.3"),
        ("a@a.test", "b@b.test> NOTIFY=NEVER", MESSAGE, "5.1.3"),
        ("a@a.test", "jürgen@b.test", MESSAGE, "5.1.3"),
        ("a b@a.test", "b@b.test", MESSAGE, "5.1.7"),
        ("a@a.test", "", MESSAGE, "5.1.3"),
        ("a@a.test", "b@b.test", MESSAGE + b"x" * 1_000_000, "5.3.4"),
        ("a@a.test", "b@b.test", MESSAGE + "ü\r\n".encode(), "5.6.3"),
    ],
)
async def test_what_cannot_be_sent_is_refused_here(sender: str, recipient: str, message: bytes, enhanced: str) -> None:
    async with Script({}) as script:
        connection = await script.connect()
        outcome = await connection.submit(sender, recipient, message)
        assert isinstance(outcome, Refused)
        assert outcome.enhanced == enhanced
        assert script.verbs == ["EHLO"]
        connection.abort()


async def test_a_closed_connection_defers_at_once() -> None:
    async with Script({}) as script:
        connection = await script.connect()
        connection.abort("enough")
        outcome = await connection.submit("a@a.test", "b@b.test", MESSAGE)
        assert isinstance(outcome, Deferred)
        assert outcome.stage is Stage.QUEUED


@pytest.mark.parametrize(
    ("script", "stage", "permanent"),
    [
        (lambda: Script({}, greeting=b"554 5.7.1 go away\r\n"), Stage.GREETING, True),
        (lambda: Script({}, greeting=b"421 4.3.2 busy\r\n"), Stage.GREETING, False),
        (lambda: Script({}, greeting=b"SSH-2.0-OpenSSH\r\n"), Stage.GREETING, False),
        (lambda: Script({"EHLO": ["cut"]}), Stage.EHLO, False),
        (lambda: Script({"EHLO": [b"450 no\r\n"]}), Stage.EHLO, False),
    ],
)
async def test_a_session_that_does_not_come_about_says_where(
    script: Callable[[], Script], stage: Stage, permanent: bool
) -> None:
    async with script() as peer:
        with pytest.raises(SmtpConnectError) as caught:
            await peer.connect()
        assert (caught.value.stage, caught.value.permanent) == (stage, permanent)


async def test_nobody_listening_is_temporary() -> None:
    async with Script({}) as script:
        port = script.port
    with pytest.raises(SmtpConnectError) as caught:
        await connect("127.0.0.1", port, tls="none")
    assert caught.value.stage is Stage.CONNECT
    assert not caught.value.permanent


async def test_an_old_server_is_greeted_with_helo() -> None:
    async with Script({"EHLO": [b"502 what\r\n"], "HELO": [b"250 hi\r\n"]}) as script:
        assert await three(script) == [Accepted(250, "2.0.0 kept")] * 3


async def test_data_in_clear_after_starttls_is_not_believed() -> None:
    ehlo = b"250-peer\r\n250 STARTTLS\r\n"
    for injected in (b"220 go\r\n250 injected\r\n", b"220 go\r\n250-part"):
        async with Script({"STAR": [injected]}, ehlo=ehlo) as script:
            for mode in ("opportunistic", "required"):
                with pytest.raises(SmtpConnectError) as caught:
                    await connect("127.0.0.1", script.port, tls=mode)
                assert caught.value.stage is Stage.STARTTLS


async def test_required_tls_is_required() -> None:
    async with Script({}) as script:
        with pytest.raises(SmtpConnectError) as caught:
            await connect("127.0.0.1", script.port, tls="required")
        assert (caught.value.stage, caught.value.permanent) == (Stage.STARTTLS, True)


@pytest.mark.parametrize(
    "scenario",
    [
        test_three_messages_share_a_connection_and_end_with_quit,
        test_without_pipelining_every_command_waits,
        test_data_accepted_without_a_recipient_is_ended_with_an_empty_message,
        test_a_connection_cut_after_the_dot_makes_one_message_uncertain_and_no_other,
        test_421_after_the_dot_defers_that_message_and_ends_the_session,
        test_silence_after_the_dot_is_uncertain_and_before_it_deferred,
        test_nonsense_after_the_dot_is_uncertain,
        test_a_journal_that_fails_keeps_the_dot_unsaid,
        test_a_large_message_arrives_whole_and_dots_are_stuffed,
        test_data_in_clear_after_starttls_is_not_believed,
    ],
)
def test_the_same_on_uvloop(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    uvloop.run(scenario())
