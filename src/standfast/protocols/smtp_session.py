"""What an SMTP server asks its owner, and how the owner answers. RFC 5321; no sockets here."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeAlias

from .smtp_outcome import Reply

LINE_BYTES_MAX = 998
"""RFC 5322 section 2.1.1, without the CRLF."""

_PATH = re.compile(r'\s*<((?:"(?:[^"\\]|\\.)*"|[^<>"\s])*)>(?:\s+(.*))?\Z')
_LEADING_DOT = re.compile(rb"\n\.")


@dataclass(frozen=True, slots=True)
class Drop:
    """Instead of a reply: cut the connection. After `on_data_start`, body_bytes of the message are read before."""

    body_bytes: int = 0


Answer: TypeAlias = Reply | Drop | None
"""None is the usual positive reply of the step. A Reply with code 421 also closes the connection."""
Asked: TypeAlias = Answer | Awaitable[Answer]


@dataclass(slots=True)
class Envelope:
    """Who sends what to whom, as MAIL and RCPT said."""

    sender: str
    recipients: list[str] = field(default_factory=list)
    size_bytes: int = 0  # as announced with SIZE=


class SessionHooks:
    """What the owner of a server decides, one object a session; any method may be async and take its time."""

    def __init__(self) -> None:
        self.peer: tuple[str, int] = ("", 0)
        self.helo = ""

    def on_connect(self) -> Asked:
        return None

    def on_helo(self, name: str) -> Asked:
        return None

    def on_auth(self, username: str, password: str) -> Asked:
        """Credentials, in a server that takes them. A positive reply (235) lets the session in."""
        return Reply(535, "5.7.8 nobody is let in here")

    def on_mail(self, sender: str) -> Asked:
        return None

    def on_rcpt(self, envelope: Envelope, recipient: str) -> Asked:
        return None

    def on_data_start(self, envelope: Envelope) -> Asked:
        return None

    def on_message(self, envelope: Envelope, raw: bytes) -> Asked:
        """The whole message, dots unstuffed, CRLF lines. A positive reply means that the owner has it for good."""
        return None

    def on_close(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server and one session may use."""

    message_bytes: int = 25 * 1024 * 1024
    command_bytes: int = 2048
    recipients: int = 100
    errors: int = 20
    idle_commands: int = 200  # commands in a row that carry no mail: NOOP, RSET, EHLO
    connections: int = 500
    idle_seconds: float = 300


def parse_path(argument: str) -> tuple[str, dict[str, str]] | None:
    """Split "<alice@example.net> SIZE=10 BODY=8BITMIME" into address and parameters; None when it is no path.

    RFC 5321 section 4.1.2. Source routes are not taken.
    """
    match = _PATH.match(argument)
    if match is None or match.group(1).startswith("@"):
        return None
    parameters: dict[str, str] = {}
    for word in (match.group(2) or "").split():
        keyword, _, value = word.partition("=")
        parameters[keyword.upper()] = value
    return match.group(1), parameters


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
