"""Messages from their blocks: headers, quoted-printable runs, and a multipart skeleton made once per compile."""

import secrets
from collections.abc import Iterable

from .headers import (
    Header,
    HeaderError,
    HeaderFrame,
    date_value,
    encode_addresses,
    encode_header,
    feedback_id,
    list_unsubscribe,
    message_id,
    one_line,
)
from .quoted_printable import qp_close, qp_run

__all__ = [
    "Header",
    "HeaderError",
    "HeaderFrame",
    "Skeleton",
    "date_value",
    "encode_addresses",
    "encode_header",
    "feedback_id",
    "list_unsubscribe",
    "message_bytes",
    "message_id",
    "one_line",
    "qp_close",
    "qp_run",
]

_PART = b'Content-Type: text/%b; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'


class Skeleton:
    """What surrounds a message's text and HTML: multipart/alternative (RFC 2046 section 5.1.4), or one part alone.

    headers: MIME-Version, Content-Type and, of a single part, Content-Transfer-Encoding.
    opening, between, closing: the bytes before, between and after the two encoded parts, for programs that join by
    themselves; the last run of a part must then have gone through qp_close.
    """

    def __init__(self, *, text: bool = True, html: bool = True, boundary: str = "") -> None:
        """boundary: given in tests only; it always starts with "=_", which no quoted-printable line can hold."""
        if not (text or html):
            raise ValueError("a message needs a text or an HTML part")
        self.headers: list[Header] = [(b"MIME-Version", b"1.0")]
        self.opening = self.between = b""
        self.closing = b"\r\n"
        if not (text and html):
            kind = b'text/%b; charset="utf-8"' % (b"plain" if text else b"html")
            self.headers += [(b"Content-Type", kind), (b"Content-Transfer-Encoding", b"quoted-printable")]
            return
        mark = b"=_" + (boundary or secrets.token_hex(12)).encode()
        self.headers.append((b"Content-Type", b'multipart/alternative; boundary="%b"' % mark))
        self.opening = b"--%b\r\n" % mark + _PART % b"plain"
        self.between = b"\r\n--%b\r\n" % mark + _PART % b"html"
        self.closing = b"\r\n--%b--\r\n" % mark

    def body(self, *, text: bytes = b"", html: bytes = b"") -> bytes:
        """The body from encoded parts (joined runs of qp_run): ends with exactly one CRLF, as DKIM likes it."""
        return b"".join((self.opening, qp_close(text), self.between, qp_close(html), self.closing))


def message_bytes(headers: Iterable[Header], body: bytes, *, signature: bytes = b"") -> bytes:
    """The message as it goes over the wire. signature: whole DKIM-Signature lines, which stand on top."""
    return b"".join([signature, *[b"%b: %b\r\n" % header for header in headers], b"\r\n", body])
