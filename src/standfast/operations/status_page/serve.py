"""Serve folder/current and nothing else: `python -m standfast.operations.status_page.serve --folder F --port P`.

Needs no map, no log, no database: it works with everything else killed. HTTP/1.1 is parsed by llhttp; GET and HEAD only.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import signal
import sys
import time
from contextlib import suppress
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import httptools

from standfast.operations.status_page.files import Answer, Files

CONNECTIONS_MAX = 4000
REQUEST_SECONDS_MAX = 10.0  # for a request's head to be complete, and between requests
WRITE_SECONDS_MAX = 30.0  # for a slow reader to take what was sent
HEAD_BYTES_MAX = 16 * 1024
PIPELINE_MAX = 64  # requests in one go


class Server:
    """What all connections share: the files, the count, the date of this second."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.connections: set[Connection] = set()
        self._second, self._date = 0, b""

    def date(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second, self._date = second, f"date: {formatdate(second, usegmt=True)}\r\n".encode()
        return self._date

    async def sweep(self) -> None:
        """Close connections that send no whole request, or do not read their answer."""
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            for connection in list(self.connections):
                connection.give_up(now)


class Connection(asyncio.Protocol):
    """One client. The parser calls on_url, on_header and on_message_complete."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._parser: Any = httptools.HttpRequestParser(self)
        self._since = time.monotonic()
        self._paused_since: float | None = None
        self._url, self._headers, self._size, self._complete = b"", dict[bytes, bytes](), 0, 0

    # -- the transport's side ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        if len(self._server.connections) >= CONNECTIONS_MAX:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._complete = 0
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(HTTPStatus.BAD_REQUEST)
        except httptools.HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST)
        if not self._complete:
            self._size += len(data)
            if self._size > HEAD_BYTES_MAX:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def pause_writing(self) -> None:
        self._paused_since = time.monotonic()
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused_since = None
        self._since = time.monotonic()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def give_up(self, now: float) -> None:
        """Close when it has taken too long; called each second."""
        if self._transport is None:
            return
        if self._paused_since is not None:
            if now - self._paused_since > WRITE_SECONDS_MAX:
                self._transport.abort()
        elif now - self._since > REQUEST_SECONDS_MAX:
            self._transport.close()

    # -- the parser's side ------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._url, self._headers = b"", {}

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_message_complete(self) -> None:
        self._since, self._size = time.monotonic(), 0
        self._complete += 1
        if self._transport is None or self._transport.is_closing():
            return
        method = self._parser.get_method()
        if method not in (b"GET", b"HEAD"):
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, b"allow: GET, HEAD\r\n")
        elif self._complete > PIPELINE_MAX:
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS)
        else:
            self._respond(method)

    def on_body(self, body: bytes) -> None:
        # No request that we answer has one: whoever sends it is not read to the end.
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, b"allow: GET, HEAD\r\n")

    # -- answers ----------------------------------------------------------------------------------------------------

    def _respond(self, method: bytes) -> None:
        assert self._transport is not None
        keep = self._parser.should_keep_alive()
        end = self._server.date() + (b"\r\n" if keep else b"connection: close\r\n\r\n")
        status, answer = self._server.files.find(self._url.decode("latin-1"))
        if answer is None:
            self._refuse(status)
            return
        if status is HTTPStatus.OK and self._has(answer):
            self._transport.write(answer.not_modified + end)
        else:
            gzipped = b"gzip" in self._headers.get(b"accept-encoding", b"")
            head, body = (answer.packed_head, answer.packed) if gzipped else (answer.plain_head, answer.plain)
            self._transport.write(head + end if method == b"HEAD" else head + end + body)
        if not keep:
            self._transport.close()

    def _has(self, answer: Answer) -> bool:
        """Whether the client has this already (RFC 9110, 13.2.2: If-None-Match goes before If-Modified-Since)."""
        known = self._headers.get(b"if-none-match")
        if known is not None:
            return answer.etag[2:].encode() in known or known.strip() == b"*"
        since = self._headers.get(b"if-modified-since")
        if since is None:
            return False
        with suppress(ValueError, TypeError):
            return parsedate_to_datetime(since.decode("latin-1")) >= parsedate_to_datetime(answer.modified)
        return False

    def _refuse(self, status: HTTPStatus, more: bytes = b"") -> None:
        """A short answer, and the end of the connection."""
        if self._transport is None or self._transport.is_closing():
            return
        body = b"" if self._parser.get_method() == b"HEAD" else f"{status.value} {status.phrase}\n".encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain\r\ncache-control: no-store\r\n"
        length = b"content-length: %d\r\nconnection: close\r\n" % len(body)
        self._transport.write(head.encode() + length + more + self._server.date() + b"\r\n" + body)
        self._transport.close()


async def serve(
    folder: Path, *, host: str = "127.0.0.1", port: int = 0, ready: asyncio.Future[int] | None = None
) -> None:
    """Serve until cancelled; `ready` gets the port. Raises OSError when the port is taken."""
    shared = Server(Files(folder))
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Connection(shared), host, port, backlog=1024)
    sweeper = asyncio.create_task(shared.sweep())
    try:
        if ready is not None:
            ready.set_result(listener.sockets[0].getsockname()[1])
        await asyncio.Event().wait()
    finally:
        sweeper.cancel()
        listener.close()


async def _until_stopped(folder: Path, host: str, port: int) -> None:
    task = asyncio.create_task(serve(folder, host=host, port=port))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def _allow_connections() -> None:
    """As many open files as the connections need; a low limit would stop the page when everybody looks."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + 200
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="status page", description="Serve the rendered status page.")
    parser.add_argument("--folder", type=Path, required=True, help="where the releases are and `current` points to one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args(arguments)
    _allow_connections()
    try:
        import uvloop

        uvloop.run(_until_stopped(given.folder, given.host, given.port))
    except OSError as error:
        print(f"The page cannot be served on {given.host}:{given.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
