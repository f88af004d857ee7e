"""How a report travels: JSON, signed with the vantage's key over the controller's own challenge and the body.

A challenge is good for a few seconds of the controller's monotonic time, and rounds only count up within it, so that a
report can neither be made up, nor replayed, nor held back and delivered later; and no two wall clocks need to agree, so
that a clock that jumps an hour silences nobody. Whoever has no good challenge is answered 409 with one and asks again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from pathlib import Path

from standfast.operations.clock import Clock
from standfast.operations.map import Map, MapError, Vantage
from standfast.operations.monitoring.report import Outcome, Reason, Report

KEY_MIN = 16
BODY_MAX = 1 << 20
OUTCOMES_MAX = 5000
TEXT_MAX = 1000


class Unreadable(Exception):
    """Not a report; the text says why."""


def encode(report: Report) -> bytes:
    """The body of the POST."""
    outcomes = [
        {"check": one.check, "reason": one.reason, "detail": one.detail, "ms": one.milliseconds, "seen": one.seen}
        for one in report.outcomes
    ]
    table = {"vantage": report.vantage, "boot": report.boot, "round": report.round, "offline": report.offline}
    return json.dumps({**table, "outcomes": outcomes}, ensure_ascii=False, separators=(",", ":")).encode()


def decode(body: bytes) -> Report:
    """The report of a body. Raises Unreadable."""
    try:
        table = json.loads(body)
        outcomes = [
            Outcome(
                _text(one["check"]),
                Reason(one["reason"]),
                _text(one["detail"]),
                float(one["ms"]),
                tuple(_text(part) for part in one["seen"]),
            )
            for one in table["outcomes"][:OUTCOMES_MAX]
        ]
        number, offline = table["round"], table["offline"]
        if type(number) is not int or type(offline) is not bool:
            raise TypeError("round must be a number and offline true or false")
        return Report(_text(table["vantage"]), _text(table["boot"]), number, tuple(outcomes), offline)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise Unreadable(f"not a report: {type(error).__name__}: {error}") from error


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise TypeError(f"a text of at most {TEXT_MAX} characters is expected")
    return value


def sign(key: bytes, challenge: str, body: bytes) -> str:
    """HMAC-SHA256, hex."""
    return hmac.new(key, challenge.encode() + b"\n" + body, hashlib.sha256).hexdigest()


def signed_so(key: bytes, challenge: str, body: bytes, signature: str) -> bool:
    return hmac.compare_digest(sign(key, challenge, body).encode(), signature.encode())


def key_of(the_map: Map, vantage: Vantage) -> bytes:
    """The vantage's secret. Raises MapError when its file cannot be used."""
    path: Path = the_map.file(vantage.key_file)
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise MapError(path, [f"the key of vantage {vantage.id} cannot be read: {error.strerror}"]) from error
    if len(key) < KEY_MIN:
        raise MapError(path, [f"the key of vantage {vantage.id} is shorter than {KEY_MIN} bytes"])
    return key


class Challenges:
    """Made and known again without keeping any: the time of making and its digest under a secret of this process."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        self._clock, self._seconds, self._secret = clock, seconds, secrets.token_bytes(32)

    def make(self) -> str:
        stamp = f"{self._clock.monotonic():.3f}"
        return f"{stamp}.{self._digest(stamp)}"

    def good(self, challenge: str) -> bool:
        """Whether we made it, and a short time ago."""
        stamp, _, digest = challenge.rpartition(".")
        if not hmac.compare_digest(self._digest(stamp).encode(), digest.encode()):
            return False
        return 0 <= self._clock.monotonic() - float(stamp) + 0.001 <= self._seconds

    def _digest(self, stamp: str) -> str:
        return hmac.new(self._secret, stamp.encode(), hashlib.sha256).hexdigest()[:32]
