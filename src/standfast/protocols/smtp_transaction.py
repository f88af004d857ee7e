"""One message as an SMTP client sends it: whether the server can take it, its commands, its bytes on the wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .smtp_outcome import Outcome, Refused, Stage

_BREAKING = re.compile('[ <>"]')
_SIZE_DIGITS_MAX = 20  # RFC 1870 section 4
_UNSTUFFED = re.compile(rb"(?:\A|\n)\.")


class Transaction:
    """One message on its way through a connection."""

    __slots__ = ("failure", "group", "offset", "on_dot", "on_outcome", "pieces", "size_bytes", "stage")

    def __init__(
        self,
        group: tuple[bytes, ...],
        pieces: tuple[bytes, ...],
        size_bytes: int,
        on_dot: Callable[[], None] | None,
        on_outcome: Callable[[Outcome], None],
    ) -> None:
        self.group = group
        self.pieces = pieces
        self.size_bytes = size_bytes
        self.on_dot = on_dot
        self.on_outcome = on_outcome
        self.stage = Stage.QUEUED
        self.failure: Outcome | None = None
        self.offset = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """What of a server's extensions matters to a message. size_max_bytes is 0 where none was announced."""

    pipelining: bool
    eight_bit: bool
    size_max_bytes: int

    @staticmethod
    def of(extensions: dict[str, str]) -> Offer:
        size = extensions.get("SIZE", "")
        return Offer(
            pipelining="PIPELINING" in extensions,
            eight_bit="8BITMIME" in extensions,
            size_max_bytes=int(size) if size.isdecimal() and len(size) <= _SIZE_DIGITS_MAX else 0,
        )

    def problem(self, sender: str, recipient: str, *, size_bytes: int, seven_bit: bool) -> Refused | None:
        """Why this message cannot be sent to this server at all, or None."""
        if _unsendable(sender, empty_allowed=True):
            return Refused(553, "5.1.7", "not sent: the envelope sender is not an address", Stage.MAIL)
        if _unsendable(recipient, empty_allowed=False):
            return Refused(553, "5.1.3", "not sent: the recipient is not an address", Stage.RCPT)
        if self.size_max_bytes and size_bytes > self.size_max_bytes:
            text = f"not sent: the message has {size_bytes} bytes, the server takes {self.size_max_bytes}"
            return Refused(552, "5.3.4", text, Stage.MAIL)
        if not self.eight_bit and not seven_bit:
            return Refused(554, "5.6.3", "not sent: the server takes no 8-bit text (8BITMIME)", Stage.MAIL)
        return None

    def commands(self, sender: str, recipient: str, *, size_bytes: int, seven_bit: bool) -> tuple[bytes, ...]:
        """MAIL, RCPT and DATA: one piece where they may be pipelined, otherwise three (RFC 1870, RFC 6152)."""
        body = " BODY=8BITMIME" if self.eight_bit and not seven_bit else ""
        size = f" SIZE={size_bytes}" if self.size_max_bytes else ""
        if self.pipelining:
            return (f"MAIL FROM:<{sender}>{size}{body}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode("ascii"),)
        mail = f"MAIL FROM:<{sender}>{size}{body}\r\n".encode("ascii")
        return mail, f"RCPT TO:<{recipient}>\r\n".encode("ascii"), b"DATA\r\n"


def wire_form(message: bytes) -> bytes:
    """Stuff leading dots (RFC 5321 section 4.5.2) and end with CRLF; the same object where nothing is to be done."""
    if _UNSTUFFED.search(message):
        message = _UNSTUFFED.sub(rb"\g<0>.", message)
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def _unsendable(address: str, *, empty_allowed: bool) -> bool:
    """Whether an address could break out of its angle brackets, or is no RFC 5321 path at all."""
    if not address:
        return not empty_allowed
    if not (address.isascii() and address.isprintable() and len(address) <= 320):
        return True
    return _BREAKING.search(address) is not None and not address.startswith('"')
