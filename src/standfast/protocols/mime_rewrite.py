"""Change the HTML, the text and the headers of a finished message and keep every other byte as it is: attachments, text, structure.

The message is read by its boundaries, not taken apart and put together again: an image that was given as base64 leaves as
the same base64. RFC 5322, RFC 2045, RFC 2046 section 5.1.
"""

from __future__ import annotations

import base64
import binascii
import email
import email.message
import quopri
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise

from .charsets import known_charset
from .quoted_printable import qp_close, qp_run

DEPTH_MAX = 20
PARTS_MAX = 500
HEAD_BYTES_MAX = 1024 * 1024  # with a vendor's JSON for a thousand recipients in it
HEADERS_MAX = 1000
Changes = Mapping[str, Callable[[str], str]]
"""What becomes of the parts of a media type: text/html, text/plain."""
_HEADER = re.compile(rb"([!-9;-~]+)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)(?:\r\n|\Z)")


class LetterError(ValueError):
    """The bytes are no message that can be sent on; the text says why."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it came: (name, value) in order, values folded as they were and without the CRLF; and the body's bytes."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def value(self, name: str) -> str | None:
        """The first header of that name, unfolded, or None."""
        wanted = name.lower().encode()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value.replace(b"\r\n", b"").strip().decode("utf-8", "replace")
        return None

    def values(self, name: str) -> list[str]:
        """All headers of that name, unfolded."""
        wanted = name.lower().encode()
        return [
            value.replace(b"\r\n", b"").strip().decode("utf-8", "replace")
            for key, value in self.headers
            if key.lower() == wanted
        ]

    def without(self, drop: Callable[[str], bool]) -> Letter:
        """The letter without the headers whose lower-case name `drop` says."""
        kept = tuple((key, value) for key, value in self.headers if not drop(key.decode("ascii").lower()))
        return Letter(kept, self.body)

    def with_headers(self, more: Iterable[tuple[bytes, bytes]]) -> Letter:
        """The letter with further headers at the end; of the same name they take the place of those there."""
        added = [(name, b" " + value) for name, value in more]
        names = {name.lower() for name, _ in added}
        kept = [pair for pair in self.headers if pair[0].lower() not in names]
        return Letter((*kept, *added), self.body)

    def head(self) -> bytes:
        """The header lines with the blank line."""
        return b"".join(b"%b:%b\r\n" % pair for pair in self.headers) + b"\r\n"


def read_letter(raw: bytes) -> Letter:
    """Split a message with CRLF lines. Raises LetterError for headers that are none, or too many."""
    head, separator, body = raw.partition(b"\r\n\r\n")
    if raw.startswith(b"\r\n"):
        head, separator, body = b"", b"\r\n", raw[2:]
    head = head.removesuffix(b"\r\n") + b"\r\n" if head else b""
    if len(head) > HEAD_BYTES_MAX:
        raise LetterError(f"the headers have more than {HEAD_BYTES_MAX:,} bytes")
    headers: list[tuple[bytes, bytes]] = []
    position = 0
    while position < len(head):
        match = _HEADER.match(head, position)
        if match is None:
            line = head[position : position + 60].partition(b"\r\n")[0].decode("ascii", "replace")
            raise LetterError(f"the header line {line!r} is no header (RFC 5322 section 2.2)")
        if len(headers) >= HEADERS_MAX:
            raise LetterError(f"there are more than {HEADERS_MAX:,} headers")
        headers.append((match.group(1), match.group(2)))
        position = match.end()
    return Letter(tuple(headers), body if separator else b"")


def rewrite_html(letter: Letter, change: Callable[[str], str]) -> Letter:
    """The letter with `change` applied to its HTML; see `rewrite_parts`."""
    return rewrite_parts(letter, {"text/html": change})


def rewrite_parts(letter: Letter, changes: Changes) -> Letter:
    """The letter with the text of every part of those media types changed that is no attachment.

    A part in an unknown charset or encoding is left as it is. What was 7bit or 8bit leaves as quoted-printable.
    """
    block = letter.head()
    edits: list[tuple[int, int, bytes]] = []
    top = email.message_from_bytes(block)
    if top.get_content_maintype() != "multipart":
        new = _changed(top, letter.body, changes)
        if new is None:
            return letter
        body, encoding = new
        changed = Letter(letter.headers, body)
        return changed if encoding is None else changed.with_headers([(b"Content-Transfer-Encoding", encoding)])
    count = _collect(top, letter.body, 0, len(letter.body), changes=changes, edits=edits, depth=1, seen=0)
    if not edits or count > PARTS_MAX:
        return letter
    pieces, done = [], 0
    for start, end, content in sorted(edits):
        pieces += [letter.body[done:start], content]
        done = end
    return Letter(letter.headers, b"".join([*pieces, letter.body[done:]]))


def _collect(
    message: email.message.Message,
    body: bytes,
    start: int,
    end: int,
    *,
    changes: Changes,
    edits: list[tuple[int, int, bytes]],
    depth: int,
    seen: int,
) -> int:
    """Find the parts between the boundaries of body[start:end]; note what is to be replaced. Returns the parts seen."""
    boundary = message.get_boundary()
    if not boundary or depth > DEPTH_MAX:
        return seen
    mark = re.compile(rb"(?:\A|\r\n)--" + re.escape(boundary.encode("ascii", "replace")) + rb"(--)?[ \t]*(?=\r\n|\Z)")
    places = list(islice(mark.finditer(body[start:end]), PARTS_MAX + 2))
    for place, then in pairwise(places):
        if place.group(1) or seen >= PARTS_MAX:
            break
        seen += 1
        low, high = start + place.end() + 2, start + then.start()  # behind the boundary's CRLF, before the next one's
        part = body[low:high]
        head, separator, inner = (b"", b"\r\n", part[2:]) if part.startswith(b"\r\n") else part.partition(b"\r\n\r\n")
        if not separator:
            continue
        inner_start = high - len(inner)
        parsed = email.message_from_bytes(head + b"\r\n\r\n")
        if parsed.get_content_maintype() == "multipart":
            seen = _collect(parsed, body, inner_start, high, changes=changes, edits=edits, depth=depth + 1, seen=seen)
            continue
        new = _changed(parsed, inner, changes)
        if new is None:
            continue
        content, encoding = new
        edits.append((inner_start, high, content))
        if encoding is not None:
            edits.append((low, low + len(head), _encoded_as(head, encoding)))
    return seen


def _changed(part: email.message.Message, body: bytes, changes: Changes) -> tuple[bytes, bytes | None] | None:
    """(new body, new transfer encoding or None for the same) of a part; None where it stays."""
    change = changes.get(part.get_content_type())
    if change is None or part.get_content_disposition() == "attachment":
        return None
    encoding = str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    charset = part.get_content_charset("utf-8")
    try:
        known_charset(charset)
        if encoding == "quoted-printable":
            html = quopri.decodestring(body).decode(charset)
        elif encoding == "base64":
            html = base64.b64decode(body).decode(charset)
        elif encoding in ("7bit", "8bit", "binary"):
            html = body.decode("utf-8" if charset == "us-ascii" else charset)
        else:
            return None
        new = change(html)
        if new == html:
            return None
        content = new.encode("utf-8" if charset == "us-ascii" else charset)
    except (LookupError, UnicodeError, binascii.Error, ValueError):
        return None
    if encoding == "base64":
        return base64.encodebytes(content).replace(b"\n", b"\r\n").rstrip(b"\r\n"), None
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    encoded = qp_close(qp_run(lines))
    return encoded, None if encoding == "quoted-printable" else b"quoted-printable"


def _encoded_as(head: bytes, encoding: bytes) -> bytes:
    """A part's header block with another transfer encoding."""
    kept = [
        line
        for line in re.split(rb"\r\n(?![ \t])", head)
        if line and not line.lower().startswith(b"content-transfer-encoding")
    ]
    return b"\r\n".join([*kept, b"Content-Transfer-Encoding: " + encoding])
