"""One connection: HTTP/1.1 over llhttp, answers in the order of the requests, a limit and a deadline on everything.

llhttp (by httptools) decides what is a request and where it ends, and is strict: a request with two lengths, a length
beside chunks or a broken line is refused and the connection closed, so that no proxy in front can read it otherwise.
Nothing here waits: an answer that promises storage is sent when the spool says that the event is on disk.
"""

import asyncio
from collections import deque
from math import inf
from typing import Any

import structlog
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url

from standfast.platform.spool import SpoolError
from standfast.services.tracker import replies
from standfast.services.tracker.connections import Connections
from standfast.services.tracker.replies import Refusal, Reply
from standfast.services.tracker.request import Request, agent_text

HEAD_BYTES_MAX = 16 * 1024
BODY_BYTES_MAX = 4096
MESSAGE_BYTES_MAX = 64 * 1024  # head and body as they come, chunks and trailers included
PIPELINED_MAX = 16
HEAD_SECONDS_MAX = 10.0
BODY_SECONDS_MAX = 10.0
IDLE_SECONDS_MAX = 60.0
UNREAD_SECONDS_MAX = 10.0  # for a client that does not take its answer
LINGER_SECONDS_MAX = 2.0
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_BETWEEN, _HEAD, _BODY = 0, 1, 2
_AGENT, _HOST, _LENGTH, _FORWARDED, _EXPECT, _CONNECTION = range(6)
_WANTED = {
    b"user-agent": _AGENT,
    b"host": _HOST,
    b"content-length": _LENGTH,
    b"x-forwarded-for": _FORWARDED,
    b"expect": _EXPECT,
    b"connection": _CONNECTION,
}

log = structlog.get_logger("tracker")


class Exchange:
    """A request that waits for its answer; the spool tells it what became of its event."""

    __slots__ = ("bodiless", "closes", "connection", "kept", "ready", "refused", "reply")

    def __init__(self, connection: "Connection", *, bodiless: bool, kept: bool, closes: bool) -> None:
        self.connection, self.bodiless, self.kept, self.closes = connection, bodiless, kept, closes
        self.reply: Reply | None = None
        self.refused: Refusal | None = None
        self.ready = False

    def flushed(self, position: int, error: SpoolError | None) -> None:
        """Of the spool: the event is on disk, or it is not and the answer must not say so."""
        if error is not None and self.refused is not None:
            self.reply = self.refused(error)
        self.ready = True
        self.connection.send_ready()


class Connection(asyncio.BufferedProtocol):
    """Reads into the buffer that all connections share, as what is read is parsed before anybody else reads."""

    __slots__ = (
        "_body", "_choked", "_deaf", "_ended", "_expects", "_hosts", "_house", "_message_bytes", "_names_connection",
        "_parser", "_paused", "_phase", "_queue", "_request", "_target", "_transport", "deadline",
    )  # fmt: skip

    def __init__(self, house: Connections) -> None:
        self._house = house
        self._parser: Any = HttpRequestParser(self)
        self._transport: Any = None
        self._request = Request()
        self._queue: deque[Exchange] = deque()
        self._phase = _BETWEEN
        self._message_bytes = 0
        self._target = self._body = b""
        self._hosts = 0
        self._names_connection = self._expects = False
        # Deaf: what still comes is thrown away, as after a mistake nobody can say where the next request begins.
        self._deaf = self._paused = self._choked = self._ended = False
        self.deadline = house.now + HEAD_SECONDS_MAX

    # The transport's side

    def connection_made(self, transport: Any) -> None:
        """Of asyncio."""
        self._transport = transport
        self._request.peer = self._house.address_of(transport)
        self._house.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Of asyncio: events that are on their way to the disk still arrive there."""
        self._house.left(self)
        self._transport = self._parser = None
        self._queue.clear()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Of asyncio."""
        return self._house.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Of asyncio: bytes came."""
        if self._deaf:
            return
        try:
            self._parser.feed_data(self._house.buffer[:nbytes])
        except HttpParserUpgrade:  # its request is answered as what it is without the upgrade
            self._deaf = True
            self._close_when_answered()
            return
        except HttpParserError:
            self._refuse(replies.MALFORMED)
            return
        if self._phase != _BETWEEN and not self._deaf:
            self._message_bytes += nbytes
            if self._phase == _HEAD and self._message_bytes > HEAD_BYTES_MAX:
                self._refuse(replies.HEAD_TOO_LARGE)
            elif self._message_bytes > MESSAGE_BYTES_MAX:
                self._refuse(replies.TOO_LARGE)
        if self._choked:  # by answers to what was read just now
            self.deadline = self._house.now + UNREAD_SECONDS_MAX
        if len(self._queue) >= PIPELINED_MAX and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Of asyncio: the client will send no more, and may still read its answers."""
        self._deaf = self._ended = True
        return bool(self._queue)

    def pause_writing(self) -> None:
        """Of asyncio: the client does not take its answers, so it may not ask for more."""
        self._choked = True
        self.deadline = self._house.now + UNREAD_SECONDS_MAX
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Of asyncio."""
        self._choked = False
        self._rest()
        if not self._paused and not self._ended:
            self._transport.resume_reading()

    # llhttp's side

    def on_message_begin(self) -> None:
        """The first byte of a request: from here on its end must come."""
        self._phase = _HEAD
        self._message_bytes = self._hosts = 0
        self._names_connection = self._expects = False
        self._target = self._body = b""
        request = self._request
        request.agent, request.forwarded = "", None
        self.deadline = self._house.now + HEAD_SECONDS_MAX

    def on_url(self, url: bytes) -> None:
        """The request target as it was sent."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which is of no interest."""
        wanted = _WANTED.get(name.lower())
        if wanted is None or self._phase != _HEAD:
            return
        if wanted == _AGENT:
            self._request.agent = agent_text(value[:2048])
        elif wanted == _HOST:
            self._hosts += 1
        elif wanted == _FORWARDED:
            before = self._request.forwarded
            text = value.decode("latin-1")
            self._request.forwarded = f"{before}, {text}" if before else text
        elif wanted == _CONNECTION:
            self._names_connection = True
        elif wanted == _EXPECT:
            self._expects = value.lower() == b"100-continue"
        elif not value.isdigit() or len(value) > 18 or int(value) > BODY_BYTES_MAX:
            self._refuse(replies.TOO_LARGE)

    def on_headers_complete(self) -> None:
        """The head is there; a body may follow."""
        self._phase = _BODY
        self.deadline = self._house.now + BODY_SECONDS_MAX
        if self._expects and not self._deaf and self._parser.get_http_version() != "1.0":
            self._interim(CONTINUE)

    def on_body(self, body: bytes) -> None:
        """A piece of the body, without the chunks' frames."""
        self._body += body
        if len(self._body) > BODY_BYTES_MAX:
            self._refuse(replies.TOO_LARGE)

    def on_message_complete(self) -> None:
        """The request is whole: answer it."""
        self._phase = _BETWEEN
        if self._deaf:
            return
        parser, request, house = self._parser, self._request, self._house
        request.method = method = parser.get_method()
        kept = self._names_connection and parser.get_http_version() == "1.0"
        closes = house.stopping or not parser.should_keep_alive()
        exchange = Exchange(self, bodiless=method == b"HEAD", kept=kept, closes=closes)
        if self._hosts != 1 and (self._hosts or parser.get_http_version() != "1.0"):
            self._refuse(replies.NO_HOST)
            return
        self._deaf = closes
        self._queue.append(exchange)
        self.deadline = inf
        answer = self._answer()
        if type(answer) is tuple:
            payload, exchange.reply, exchange.refused = answer
            house.spool.append_for(exchange, payload)
        else:
            exchange.reply = answer
            exchange.ready = True
            self.send_ready()

    def _answer(self) -> Any:
        request = self._request
        try:
            target = self._target
            if target[:1] != b"/":
                target = _origin_form(target)
            request.target, request.body = target.decode("latin-1"), self._body
            return self._house.answer(request)
        except Exception:  # the top of the loop: one request must not end the tracker
            log.exception("request failed", target=self._target[:100])
            return replies.FAILED

    # Answers

    def send_ready(self) -> None:
        """Send what is ready at the head of the queue: answers go out in the order of the requests."""
        queue = self._queue
        while queue and queue[0].ready:
            exchange = queue.popleft()
            reply = exchange.reply
            assert reply is not None
            house = self._house
            house.outcomes[reply.outcome] += 1
            if exchange.closes:
                self._last(reply, bodiless=exchange.bodiless)
                return
            connection = b"keep-alive" if exchange.kept else b""
            self._transport.write(reply.wire(house.date, bodiless=exchange.bodiless, connection=connection))
        if not queue:
            self._rest()

    def _last(self, reply: Reply, *, bodiless: bool) -> None:
        self._deaf = True
        self._queue.clear()
        self._transport.write(reply.wire(self._house.date, bodiless=bodiless, connection=b"close"))
        self._linger()

    def _linger(self) -> None:
        """End our side, and read on for a moment: a close with unread bytes would destroy the answer on its way."""
        if self._ended:
            self._transport.close()
            return
        self._deaf = self._ended = True
        self.deadline = self._house.now + LINGER_SECONDS_MAX
        self._transport.write_eof()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def _rest(self) -> None:
        """Nothing waits for an answer."""
        if self._choked or self._transport is None:
            return
        if self._ended:
            self._transport.close()
        elif self._deaf:
            self._linger()
        elif self._phase == _BETWEEN and not self._queue:
            self.deadline = self._house.now + IDLE_SECONDS_MAX
        if self._paused and not self._deaf and len(self._queue) < PIPELINED_MAX:
            self._paused = False
            self._transport.resume_reading()

    def _refuse(self, reply: Reply) -> None:
        """Answer a request that goes wrong, after those before it, and hear no more."""
        if self._deaf:
            return
        self._deaf = True
        exchange = Exchange(self, bodiless=False, kept=False, closes=True)
        exchange.reply, exchange.ready = reply, True
        self._queue.append(exchange)
        self.deadline = inf
        self.send_ready()

    def _interim(self, data: bytes) -> None:
        """100 (Continue), unless answers to earlier requests must go first: clients do not wait for it for ever."""
        if not self._queue:
            self._transport.write(data)

    def _close_when_answered(self) -> None:
        if self._queue:
            self._queue[-1].closes = True
        else:
            self._linger()

    # The house's side

    def expire(self) -> None:
        """The deadline is over."""
        if self._transport is None:
            return
        if self._choked or self._ended:
            self._transport.abort()
        elif self._phase == _BETWEEN:
            self._transport.close()
        else:
            self._refuse(replies.TOO_SLOW)

    def evict(self) -> None:
        """Others need the place."""
        if self._transport is not None:
            self._transport.abort()

    def retire(self) -> None:
        """The tracker stops: close when what was asked is answered."""
        if self._queue:
            self._deaf = self._queue[-1].closes = True
        elif self._phase == _BETWEEN and self._transport is not None and not self._ended:
            self._transport.close()


def _origin_form(target: bytes) -> bytes:
    """Path and query of an absolute target (RFC 9112 section 3.2.2), "/" for what has none."""
    try:
        parsed = parse_url(target)
    except HttpParserError:
        return b"/"
    return (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
