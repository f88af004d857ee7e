"""How the bytes of a message come in: after DATA with dots stuffed (RFC 5321 section 4.5.2), or in chunks of BDAT (RFC 3030).

A reader takes what it needs from the front of a buffer. Its `take` returns None until it is done, then the message, or the
Reply to give instead. Both let in the same messages: CRLF lines of bounded length.
"""

from __future__ import annotations

import re

from .smtp_outcome import Reply

LINE_BYTES_MAX = 998
"""RFC 5322 section 2.1.1, without the CRLF."""

_END = b"\r\n.\r\n"
_LEADING_DOT = re.compile(rb"\n\.")
_FAR_TOO_LARGE = Reply(421, "4.3.4 far too large")


def too_large(bytes_max: int) -> Reply:
    return Reply(552, f"5.3.4 the message has more than {bytes_max} bytes")


class Dotted:
    """A message of DATA. The buffer starts with the CRLF before it: with that, an empty one also ends with CRLF.CRLF."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.held = 0
        self._scanned = 0
        self._thrown_away = 0

    def take(self, buffer: bytearray) -> bytes | Reply | None:
        end = buffer.find(_END, max(0, self._scanned - len(_END) + 1))
        if end < 0:
            if len(buffer) > self.bytes_max + 2:
                self._thrown_away += len(buffer)
                if self._thrown_away > 4 * self.bytes_max:
                    return _FAR_TOO_LARGE
                del buffer[: -len(_END)]
            self._scanned = len(buffer)
            return None
        body = buffer[: end + 2]
        del buffer[: end + len(_END)]
        if self._thrown_away or len(body) > self.bytes_max + 2:
            return too_large(self.bytes_max)
        return body_fault(body) or unstuff(body)


class Chunked:
    """A message of BDAT: `begin` for each chunk, then `take` until it says what to answer; bytes after the last one."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.refusal: Reply | None = None  # said at the end of the chunk, whose bytes are thrown away
        self._body = bytearray()
        self._size = self._left = 0
        self._last = False

    @property
    def held(self) -> int:
        return len(self._body)

    def begin(self, size: int, *, last: bool) -> None:
        self._size = self._left = size
        self._last = last
        if len(self._body) + size > self.bytes_max:
            self.refusal = self.refusal or too_large(self.bytes_max)

    def take(self, buffer: bytearray) -> bytes | Reply | None:
        count = min(self._left, len(buffer))
        if self.refusal is None:
            self._body += memoryview(buffer)[:count]
        del buffer[:count]
        self._left -= count
        if self._left:
            return None
        if self.refusal is not None:
            return self.refusal
        if not self._last:
            return Reply(250, f"2.0.0 {self._size} bytes taken")
        if self._body and not self._body.endswith(b"\r\n"):
            self._body += b"\r\n"  # as every message of DATA ends: it leaves by DATA
        return body_fault(self._body) or bytes(self._body)


def parse_chunk(argument: str) -> tuple[int, bool] | None:
    """Split "1000 LAST" into bytes and whether it is the last chunk; None when it is neither (RFC 3030 section 2)."""
    size, _, last = argument.strip().upper().partition(" ")
    if not (size.isascii() and size.isdecimal() and len(size) <= 18) or last.strip() not in ("", "LAST"):
        return None
    return int(size), bool(last.strip())


def body_fault(body: bytes | bytearray) -> Reply | None:
    """Why the bytes of a message are refused: bare CR or LF (SMTP smuggling, RFC 5321 section 2.3.8), endless lines."""
    pairs = body.count(b"\r\n")
    if body.count(b"\n") != pairs or body.count(b"\r") != pairs:
        return Reply(550, "5.6.11 lines must end with CRLF; a bare CR or LF is not accepted (RFC 5321 2.3.8)")
    position = 0
    # From line end to the last line end within reach: one step a kilobyte, not one a line.
    while position + LINE_BYTES_MAX + 2 < len(body):
        end = body.rfind(b"\n", position, position + LINE_BYTES_MAX + 2)
        if end < 0:
            return Reply(550, f"5.6.0 a line has more than {LINE_BYTES_MAX} bytes (RFC 5322 2.1.1)")
        position = end + 1
    return None


def unstuff(body: bytes | bytearray) -> bytes:
    """Take the first dot from lines that start with one (RFC 5321 section 4.5.2); body starts with a CRLF before it."""
    if _LEADING_DOT.search(body):
        return _LEADING_DOT.sub(b"\n", body)[2:]
    return bytes(memoryview(body)[2:])
