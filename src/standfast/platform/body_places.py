"""Places for requests whose body is still coming in: some of a service's threads, fewer for one address.

granian's threads read a body while it arrives, and nobody can wake one whose client went silent. Without places as many
unfinished requests as there are threads would stop the service, for reading too, for as long as somebody likes.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from standfast.platform.caller import caller_address

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_TEXT = b"Too many requests are still on their way. Send this one again.\n"


class BodyPlaces:
    """A WSGI application around another: at most `most` bodies come in at once, `of_address` of them from one address."""

    def __init__(self, application: Application, *, most: int, of_address: int) -> None:
        self._application = application
        self._most, self._of_address = most, of_address
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = _length(environ)
        if not length:
            return self._application(environ, start_response)
        address = caller_address(environ)
        if not self._take(address):
            headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(_TEXT)))]
            start_response("503 Service Unavailable", [*headers, ("Retry-After", "1"), ("Connection", "close")])
            return [_TEXT]
        body = _Body(environ["wsgi.input"], length, lambda: self._leave(address))
        environ["wsgi.input"] = body
        try:
            return self._application(environ, start_response)
        finally:
            body.leave()

    def _take(self, address: str) -> bool:
        with self._lock:
            if self._taken.total() >= self._most or self._taken[address] >= self._of_address:
                return False
            self._taken[address] += 1
            return True

    def _leave(self, address: str) -> None:
        with self._lock:
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address]


class _Body:
    """wsgi.input that leaves its place when its last byte was read."""

    def __init__(self, stream: Any, length: int, leave: Callable[[], None]) -> None:
        self._stream, self._left, self._leave = stream, length, leave
        self._is_taken = True

    def read(self, size: int = -1) -> bytes:
        return self._counted(self._stream.read(size) if size >= 0 else self._stream.read())

    def readline(self, size: int = -1) -> bytes:
        return self._counted(self._stream.readline(size) if size >= 0 else self._stream.readline())

    def leave(self) -> None:
        """Once, however often it is called."""
        if self._is_taken:
            self._is_taken = False
            self._leave()

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left <= 0 or not data:
            self.leave()
        return data


def _length(environ: dict[str, Any]) -> int:
    """What Django would read: a body without a length is none for it."""
    text = environ.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
