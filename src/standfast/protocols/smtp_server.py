"""An SMTP server that knows the protocol and no policy: an owner's hooks decide (`smtp_session.SessionHooks`).

    server = await serve(host="127.0.0.1", port=8025, hooks=MyHooks, hostname="mx.example.org")

Strict where strictness protects: only CRLF.CRLF ends a message, and a message with a bare CR or LF is refused, so that
what this server reads and what the next one reads is the same mail. RFC 5321, RFC 1870, 2034, 2920, 3207, 6152.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from .smtp_outcome import Reply
from .smtp_session import Answer, Asked, Drop, Envelope, Limits, SessionHooks, body_fault, parse_path, unstuff

__all__ = ["Answer", "Asked", "Drop", "Envelope", "Limits", "Reply", "Server", "SessionHooks", "serve"]

_END = b"\r\n.\r\n"
_BACKLOG_BYTES = 256 * 1024  # read no further while an answer is being thought about
_LINGER_SECONDS = 1.0
_BAD_SEQUENCE = Reply(503, "5.5.1 bad sequence of commands")
_BAD_ARGUMENT = Reply(501, "5.5.4 syntax error in the argument")


class Server:
    """A listening server: `port`, `sessions`, `close()`."""

    def __init__(
        self,
        *,
        hooks: Callable[[], SessionHooks],
        hostname: str,
        limits: Limits,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self.hooks = hooks
        self.hostname = hostname
        self.limits = limits
        self.ssl_context = ssl_context
        self.sessions: set[Session] = set()
        self.listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self.listener is not None
        return int(self.listener.sockets[0].getsockname()[1])

    async def close(self, *, grace_seconds: float = 2) -> None:
        """Listen no more, tell idle clients 421, give messages under way `grace_seconds`, then cut."""
        if self.listener is not None:
            self.listener.close()
        for session in tuple(self.sessions):
            session.shut_down()
        deadline = asyncio.get_running_loop().time() + grace_seconds
        while self.sessions and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        for session in tuple(self.sessions):
            session.cut()


async def serve(
    *,
    host: str,
    port: int,
    hooks: Callable[[], SessionHooks],
    hostname: str = "localhost",
    limits: Limits | None = None,
    ssl_context: ssl.SSLContext | None = None,
    implicit_tls: bool = False,
    session: Callable[[Server], Session] | None = None,
    backlog: int = 512,
) -> Server:
    """Listen on host:port (0 picks a free port). hooks makes one object a session; ssl_context offers STARTTLS, or with
    implicit_tls is spoken from the first byte (RFC 8314). session: another class than Session (see `smtp_submission`)."""
    server = Server(hooks=hooks, hostname=hostname, limits=limits or Limits(), ssl_context=ssl_context)
    make, tls = session or Session, ssl_context if implicit_tls else None
    loop = asyncio.get_running_loop()
    server.listener = await loop.create_server(lambda: make(server), host, port, backlog=backlog, ssl=tls)
    return server


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
        self._reading_data = False
        self._oversize_bytes = 0
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
            b"RSET": self._rset,
            b"NOOP": lambda argument: self._say(Reply(250, "2.0.0 ok")),
            b"VRFY": lambda argument: self._say(Reply(252, "2.5.0 send it and see")),
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
        self.server.sessions.add(self)
        self._ask(self.hooks.on_connect, self._greet)
        self._process()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        self._buffer += data
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
        if self in self.server.sessions:
            self.server.sessions.discard(self)
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
            if not (self._take_data() if self._reading_data else self._take_command()):
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

    def _take_data(self) -> bool:
        buffer = self._buffer
        end = buffer.find(_END, max(0, self._scanned - len(_END) + 1))
        if self._cut_after and len(buffer) > self._cut_after:
            self.cut()
            return False
        if end < 0:
            if len(buffer) > self.limits.message_bytes + 2:
                self._oversize_bytes += len(buffer)
                if self._oversize_bytes > 4 * self.limits.message_bytes:
                    self._say(Reply(421, "4.3.4 far too large"))
                    return False
                del buffer[: -len(_END)]
            self._scanned = len(buffer)
            return False
        body = buffer[: end + 2]
        del buffer[: end + len(_END)]
        self._scanned = 0
        self._reading_data = False
        self._finish_message(body)
        return True

    def _finish_message(self, body: bytearray) -> None:
        envelope, self._envelope = self._envelope, None
        assert envelope is not None
        if self._cut_after:
            self.cut()
            return
        if self._oversize_bytes or len(body) > self.limits.message_bytes + 2:
            self._oversize_bytes = 0
            self._say(Reply(552, f"5.3.4 the message has more than {self.limits.message_bytes} bytes"))
            return
        fault = body_fault(body)
        if fault is not None:
            self._say(fault)
            return
        raw = unstuff(body)
        self._idle_commands = 0
        self._ask(lambda: self.hooks.on_message(envelope, raw), self._say_or(Reply(250, "2.0.0 ok")))

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
        self._envelope = None
        self.hooks.helo = name
        self._ask(lambda: self.hooks.on_helo(name), self._say_or(Reply(250, positive)))

    def _extensions(self) -> list[str]:
        names = ["PIPELINING", f"SIZE {self.limits.message_bytes}", "8BITMIME", "ENHANCEDSTATUSCODES"]
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
            self._say(Reply(552, f"5.3.4 the message has more than {self.limits.message_bytes} bytes"))
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
        if envelope is None:
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
        if argument or envelope is None or not envelope.recipients:
            self._say(_BAD_ARGUMENT if argument else Reply(503, "5.5.1 no valid recipients"))
            return

        def start(answer: Answer) -> None:
            if isinstance(answer, Drop):
                self._cut_after = answer.body_bytes
            elif answer is not None and answer.code != 354:
                self._say(answer)
                return
            self._reading_data = True
            self._buffer[:0] = b"\r\n"  # that of the command: with it, an empty message also ends with CRLF.CRLF
            self._scanned = 0
            self._say(Reply(354, "end with CRLF.CRLF"))

        self._ask(lambda: self.hooks.on_data_start(envelope), start)

    def _rset(self, argument: str) -> None:
        if not self._too_idle():
            self._envelope = None
            self._say(Reply(250, "2.0.0 ok"))

    def _quit(self, argument: str) -> None:
        self._say(Reply(221, "2.0.0 goodbye"))
        self._close_politely()

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
        self._envelope = None
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
            self.loop.call_later(_LINGER_SECONDS, self._transport.close)
        else:
            self._transport.close()

    def _flush(self) -> None:
        if self._out:
            out = b"".join(self._out)
            self._out.clear()
            with contextlib.suppress(RuntimeError):  # the transport is closing
                self._transport.write(out)

    def _touch(self) -> None:
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
