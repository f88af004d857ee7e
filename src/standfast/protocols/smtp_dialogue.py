"""One client of an SMTP server: commands and messages in, replies out, in order. The server itself is `smtp_server`."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from .smtp_body import Chunked, Dotted, parse_chunk, too_large
from .smtp_outcome import Reply
from .smtp_session import Answer, Asked, Drop, Envelope, parse_path

if TYPE_CHECKING:
    from .smtp_server import Server

_BACKLOG_BYTES = 256 * 1024  # read no further while an answer is being thought about
PROGRESS_BYTES = 16 * 1024  # of a message, and the client is not idle
_LINGER_SECONDS = 1.0
_BAD_SEQUENCE = Reply(503, "5.5.1 bad sequence of commands")
_NO_RECIPIENTS = Reply(503, "5.5.1 no valid recipients")
_BAD_ARGUMENT = Reply(501, "5.5.4 syntax error in the argument")


class Session(asyncio.Protocol):
    """One client. Input is looked at only while no answer of the hooks is outstanding, so replies keep their order."""

    bad_path = _BAD_ARGUMENT

    def __init__(self, server: Server) -> None:
        self.server = server
        self.limits = server.limits
        self.loop = asyncio.get_running_loop()
        self.hooks = server.hooks()
        self.encrypted = False
        self._transport: Any = None
        self._buffer = bytearray()
        self._scanned = 0
        self._out: list[bytes] = []
        self._body: Dotted | Chunked | None = None  # reads the bytes of a message, where not commands are read
        self._chunks: Chunked | None = None  # of the transaction, from its first BDAT on
        self._held = 0
        self._since_touched = 0
        self._cut_after = 0
        self._waiting = False
        self._paused_writing = False
        self._paused_reading = False
        self._closing = False
        self._processing = False
        self._envelope: Envelope | None = None
        self._errors = 0
        self._idle_commands = 0
        self._task: asyncio.Task[None] | None = None
        self._next_line: Callable[[str], None] | None = None  # who takes a line that is no command
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._verbs: dict[bytes, Callable[[str], None]] = {
            b"EHLO": self._ehlo,
            b"HELO": self._helo,
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"BDAT": self._bdat,
            b"RSET": self._rset,
            b"NOOP": lambda argument: self._idle(Reply(250, "2.0.0 ok")),
            b"VRFY": lambda argument: self._idle(Reply(252, "2.5.0 send it and see")),
            b"QUIT": self._quit,
            b"STARTTLS": self._starttls,
        }

    # Transport

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        if self.encrypted:
            return
        self.encrypted = transport.get_extra_info("ssl_object") is not None
        peer = transport.get_extra_info("peername") or ("", 0)
        self.hooks.peer = (str(peer[0]), int(peer[1]))
        self._touch()
        if len(self.server.sessions) >= self.limits.connections:
            self._say(Reply(421, "4.7.0 too many connections, try again later"))
            self._flush()
            return
        most = self.limits.connections_of_address
        if most and self.server.addresses[self.hooks.peer[0]] >= most:
            self._say(Reply(421, "4.7.0 too many connections from your address, try again later"))
            self._flush()
            return
        self.server.sessions.add(self)
        self.server.addresses[self.hooks.peer[0]] += 1
        self._ask(self.hooks.on_connect, self._greet)
        self._process()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        self._buffer += data
        self._since_touched += len(data)
        if self._body is not None and self._since_touched >= PROGRESS_BYTES:
            self._touch()
        if self._waiting or self._paused_writing:
            if len(self._buffer) > _BACKLOG_BYTES and not self._paused_reading:
                self._paused_reading = True
                self._transport.pause_reading()
        else:
            self._process()

    def connection_lost(self, error: Exception | None) -> None:
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._hold(0)
        if self in self.server.sessions:
            self.server.sessions.discard(self)
            address = self.hooks.peer[0]
            self.server.addresses[address] -= 1
            if not self.server.addresses[address]:
                del self.server.addresses[address]
            self.hooks.on_close()

    def pause_writing(self) -> None:
        self._paused_writing = True

    def resume_writing(self) -> None:
        self._paused_writing = False
        self._process()

    def shut_down(self) -> None:
        """The server stops: an idle client hears 421; a message under way is finished first."""
        if not self._waiting and self._envelope is None and not self._closing:
            self._say(Reply(421, "4.3.2 the server is shutting down"))
            self._flush()

    def cut(self) -> None:
        self._closing = True
        self._transport.abort()

    # The loop

    def _process(self) -> None:
        if self._processing:
            return
        self._processing = True
        while not (self._waiting or self._paused_writing or self._closing):
            if not (self._take_body(self._body) if self._body is not None else self._take_command()):
                break
        self._processing = False
        self._flush()
        if self._paused_reading and not self._waiting and not self._closing:
            self._paused_reading = False
            self._transport.resume_reading()

    def _take_command(self) -> bool:
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._buffer)
            if self._scanned > self.limits.command_bytes:
                self._say(Reply(421, "4.5.2 the command line is too long"))
            return False
        self._touch()
        line = bytes(self._buffer[: end + 1])
        self._scanned = 0
        del self._buffer[: end + 1]
        if len(line) > self.limits.command_bytes:
            self._say(Reply(421, "4.5.2 the command line is too long"))
        elif not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            self._say(Reply(500, "5.5.2 command lines end with CRLF"))
        elif (refused := self._unreadable(line)) is not None:
            self._say(refused)
        elif self._next_line is not None:
            taker, self._next_line = self._next_line, None
            taker(line[:-2].decode())
        else:
            verb, _, argument = line[:-2].partition(b" ")
            handler = self._verbs.get(verb.upper())
            if handler is None:
                self._say(Reply(500, "5.5.2 unknown command"))
            else:
                handler(argument.decode().strip())
        return True

    def _unreadable(self, line: bytes) -> Reply | None:
        """Why a line cannot be read as text."""
        return None if line.isascii() else Reply(553, "5.6.7 addresses beyond ASCII are not supported (SMTPUTF8)")

    def _take_body(self, body: Dotted | Chunked) -> bool:
        if self._cut_after and len(self._buffer) + body.held > self._cut_after:
            self.cut()
            return False
        taken = body.take(self._buffer)
        if not self._hold(body.held + len(self._buffer) if taken is None else self._chunks.held if self._chunks else 0):
            self._say(Reply(421, "4.3.1 too much mail is coming in at once, try again later"))
            return False
        if taken is None:
            return False
        self._touch()
        self._body = None
        more = isinstance(taken, Reply) and taken.code < 300  # a chunk that is not the last
        if self._cut_after and not more:
            self.cut()
            return False
        if isinstance(taken, Reply):
            if not more:
                self._forget()
            self._say(taken)
            return not self._closing
        self._finish_message(taken)
        return True

    def _hold(self, count: int) -> bool:
        """Count the bytes of a message that is still coming in; False when all sessions together hold too many."""
        self.server.held_bytes += count - self._held
        grown, self._held = count > self._held, count
        return not grown or self.server.held_bytes <= self.limits.held_bytes

    def _finish_message(self, raw: bytes) -> None:
        envelope = self._envelope
        assert envelope is not None
        self._forget()
        self._idle_commands = 0
        self._ask(lambda: self.hooks.on_message(envelope, raw), self._say_or(Reply(250, "2.0.0 ok")))

    def _forget(self) -> None:
        """The transaction is over."""
        self._envelope = self._chunks = None
        self._hold(0)

    # Commands

    def _greet(self, answer: Reply | None) -> None:
        self._say(answer or Reply(220, f"{self.server.hostname} ESMTP"))

    def _ehlo(self, argument: str) -> None:
        self._introduce(argument, "\n".join([self.server.hostname, *self._extensions()]))

    def _helo(self, argument: str) -> None:
        self._introduce(argument, self.server.hostname)

    def _introduce(self, name: str, positive: str) -> None:
        if not name:
            self._say(_BAD_ARGUMENT)
            return
        if self._too_idle():
            return
        self._forget()
        self.hooks.helo = name
        self._ask(lambda: self.hooks.on_helo(name), self._say_or(Reply(250, positive)))

    def _extensions(self) -> list[str]:
        names = ["PIPELINING", f"SIZE {self.limits.message_bytes}", "8BITMIME", "CHUNKING", "ENHANCEDSTATUSCODES"]
        if self.server.ssl_context is not None and not self.encrypted:
            names.append("STARTTLS")
        return names

    def _mail(self, argument: str) -> None:
        if not self.hooks.helo or self._envelope is not None:
            self._say(_BAD_SEQUENCE)
            return
        parsed = parse_path(argument[5:]) if argument[:5].upper() == "FROM:" else None
        if parsed is None:
            self._say(self.bad_path)
            return
        sender, parameters = parsed
        size, body = parameters.pop("SIZE", "0"), parameters.pop("BODY", "7BIT").upper()
        self._parameters_of_mail(parameters)
        if parameters or body not in ("7BIT", "8BITMIME") or not size.isdecimal():
            self._say(Reply(555, "5.5.4 a parameter of MAIL is not supported"))
            return
        if int(size) > self.limits.message_bytes:
            self._say(too_large(self.limits.message_bytes))
            return

        def begin(answer: Reply | None) -> None:
            if answer is None or answer.code < 300:
                self._envelope = Envelope(sender, size_bytes=int(size))
            self._say(answer or Reply(250, "2.1.0 ok"))

        self._ask(lambda: self.hooks.on_mail(sender), begin)

    def _parameters_of_mail(self, parameters: dict[str, str]) -> None:
        """Take out of the parameters what an extension of a subclass understands."""

    def _rcpt(self, argument: str) -> None:
        envelope = self._envelope
        if envelope is None or self._chunks is not None:
            self._say(_BAD_SEQUENCE)
            return
        parsed = parse_path(argument[3:]) if argument[:3].upper() == "TO:" else None
        if parsed is None or not parsed[0] or parsed[1]:
            self._say(self.bad_path)
            return
        if len(envelope.recipients) >= self.limits.recipients:
            self._say(Reply(452, "4.5.3 too many recipients"))
            return
        recipient = parsed[0]

        def add(answer: Reply | None) -> None:
            if answer is None or answer.code < 300:
                envelope.recipients.append(recipient)
            self._say(answer or Reply(250, "2.1.5 ok"))

        self._ask(lambda: self.hooks.on_rcpt(envelope, recipient), add)

    def _data(self, argument: str) -> None:
        envelope = self._envelope
        if argument or envelope is None or not envelope.recipients or self._chunks is not None:
            self._say(_BAD_ARGUMENT if argument else _BAD_SEQUENCE if self._chunks is not None else _NO_RECIPIENTS)
            return

        def start(answer: Answer) -> None:
            if isinstance(answer, Drop):
                self._cut_after = answer.body_bytes
            elif answer is not None and answer.code != 354:
                self._say(answer)
                return
            self._body = Dotted(self.limits.message_bytes)
            self._buffer[:0] = b"\r\n"  # that of the command
            self._say(Reply(354, "end with CRLF.CRLF"))

        self._ask(lambda: self.hooks.on_data_start(envelope), start)

    def _bdat(self, argument: str) -> None:
        """A chunk's bytes follow the command whatever is answered, so they are read before a refusal is said."""
        chunk, envelope = parse_chunk(argument), self._envelope
        if chunk is None or chunk[0] > 4 * self.limits.message_bytes:
            self._say(Reply(421, "4.5.2 what follows this BDAT cannot be read: it takes a number of bytes, and LAST"))
            return
        if envelope is None or not envelope.recipients:
            self._read_chunk(Chunked(self.limits.message_bytes), *chunk, refusal=_NO_RECIPIENTS)
        elif self._chunks is not None:
            self._read_chunk(self._chunks, *chunk)
        else:
            chunks = self._chunks = Chunked(self.limits.message_bytes)

            def start(answer: Answer) -> None:
                if isinstance(answer, Drop):
                    self._cut_after, answer = answer.body_bytes, None
                self._read_chunk(chunks, *chunk, refusal=None if answer is None or answer.code == 354 else answer)

            self._ask(lambda: self.hooks.on_data_start(envelope), start)

    def _read_chunk(self, chunks: Chunked, size: int, last: bool, *, refusal: Reply | None = None) -> None:
        chunks.refusal = refusal
        chunks.begin(size, last=last)
        self._body = chunks

    def _rset(self, argument: str) -> None:
        if not self._too_idle():
            self._forget()
            self._say(Reply(250, "2.0.0 ok"))

    def _quit(self, argument: str) -> None:
        self._say(Reply(221, "2.0.0 goodbye"))
        self._close_politely()

    def _idle(self, reply: Reply) -> None:
        if not self._too_idle():
            self._say(reply)

    def _too_idle(self) -> bool:
        self._idle_commands += 1
        if self._idle_commands > self.limits.idle_commands:
            self._say(Reply(421, "4.7.0 too many commands without mail"))
            return True
        return False

    def _starttls(self, argument: str) -> None:
        context = self.server.ssl_context
        if context is None or self.encrypted:
            self._say(Reply(502, "5.5.1 not available"))
        elif argument:
            self._say(_BAD_ARGUMENT)
        elif self._buffer:
            # RFC 3207: nothing may follow in clear; what follows would be taken as if it had been encrypted.
            self._say(Reply(421, "4.7.0 no commands may follow STARTTLS"))
        else:
            self._say(Reply(220, "2.0.0 go ahead"))
            self._flush()
            self._waiting = True
            self._task = self.loop.create_task(self._upgrade(context))

    async def _upgrade(self, context: ssl.SSLContext) -> None:
        old = self._transport
        self.encrypted = True
        try:
            async with asyncio.timeout(30):
                transport = await self.loop.start_tls(old, self, context, server_side=True)
        except (OSError, TimeoutError):
            old.abort()
            return
        if transport is None:
            return
        self._transport = transport
        self.hooks.helo = ""
        self._forget()
        self._waiting = False
        self._process()

    # Answers

    def _ask(self, hook: Callable[[], Asked], then: Callable[[Any], None]) -> None:
        try:
            asked = hook()
        except Exception as error:
            self._failed(error)
            return
        if asked is None or isinstance(asked, Reply | Drop):
            self._apply(asked, then)
        else:
            self._waiting = True
            self._task = self.loop.create_task(self._answer_later(asked, then))

    async def _answer_later(self, asked: Awaitable[Answer], then: Callable[[Any], None]) -> None:
        try:
            answer = await asked
            self._waiting = False
            self._touch()
            if not self._closing:
                self._apply(answer, then)
        except Exception as error:
            self._waiting = False
            self._failed(error)
        self._process()

    def _apply(self, answer: Answer, then: Callable[[Any], None]) -> None:
        if isinstance(answer, Drop) and not answer.body_bytes:
            self.cut()
        else:
            then(answer)

    def _failed(self, error: Exception) -> None:
        self._say(Reply(451, "4.3.0 local error, try again later"))
        self.loop.call_exception_handler({"message": "a hook of the SMTP server failed", "exception": error})

    def _say_or(self, usual: Reply) -> Callable[[Reply | None], None]:
        return lambda answer: self._say(answer or usual)

    def _say(self, reply: Reply) -> None:
        lines = reply.text.split("\n")
        for line in lines[:-1]:
            self._out.append(f"{reply.code}-{line}\r\n".encode())
        self._out.append(f"{reply.code} {lines[-1]}\r\n".encode())
        if 500 <= reply.code < 504:
            self._errors += 1
            if self._errors > self.limits.errors:
                self._out.append(b"421 4.7.0 too many errors\r\n")
                self._close_politely()
        if reply.code == 421:
            self._close_politely()

    def _close_politely(self) -> None:
        """End after the last reply. What the client still sends is read and thrown away for a moment: closing with
        unread input would reset the connection, and the client might never see that reply."""
        self._closing = True
        self._flush()
        if self._transport.can_write_eof() and not self._transport.is_closing():
            with contextlib.suppress(OSError):  # the client was faster and is gone
                self._transport.write_eof()
            self._transport.resume_reading()
            self.loop.call_later(_LINGER_SECONDS, self._end)
        else:
            self._transport.close()

    def _end(self) -> None:
        """Close, or cut where the client does not even read the replies: closing waits until it has."""
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def _flush(self) -> None:
        if self._out:
            out = b"".join(self._out)
            self._out.clear()
            with contextlib.suppress(RuntimeError):  # the transport is closing
                self._transport.write(out)

    def _touch(self) -> None:
        self._since_touched = 0
        self._deadline = self.loop.time() + self.limits.idle_seconds
        if self._timer is None:
            self._timer = self.loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._closing:
            return
        if self._waiting:
            self._touch()
        elif self.loop.time() >= self._deadline:
            self._say(Reply(421, "4.4.2 idle for too long"))
        else:
            self._timer = self.loop.call_at(self._deadline, self._ring)
