"""An SMTP session after its handshake: push messages as fast as the server allows, and know what became of each.

With PIPELINING (RFC 2920) the next message's MAIL, RCPT and DATA leave in the same write as the final dot of the one
before, so a message costs one round trip and about one write and one read. Exactly one message is between its final dot
and its reply at any time; when the connection breaks, only that one is uncertain.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

from .smtp_outcome import Accepted, Deferred, Outcome, Refused, Reply, Stage, Timeouts, Uncertain, split_enhanced
from .smtp_transaction import Offer, Transaction, wire_form

MAX_REPLY_BYTES = 64 * 1024
"""A reply longer than this is not a reply. Servers stay under 4 KB."""
CHUNK_BYTES = 128 * 1024
"""Larger messages are written in pieces, each when the transport has room, so that the dot waits for the body."""

_Handler = Callable[[int, bytes], None]


class Connection(asyncio.Protocol):
    """One SMTP session. Made by `smtp_client.connect`; not safe to use from another thread than its loop's."""

    def __init__(self, *, timeouts: Timeouts) -> None:
        self.loop = asyncio.get_running_loop()
        self.timeouts = timeouts
        self.extensions: dict[str, str] = {}
        self.encrypted = False
        self.offer = Offer.of({})
        self._pipelining = False
        self._transport: Any = None  # uvloop's transports are not subclasses of asyncio.Transport
        self._rest = b""
        self._lines: list[bytes] = []
        self._lines_bytes = 0
        self._expected: deque[tuple[_Handler, float]] = deque()
        self._waiting: deque[Transaction] = deque()
        self._open: Transaction | None = None
        self._dotted: Transaction | None = None
        self._reset_needed = False
        self._paused = False
        self._writing_body = False
        self._leaving = False
        self._lost: str | None = None
        self._answered = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._idle_waiters: list[asyncio.Future[None]] = []
        seconds = timeouts.command_seconds
        # The greeting may come before anybody asks for it.
        self.greeting = self._expect(timeouts.greeting_seconds)
        self._group_replies: tuple[tuple[_Handler, float], ...] = (
            (self._on_mail, seconds),
            (self._on_rcpt, seconds),
            (self._on_data, timeouts.data_start_seconds),
        )
        self._dot_reply: tuple[_Handler, float] = (self._on_dot_reply, timeouts.dot_seconds)
        self._rset_reply: tuple[_Handler, float] = (self._on_rset, seconds)

    # The caller's side

    @property
    def usable(self) -> bool:
        """Whether a message submitted now has a chance."""
        return self._lost is None and not self._leaving

    @property
    def pending(self) -> int:
        """Messages submitted whose outcome is not known yet. Two keep the pipeline full; more only wait."""
        return len(self._waiting) + (self._open is not None) + (self._dotted is not None)

    def submit(
        self,
        sender: str,
        recipient: str,
        message: bytes,
        on_dot: Callable[[], None] | None = None,
    ) -> asyncio.Future[Outcome]:
        """Send one message to one recipient; the future always gets an Outcome, never an exception.

        sender, recipient: addresses without angle brackets, ASCII; sender "" is the null sender of a DSN.
        message: complete, CRLF lines; dots are stuffed here where needed (RFC 5321 section 4.5.2).
        on_dot: called immediately before the bytes with the final dot are handed to the socket: write the journal
        there. If it raises, the dot is not written, the connection is dropped and the outcome is Deferred.
        """
        future: asyncio.Future[Outcome] = self.loop.create_future()

        def resolve(outcome: Outcome) -> None:
            if not future.done():
                future.set_result(outcome)

        self.push(sender, recipient, (message,), on_dot=on_dot, on_outcome=resolve)
        return future

    def push(
        self,
        sender: str,
        recipient: str,
        pieces: tuple[bytes, ...],
        *,
        on_outcome: Callable[[Outcome], None],
        on_dot: Callable[[], None] | None = None,
        wire_ready: bool = False,
    ) -> None:
        """Like submit, with a callback instead of a future; it may push the next message, without a task switch.

        pieces: the message, whole or in pieces that leave as they are, one behind the other, without being copied.
        wire_ready=True promises 7-bit text in CRLF lines of which none starts with "." and the last is ended; it saves
        looking through the message three times (20 us for 45 KB).
        The callback comes at once where the outcome is known at once (connection closed, not an address): look at
        `usable` before you push from it.
        """
        if self._lost is not None or self._leaving:
            on_outcome(Deferred(0, "", f"connection is closed: {self._lost or 'quitting'}", Stage.QUEUED))
            return
        seven_bit = wire_ready or all(piece.isascii() for piece in pieces)
        size_bytes = sum(map(len, pieces))
        problem = self.offer.problem(sender, recipient, size_bytes=size_bytes, seven_bit=seven_bit)
        if problem is not None:
            on_outcome(problem)
            return
        group = self.offer.commands(sender, recipient, size_bytes=size_bytes, seven_bit=seven_bit)
        if not wire_ready:
            pieces = (wire_form(b"".join(pieces)),)
            size_bytes = len(pieces[0])
        self._waiting.append(Transaction(group, pieces, size_bytes, on_dot, on_outcome))
        if self._open is None:
            self._write(self._start_next())

    async def drained(self) -> None:
        """Wait until every message submitted so far has its outcome."""
        if self.pending:
            waiter: asyncio.Future[None] = self.loop.create_future()
            self._idle_waiters.append(waiter)
            await waiter

    async def quit(self) -> None:
        """Wait for outstanding outcomes, say QUIT, give the server a moment to answer, close. Never raises."""
        await self.drained()
        if self.usable:
            self._leaving = True
            with contextlib.suppress(TimeoutError, ConnectionError):
                await asyncio.wait_for(self.command(b"QUIT\r\n"), self.timeouts.quit_seconds)
        self.abort("closed by us")

    def abort(self, reason: str = "closed by us") -> None:
        """Drop the connection now; outstanding messages get their honest outcome."""
        self._fail(reason)

    async def command(self, line: bytes) -> Reply:
        """Send one command and wait for its reply; for the handshake.

        Raises ConnectionError when the connection is lost first.
        """
        if self._lost is not None:
            raise ConnectionError(self._lost)
        future = self._expect(self.timeouts.command_seconds)
        self._transport.write(line)
        self._arm(self._expected[0][1])
        return await future

    def _expect(self, seconds: float) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = self.loop.create_future()

        def answered(code: int, text: bytes) -> None:
            if not future.done():
                if code < 0:  # told by _fail
                    future.set_exception(ConnectionError(text.decode()))
                else:
                    future.set_result(Reply(code, text.decode("utf-8", "replace")))

        self._expected.append((answered, seconds))
        return future

    def set_extensions(self, extensions: dict[str, str]) -> None:
        """Take over what EHLO announced: keyword in upper case to its parameters (RFC 5321 section 4.1.1.1)."""
        self.extensions = extensions
        self.offer = Offer.of(extensions)
        self._pipelining = self.offer.pipelining

    @property
    def unread_bytes(self) -> int:
        """Bytes received that no command has asked for (STARTTLS must not be followed by any)."""
        return len(self._rest) + self._lines_bytes

    # Before a message leaves

    def _start_next(self) -> bytes:
        """The bytes that open the next waiting transaction, with their replies expected; b"" when none waits."""
        if not self._waiting or self._leaving:
            return b""
        # Without pipelining nothing may follow the dot before its reply.
        if self._dotted is not None and not self._pipelining:
            return b""
        transaction = self._open = self._waiting.popleft()
        transaction.stage = Stage.MAIL
        command = transaction.group[0]
        if self._reset_needed and self._pipelining:
            self._reset_needed = False
            self._expected.append(self._rset_reply)
            command = b"RSET\r\n" + command
        elif self._reset_needed:
            self._expected.append(self._rset_reply)  # MAIL follows when it is answered
            return b"RSET\r\n"
        if self._pipelining:
            self._expected.extend(self._group_replies)
        else:
            self._expected.append(self._group_replies[0])
        return command

    def _write(self, data: bytes) -> None:
        if data:
            self._transport.write(data)
            self._arm(self._expected[0][1])

    # Replies to commands

    def _on_rset(self, code: int, text: bytes) -> None:
        if not 200 <= code < 300:
            self._fail(f"RSET was refused: {code} {text.decode('utf-8', 'replace')}")
        elif self._reset_needed and self._open is not None:  # step by step
            self._reset_needed = False
            self._expected.append(self._group_replies[0])
            self._write(self._open.group[0])

    def _on_mail(self, code: int, text: bytes) -> None:
        self._on_step(code, text, Stage.MAIL, 1)

    def _on_rcpt(self, code: int, text: bytes) -> None:
        self._on_step(code, text, Stage.RCPT, 2)

    def _on_step(self, code: int, text: bytes, stage: Stage, following: int) -> None:
        transaction = self._open
        assert transaction is not None
        if 200 <= code < 300:
            transaction.stage = stage
            if not self._pipelining:
                self._expected.append(self._group_replies[following])
                self._write(transaction.group[following])
            return
        if transaction.failure is None:
            transaction.failure = self._failure(code, text, stage)
        if not self._pipelining:
            self._give_up_open()

    def _on_data(self, code: int, text: bytes) -> None:
        transaction = self._open
        assert transaction is not None
        if code == 354:
            transaction.stage = Stage.BODY
            if transaction.failure is None:
                self._send_body()
            else:
                # RFC 2920 section 3.1: DATA was accepted although no recipient was; end it with an empty message.
                self._expected.append((self._on_empty_reply, self.timeouts.dot_seconds))
                self._write(b".\r\n")
            return
        if transaction.failure is None:
            transaction.failure = self._failure(code, text, Stage.DATA)
        self._give_up_open()

    def _on_empty_reply(self, code: int, text: bytes) -> None:
        self._give_up_open()

    def _give_up_open(self) -> None:
        """The open transaction failed before its dot: tell, and clear the server's buffers before the next (RSET)."""
        transaction = self._open
        assert transaction is not None and transaction.failure is not None
        self._open = None
        self._reset_needed = True
        self._tell(transaction, transaction.failure)
        if self._open is None and self._lost is None:
            self._write(self._start_next())

    def _failure(self, code: int, text: bytes, stage: Stage) -> Deferred | Refused:
        enhanced, words = split_enhanced(text.decode("utf-8", "replace"))
        if 500 <= code < 600:
            return Refused(code, enhanced, words, stage)
        return Deferred(code, enhanced, words, stage)

    # Body and dot

    def _send_body(self) -> None:
        transaction = self._open
        assert transaction is not None
        if transaction.size_bytes <= CHUNK_BYTES and not self._paused:
            self._finish_body(transaction, transaction.pieces)
        else:
            transaction.pieces = (b"".join(transaction.pieces),)
            self._writing_body = True
            self._write_chunks(transaction)

    def _write_chunks(self, transaction: Transaction) -> None:
        message = transaction.pieces[0]
        self._arm(self.timeouts.data_block_seconds)
        while not self._paused and self._lost is None:
            offset, transaction.offset = transaction.offset, transaction.offset + CHUNK_BYTES
            if transaction.offset >= len(message):
                self._writing_body = False
                self._finish_body(transaction, (message[offset:],))
                return
            self._transport.write(message[offset : transaction.offset])

    def _finish_body(self, transaction: Transaction, last: tuple[bytes, ...]) -> None:
        if transaction.on_dot is not None:
            try:
                transaction.on_dot()
            except Exception as error:
                self._fail(f"the message could not be noted before its final dot: {error!r}")
                return
        # From here on the outcome is open until the server answers.
        transaction.stage = Stage.DOT
        self._dotted, self._open = transaction, None
        self._expected.append(self._dot_reply)
        following = self._start_next()
        self._transport.writelines((*last, b".\r\n" + following))
        self._arm(self.timeouts.dot_seconds)

    def _on_dot_reply(self, code: int, text: bytes) -> None:
        transaction = self._dotted
        assert transaction is not None
        self._dotted = None
        if 200 <= code < 300:
            self._tell(transaction, Accepted(code, text.decode("utf-8", "replace")))
        elif 400 <= code < 600:
            self._tell(transaction, self._failure(code, text, Stage.DOT))
        else:
            self._dotted = transaction
            self._fail(f"unintelligible reply to the final dot: {code} {text[:200]!r}")
            return
        if self._open is None and self._lost is None:
            self._write(self._start_next())

    def _tell(self, transaction: Transaction, outcome: Outcome) -> None:
        try:
            transaction.on_outcome(outcome)
        except Exception as error:  # the caller's mistake must not cost the other messages their outcome
            context = {"message": "an outcome could not be handled", "exception": error, "outcome": outcome}
            self.loop.call_exception_handler(context)
        if self._idle_waiters and not self.pending:
            waiters, self._idle_waiters = self._idle_waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    # The transport's side

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._arm(self.timeouts.greeting_seconds)

    @property
    def transport(self) -> Any:
        return self._transport

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if self._lost is not None:
                return
            self._on_line(line)
        if len(self._rest) + self._lines_bytes > MAX_REPLY_BYTES:
            self._fail(f"the server sent a reply of more than {MAX_REPLY_BYTES} bytes")
        elif self._answered and self._expected and not self._writing_body:
            # Only a whole reply earns the next one its time: a server that drips bytes would hold us for days.
            self._answered = False
            self._arm(self._expected[0][1])

    def _on_line(self, line: bytes) -> None:
        if b"\0" in line:  # RFC 5321 section 4.2 has none in replies, and neither databases nor logs want one
            line = line.replace(b"\0", b"?")
        digits = line[:3]
        text = line[4:].rstrip(b"\r")
        mark = line[3:4]
        if not (digits.isdigit() and mark in b" -\r" and b"199" < digits < b"600"):
            self._fail(f"the server sent what is no SMTP reply: {line[:100]!r}")
            return
        if mark == b"-":
            self._lines.append(text)
            self._lines_bytes += len(line)
            return
        if self._lines:
            self._lines.append(text)
            text = b"\n".join(self._lines)
            self._lines = []
            self._lines_bytes = 0
        self._on_reply(int(digits), text)

    def _on_reply(self, code: int, text: bytes) -> None:
        self._answered = True
        if not self._expected:
            words = text.decode("utf-8", "replace")
            self._fail(f"the server closed: {code} {words}" if code == 421 else f"unasked reply: {code} {words[:200]}")
            return
        handler = self._expected.popleft()[0]
        if code == 421:
            # RFC 5321 section 3.8: the server is closing. The message this answers gets it; the others never started.
            self._leaving = True
            handler(code, text)
            self._fail(f"the server closed: 421 {text.decode('utf-8', 'replace')}", code=421)
        else:
            handler(code, text)

    def eof_received(self) -> bool:
        self._fail("the server closed the connection")
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"connection lost: {error}" if error else "connection lost")

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._writing_body and self._open is not None:
            self._write_chunks(self._open)

    # Ends

    def _fail(self, reason: str, *, code: int = 0) -> None:
        """End the session: what is past its dot is uncertain, everything else certainly was not delivered."""
        if self._lost is not None:
            return
        self._lost = reason
        self._writing_body = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
        expected, self._expected = self._expected, deque()
        dotted, self._dotted = self._dotted, None
        opened, self._open = self._open, None
        waiting, self._waiting = self._waiting, deque()
        if dotted is not None:
            self._tell(dotted, Uncertain(reason))
        if opened is not None:
            self._tell(opened, opened.failure or Deferred(code, "4.4.2", reason, opened.stage))
        for transaction in waiting:
            self._tell(transaction, Deferred(code, "4.4.2", reason, Stage.QUEUED))
        for handler, _ in expected:
            if getattr(handler, "__self__", None) is not self:  # a command() that still waits
                handler(-1, reason.encode())

    def _arm(self, seconds: float) -> None:
        """Give the server this long from now. The timer is lazy: set once, it looks at the deadline when it rings."""
        self._deadline = self.loop.time() + seconds
        if self._timer is None:
            self._timer = self.loop.call_at(self._deadline, self._ring)
        elif self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = self.loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if not self._expected and not self._writing_body:
            return
        if self.loop.time() >= self._deadline:
            self._fail("the server did not answer in time")
        else:
            self._timer = self.loop.call_at(self._deadline, self._ring)
