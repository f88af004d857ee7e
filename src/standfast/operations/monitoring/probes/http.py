"""HTTP: one GET, its status, what its body holds, how long it took. No redirect is followed, nothing is cached.

spec: url        http:// or https://, with host, port and path
      address    connect there; the url's host still goes into Host and into the TLS name
      resolver   "address" or "address:port" of the name server that resolves the url's host
      status     200; a number or a list of numbers
      contains   text, or a list of texts, that the body must hold
      budget_ms  a complete answer that took longer is "slow"
      headers    further request headers
      body_max   bytes of the body that are read (65536)
      server_name, verify, ca_file, issuer, days_min, pins   for https: see `reach.Trust`
"""

from __future__ import annotations

import asyncio
import http
import time
from urllib.parse import urlsplit

import httptools
from pydantic import Field

from standfast.operations.map import Check
from standfast.operations.monitoring.probes.failure import Bad, Good
from standfast.operations.monitoring.probes.reach import Target, Trust, connected, examine, ready_context
from standfast.operations.monitoring.report import Reason

HEAD_MAX = 65536
CHUNK = 16384


class Spec(Trust):
    url: str = Field(pattern=r"^https?://[^\s]+$")
    address: str = ""
    resolver: str = ""
    status: int | tuple[int, ...] = 200
    contains: str | tuple[str, ...] = ()
    budget_ms: float = 0
    headers: dict[str, str] = {}
    body_max: int = Field(default=65536, ge=0, le=1 << 20)


class _Answer:
    """Filled by the parser (llhttp) as bytes arrive."""

    def __init__(self) -> None:
        self.headers_done = self.done = self.framed = False
        self.body = b""

    def on_header(self, name: bytes, _value: bytes) -> None:
        self.framed |= name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        self.headers_done = True

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.done = True


async def look(check: Check) -> Good:
    """Get and judge. Raises Bad, OSError, ValidationError."""
    begun = time.monotonic()
    spec = Spec.model_validate(check.spec)
    url = urlsplit(spec.url)
    secure = url.scheme == "https"
    try:
        port = url.port or (443 if secure else 80)
    except ValueError as error:
        raise Bad(Reason.MISCONFIGURED, f"spec.url: {error}") from error
    name = spec.server_name or url.hostname or ""
    target = Target(host=url.hostname or "", port=port, address=spec.address, resolver=spec.resolver)
    async with connected(target, context=ready_context(spec) if secure else None, name=name) as (reader, writer):
        if secure:
            examine(writer, spec, name)
        writer.write(_request(url.netloc.rpartition("@")[2], url.path or "/", url.query, spec.headers))
        status, body = await _answer(reader, spec.body_max)
    return _judge(spec, status, body, (time.monotonic() - begun) * 1000)


def _request(host: str, path: str, query: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path}{'?' + query if query else ''} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += ["Accept: */*", "Accept-Encoding: identity", "Cache-Control: no-cache", "User-Agent: standfast-monitor/1"]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise Bad(Reason.MISCONFIGURED, "a line break in spec.url or spec.headers")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _answer(reader: asyncio.StreamReader, body_max: int) -> tuple[int, bytes]:
    """Status and body, read to its end or to body_max."""
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    size = 0
    try:
        while not answer.done and len(answer.body) < body_max:
            data = await reader.read(CHUNK)
            if not data:
                break
            parser.feed_data(data)
            size += len(data)
            if size > HEAD_MAX and not answer.headers_done:
                raise Bad(Reason.PROTOCOL, "headers without an end")
    except httptools.HttpParserError as error:
        raise Bad(Reason.PROTOCOL, f"not an HTTP answer: {error}") from error
    if not answer.headers_done:
        raise Bad(Reason.PROTOCOL, "the connection was closed before an answer")
    if answer.framed and not answer.done and len(answer.body) < body_max:
        raise Bad(Reason.PROTOCOL, "the connection was closed in the middle of the answer")
    return parser.get_status_code(), answer.body[:body_max]


def _judge(spec: Spec, status: int, body: bytes, milliseconds: float) -> Good:
    seen = (str(status),)
    wanted = (spec.status,) if isinstance(spec.status, int) else spec.status
    if status not in wanted:
        text = body[:160].decode(errors="replace")
        raise Bad(Reason.STATUS, f"{status} {_phrase(status)} instead of {'/'.join(map(str, wanted))}: {text}", seen)
    for part in (spec.contains,) if isinstance(spec.contains, str) else spec.contains:
        if part.encode() not in body:
            raise Bad(Reason.BODY, f"{status}, but {part!r} is not in the body ({len(body)} bytes)", seen)
    if spec.budget_ms and milliseconds > spec.budget_ms:
        raise Bad(Reason.SLOW, f"{status} after {milliseconds:.0f} ms, budget {spec.budget_ms:g} ms", seen)
    return Good(f"{status} in {milliseconds:.0f} ms", seen)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""
