"""The tracker as an RSGI application: limits, dispatch, counting. No framework, as this is the busiest door of all."""

import asyncio
import time
from collections import Counter
from typing import Any

import structlog

from standfast.platform.spool import Spool, SpoolError
from standfast.protocols.event_record import encode_event
from standfast.services.tracker import client, replies
from standfast.services.tracker.hits import Hits, Request
from standfast.services.tracker.metrics import TrackerCollector, metrics_text
from standfast.services.tracker.replies import Reply

TARGET_CHARS_MAX = 8192
BODY_BYTES_MAX = 4096
BODY_SECONDS_MAX = 10.0
SPOOL_CHECK_SECONDS = 1.0
# The shipper drops events of this account: a check is no event of anybody.
NO_ACCOUNT = 0
_LOOKING = ("GET", "HEAD")
_ACTING = ("GET", "HEAD", "POST")
_LOOPBACK = client.parse_networks("127.0.0.0/8, ::1")

log = structlog.get_logger("tracker")


class TrackerApp:
    """The callable that granian drives. `trusted` are the proxies whose X-Forwarded-For is believed."""

    def __init__(
        self, *, spool: Spool, token_key: bytes, trusted: client.Networks = (), anonymise_ip: bool = False
    ) -> None:
        self.spool = spool
        self.in_flight = 0
        self.outcomes: Counter[str] = Counter()
        self._hits = Hits(spool=spool, token_key=token_key)
        self._collector = TrackerCollector(hits=self._hits, outcomes=self.outcomes)
        self._trusted = trusted
        self._anonymise_ip = anonymise_ip
        self._checked_at = 0.0
        self._doors = {
            "/o/": (self._hits.opened, _LOOKING),
            "/c/": (self._hits.clicked, _LOOKING),
            "/u/": (self._hits.unsubscribe, _ACTING),
        }

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        self.in_flight += 1
        method = scope.method
        try:
            reply = await self._answer(scope, protocol, method)
        except TimeoutError:
            reply = replies.TOO_SLOW
        except Exception:  # the top of the loop: one request must not end the tracker
            log.exception("request failed", path=scope.path[:100])
            reply = replies.BUSY
        finally:
            self.in_flight -= 1
        self.outcomes[reply.outcome] += 1
        if method == "HEAD" or not reply.body:
            protocol.response_empty(reply.status, reply.headers)
        else:
            protocol.response_bytes(reply.status, reply.headers, reply.body)

    async def _answer(self, scope: Any, protocol: Any, method: str) -> Reply:
        path, query = scope.path, scope.query_string
        if len(path) + len(query) > TARGET_CHARS_MAX:
            return replies.TOO_LONG
        door = self._doors.get(path[:3])
        if door is None:
            return await self._house(scope, path)
        handler, methods = door
        if method not in methods:
            return replies.not_allowed(", ".join(methods))
        headers = scope.headers
        body = b""
        if method == "POST":
            read = await _body(headers, protocol)
            if read is None:
                return replies.TOO_LARGE
            body = read
        agent = headers.get("user-agent") or ""
        return await handler(Request(method, path, query, agent, self._address(scope, headers), body))

    def _address(self, scope: Any, headers: Any) -> str:
        address = client.peer_address(scope.client)
        if self._trusted:
            address = client.client_address(address, headers.get("x-forwarded-for"), trusted=self._trusted)
        return client.anonymised(address) if self._anonymise_ip else address

    async def _house(self, scope: Any, path: str) -> Reply:
        """What is not for recipients: health, figures, robots."""
        if path == "/healthz":
            return replies.HEALTHY
        if path == "/healthz/spool":
            return await self._check_spool()
        if path == "/robots.txt":
            return replies.ROBOTS
        if path == "/metrics" and self._is_local(scope):
            headers = [("content-type", "text/plain; version=0.0.4; charset=utf-8"), replies.NO_STORE]
            return Reply(200, headers, metrics_text(self._collector), "metrics")
        return replies.NOT_FOUND

    def _is_local(self, scope: Any) -> bool:
        """Figures are for this machine: a proxy in front names the stranger it speaks for."""
        peer = client.peer_address(scope.client)
        return client.is_within(peer, _LOOPBACK) and "x-forwarded-for" not in scope.headers

    async def _check_spool(self) -> Reply:
        """Prove that a record can be made durable, at most once a second, as anybody can ask."""
        now = time.monotonic()
        if self.spool.last_error is None and now - self._checked_at < SPOOL_CHECK_SECONDS:
            return replies.HEALTHY
        try:
            await self.spool.append(encode_event(account_id=NO_ACCOUNT, at_us=time.time_ns() // 1000, kind="checked"))
        except SpoolError as error:
            return replies.text(503, f"the spool does not take events: {error}\n", "unhealthy")
        self._checked_at = now
        return replies.HEALTHY


async def _body(headers: Any, protocol: Any) -> bytes | None:
    """The body, None when it is over the limit. Raises TimeoutError when it does not come."""
    length = headers.get("content-length") or "0"
    if not length.isdigit() or int(length) > BODY_BYTES_MAX:
        return None
    body = b""
    async with asyncio.timeout(BODY_SECONDS_MAX):
        async for chunk in protocol:
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                return None
    return body
