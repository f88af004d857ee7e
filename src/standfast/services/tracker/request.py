"""What the handlers see of an HTTP request."""

from functools import lru_cache

AGENT_CHARS_MAX = 512


class Request:
    """A request. Each connection has one and uses it again, so it is good until the handler returns.

    `target` is path and query as sent; `peer` is the address at the other end of the connection, `forwarded` the value
    of X-Forwarded-For, `agent` that of User-Agent, "" where there is none. The application sets path, query and ip.
    """

    __slots__ = ("agent", "body", "forwarded", "ip", "method", "path", "peer", "query", "target")

    def __init__(self) -> None:
        self.method = self.body = b""
        self.target = self.path = self.query = self.agent = self.peer = self.ip = ""
        self.forwarded: str | None = None


@lru_cache(maxsize=4096)
def agent_text(raw: bytes) -> str:
    """A User-Agent as text, cut to what is kept of it. Remembered, as few programs fetch most of all mail."""
    return raw.decode("utf-8", "replace").strip()[:AGENT_CHARS_MAX]
