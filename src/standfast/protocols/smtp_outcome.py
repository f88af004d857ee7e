"""What can become of one SMTP transaction, and of one attempt to connect: closed types, and never more than is known.

RFC 5321 (SMTP), RFC 2034 and RFC 3463 (enhanced status codes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")


class Stage(StrEnum):
    """Where in the dialogue something happened."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    TLS = "tls"
    AUTH = "auth"
    QUEUED = "queued"  # nothing of this message was said to the server yet
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"  # 354 received, final dot not written
    DOT = "dot"  # final dot written


@dataclass(frozen=True, slots=True)
class Accepted:
    """2xx after the final dot: the server has taken responsibility."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Certainly not delivered, and worth another attempt: a 4xx, or the connection was lost before the final dot.

    code is 0 and enhanced is "" when no reply says so; enhanced is "4.4.2" style when the server gave one.
    """

    code: int
    enhanced: str
    text: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class Refused:
    """Certainly not delivered, and another attempt would get the same answer: a 5xx (or our own check, see text)."""

    code: int
    enhanced: str
    text: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The final dot was written and no intelligible reply came: the message may or may not have been delivered."""

    text: str


Outcome: TypeAlias = Accepted | Deferred | Refused | Uncertain


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of a server: its code, and its lines joined with a newline."""

    code: int
    text: str


class SmtpConnectError(Exception):
    """No usable session came about. `permanent` means that a person has to change something before it can work."""

    def __init__(self, *, stage: Stage, code: int, text: str, permanent: bool) -> None:
        super().__init__(f"{stage}: {code or ''} {text}".replace("  ", " "))
        self.stage = stage
        self.code = code
        self.text = text
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for the server, in seconds; the defaults are the minima of RFC 5321 section 4.5.3.2."""

    greeting_seconds: float = 300
    command_seconds: float = 300  # EHLO, STARTTLS, AUTH, MAIL, RCPT, RSET
    data_start_seconds: float = 120
    data_block_seconds: float = 180
    dot_seconds: float = 600
    quit_seconds: float = 5


def split_enhanced(text: str) -> tuple[str, str]:
    """Split "5.1.1 no such user" into ("5.1.1", "no such user"); without an enhanced code the first part is ""."""
    match = _ENHANCED.match(text)
    if match is None:
        return "", text
    # Multi-line replies repeat the code on each line (RFC 2034 section 4).
    code = match.group(1)
    lines = [line.removeprefix(code).strip() for line in text.strip().split("\n")]
    return code, " ".join(line for line in lines if line)
