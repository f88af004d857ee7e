"""What an SMTP server asks its owner, and how the owner answers. RFC 5321; no sockets here."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeAlias

from .smtp_outcome import Reply

_PATH = re.compile(r'\s*<((?:"(?:[^"\\]|\\.)*"|[^<>"\s])*)>(?:\s+(.*))?\Z')


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
    idle_commands: int = 200  # commands in a row that carry no mail: NOOP, VRFY, RSET, EHLO
    connections: int = 500
    connections_of_address: int = 0  # 0: as many as there may be in all
    held_bytes: int = 256 * 1024 * 1024  # of messages that are still coming in, on all connections
    idle_seconds: float = 300  # within it a command is whole, and 16 KB of a message or all of it are here
    auth_failures: int = 3
    auth_delay_seconds: float = 1.0  # before a failed AUTH is answered


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
