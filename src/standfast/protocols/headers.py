"""Header fields of outgoing mail: encoded (RFC 2047), folded (RFC 5322 section 2.2.3), ready for DKIM.

Every function gives the field's value as bytes, folded, as it stands after "Name: " and without the last CRLF; a
message is a list of (name, value). A line break or NUL in a value would let a contact's name add headers, so it is
refused.
"""

import re
import time
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from .address import AddressError, domain_to_ascii

Header = tuple[bytes, bytes]


class HeaderFrame(NamedTuple):
    """The headers that many messages share: a value that is fixed, or None for one that each message has its own."""

    names: tuple[bytes, ...]
    fixed: tuple[bytes | None, ...]

    def template(self) -> bytes:
        """Header lines with the blank line behind them, to be filled with the open values by `%`."""
        lines = [
            b"%b: %b\r\n" % (name, b"%b" if value is None else value.replace(b"%", b"%%"))
            for name, value in zip(self.names, self.fixed, strict=True)
        ]
        return b"".join([*lines, b"\r\n"])


LINE_CHARS_SHOULD = 78  # RFC 5322 section 2.1.1
LINE_CHARS_MUST = 998
_WORD_BYTES_MAX = (
    45  # of UTF-8 in one encoded word: 75 - len("=?utf-8?b?" "?=") is 63 characters of base64, so 45 bytes
)

# Not with a dot in front either, so that a message of ours never needs dot stuffing.
_NAME = re.compile(r"(?!\.)[!-9;-~]{1,76}")
_FORBIDDEN = re.compile("[\r\n\0]")
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LOCAL_PART = re.compile(r"""[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+|"(?:[ !#-\[\]-~]|\\[ -~])*\"""")
_QUOTED_SPECIALS = re.compile(r'(["\\])')
_WHITESPACE = re.compile(r"[\s\x00-\x20\x7f\x85\u2028\u2029]+")


class HeaderError(ValueError):
    """This value cannot stand in a header; the text says why."""


def one_line(text: str) -> str:
    """Turn runs of white space, line breaks and controls into single spaces, as values with merged data need."""
    return _WHITESPACE.sub(" ", text).strip()


def encode_header(name: str, value: str) -> bytes:
    """Encode an unstructured field such as Subject. Raises HeaderError for a bad name or a line break in the value."""
    if not _NAME.fullmatch(name):
        raise HeaderError(f"{name[:80]!r} is no header name")
    if _FORBIDDEN.search(value):
        raise HeaderError(f"the {name} header holds a line break or a NUL; put it on one line")
    first = len(name) + 2
    if "=?" not in value and (value == "" or _PLAIN.fullmatch(value)):
        if first + len(value) <= LINE_CHARS_SHOULD:
            return value.encode()
        folded = _fold(value.split(" "), first)
        if all(len(line) < LINE_CHARS_MUST - first for line in folded.split(b"\r\n")):
            return folded
    return b"\r\n ".join(_encoded_words(value))


def encode_addresses(name: str, mailboxes: Iterable[tuple[str, str]]) -> bytes:
    """Encode From, To or Reply-To from (display name, address) pairs; the domain is written in punycode.

    Raises HeaderError for a line break, a local part outside ASCII, or something that is no address.
    """
    column = len(name) + 2
    out: list[bytes] = []
    for display, address in mailboxes:
        mailbox = _mailbox(display, address)
        if out:
            fits = column + len(mailbox) + 2 <= LINE_CHARS_SHOULD
            out.append(b", " if fits else b",\r\n ")
            column = column + 2 if fits else 1
        column += len(mailbox)
        if column > LINE_CHARS_SHOULD and b"\r\n" not in mailbox and b" <" in mailbox:
            mailbox = b"\r\n <".join(mailbox.rsplit(b" <", 1))
        out.append(mailbox)
    if not out:
        raise HeaderError(f"the {name} header needs an address")
    return b"".join(out)


@lru_cache(maxsize=1024)
def _ascii_domain(domain: str) -> str:
    try:
        return domain_to_ascii(domain)
    except AddressError as error:
        raise HeaderError(f"{domain[:80]!r} is no domain: {error}") from error


def _mailbox(display: str, address: str) -> bytes:
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local):
        raise HeaderError(f"{address[:80]!r} is no address that can stand in a header")
    spec = f"{local}@{_ascii_domain(domain)}".encode()
    if not display:
        return spec
    if _FORBIDDEN.search(display):
        raise HeaderError("a display name holds a line break or a NUL; put it on one line")
    if "=?" not in display and len(display) < LINE_CHARS_SHOULD:
        if _ATOMS.fullmatch(display):
            return b"%b <%b>" % (display.encode(), spec)
        if _PLAIN.fullmatch(display):
            return b'"%b" <%b>' % (_QUOTED_SPECIALS.sub(r"\\\1", display).encode(), spec)
    return b"%b\r\n <%b>" % (b"\r\n ".join(_encoded_words(display)), spec)


def _fold(words: list[str], column: int) -> bytes:
    lines, line = [], words[0]
    for word in words[1:]:
        if column + len(line) + 1 + len(word) > LINE_CHARS_SHOULD:
            lines.append(line)
            line, column = word, 1
        else:
            line += " " + word
    return "\r\n ".join([*lines, line]).encode()


def _encoded_words(value: str) -> list[bytes]:
    """Base64 words of whole characters (RFC 2047 section 5 (3): a character may not be split over two words)."""
    words, chunk, size, room = [], "", 0, 30  # the first shares its line with the name
    for char in value:
        width = len(char.encode("utf-8", "replace"))
        if size + width > room:
            words.append(chunk)
            chunk, size, room = "", 0, _WORD_BYTES_MAX
        chunk += char
        size += width
    return [b"=?utf-8?b?%b?=" % b64encode(word.encode("utf-8", "replace")) for word in [*words, chunk]]


def list_unsubscribe(*, url: str, mailto: str = "") -> list[Header]:
    """One-click unsubscription (RFC 8058): both fields. The URL must be https but in tests; DKIM must cover both."""
    uris = [url, f"mailto:{mailto}"] if mailto else [url]
    for uri in uris:
        if not uri.isascii() or not uri.isprintable() or any(char in uri for char in " <>,") or len(uri) > 900:
            raise HeaderError(f"{uri[:80]!r} cannot stand in List-Unsubscribe; percent-encode it")
    value = b",\r\n ".join(b"<%b>" % uri.encode() for uri in uris)
    return [(b"List-Unsubscribe", value), (b"List-Unsubscribe-Post", b"List-Unsubscribe=One-Click")]


def date_value(at: datetime | float | None = None) -> bytes:
    """The Date field (RFC 5322 section 3.3) of an aware datetime or unix seconds (None: now); cached by the second."""
    if isinstance(at, datetime):
        return format_datetime(at).encode()
    return _date_of_second(int(time.time() if at is None else at))


@lru_cache(maxsize=64)
def _date_of_second(second: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(second, UTC)).encode()


_ID_LEFT = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def message_id(*, unique: str, domain: str) -> bytes:
    """The Message-ID field (RFC 5322 section 3.6.4) from a unique left side, a dot-atom, and the sending domain."""
    if not _ID_LEFT.fullmatch(unique):
        raise HeaderError(f"{unique[:80]!r} is no left side of a Message-ID")
    return f"<{unique}@{_ascii_domain(domain)}>".encode()


def feedback_id(*, campaign: str, account: str, kind: str, sender: str) -> bytes:
    """Feedback-ID as Gmail's Postmaster Tools read it: three free fields and, last, the sender's stable name."""
    fields = [re.sub(r"[^A-Za-z0-9._-]", "-", field)[:64] for field in (campaign, account, kind, sender)]
    return ":".join(fields).encode()
