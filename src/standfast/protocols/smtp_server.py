"""An SMTP server that knows the protocol and no policy: an owner's hooks decide (`smtp_session.SessionHooks`).

    server = await serve(host="127.0.0.1", port=8025, hooks=MyHooks, hostname="mx.example.org")

Strict where strictness protects: only CRLF.CRLF ends a message, and a message with a bare CR or LF is refused, so that
what this server reads and what the next one reads is the same mail. RFC 5321, RFC 1870, 2034, 2920, 3030, 3207, 6152.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable

from .smtp_dialogue import Session
from .smtp_outcome import Reply
from .smtp_session import Answer, Asked, Drop, Envelope, Limits, SessionHooks

__all__ = ["Answer", "Asked", "Drop", "Envelope", "Limits", "Reply", "Server", "Session", "SessionHooks", "serve"]


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
        self.addresses: Counter[str] = Counter()  # of the sessions' other ends
        self.held_bytes = 0  # of messages that are still coming in
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
