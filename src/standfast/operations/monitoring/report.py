"""What a vantage tells the controller: one report a round, one outcome for each check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why an outcome is bad; GOOD when it is not."""

    GOOD = "good"
    REFUSED = "refused"  # connection refused
    TIMEOUT = "timeout"  # nothing, or not everything, within the check's time
    RESET = "reset"
    UNREACHABLE = "unreachable"  # no route, network down
    UNRESOLVED = "unresolved"  # the name in a TCP, TLS or HTTP check did not resolve
    SERVFAIL = "servfail"
    NXDOMAIN = "nxdomain"
    EMPTY = "empty"  # NOERROR without an answer
    WRONG_ANSWER = "wrong_answer"  # another answer than expected
    LAME = "lame"  # not authoritative, or REFUSED, for a zone it should serve
    TLS_EXPIRED = "tls_expired"
    TLS_NAME = "tls_name"
    TLS_ISSUER = "tls_issuer"
    TLS_PIN = "tls_pin"
    TLS_OTHER = "tls_other"
    STATUS = "status"  # HTTP status
    BODY = "body"  # HTTP body lacks what must be there
    SLOW = "slow"  # complete, but over the budget
    GREETING = "greeting"  # SMTP or FTP greeting, EHLO
    PROTOCOL = "protocol"  # an answer that is not one
    MISCONFIGURED = "misconfigured"  # the check cannot be run as written


@dataclass(frozen=True, slots=True)
class Outcome:
    """One probe. `detail` is one line for people; `seen` the answer's fingerprint (addresses, issuer, status)."""

    check: str
    reason: Reason
    detail: str
    milliseconds: float
    seen: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return self.reason is Reason.GOOD


@dataclass(frozen=True, slots=True)
class Report:
    """One round of one vantage. `boot` changes when the vantage starts anew; rounds count up within a boot.

    offline: the vantage cannot reach its own reference points either, so its outcomes say nothing and it is not counted.
    """

    vantage: str
    boot: str
    round: int
    outcomes: tuple[Outcome, ...]
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    """What one vantage saw of a check when the detector judged it; `failures` in a row, 0 when good."""

    vantage: str
    reason: Reason
    detail: str
    failures: int
    age_seconds: float


@dataclass(frozen=True, slots=True)
class CheckDown:
    check: str
    votes: tuple[Vote, ...]  # of every vantage that reports


@dataclass(frozen=True, slots=True)
class CheckUp:
    check: str
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class VantageAbsent:
    vantage: str
    why: str  # "silent" or "offline"


@dataclass(frozen=True, slots=True)
class VantageBack:
    vantage: str


@dataclass(frozen=True, slots=True)
class Blind:
    """Fewer vantages report than a quorum needs: nothing is judged until `Sighted`."""

    reporting: int


@dataclass(frozen=True, slots=True)
class Sighted:
    reporting: int


@dataclass(frozen=True, slots=True)
class Gap:
    """The controller itself stood still (suspended, starved) or the wall clock jumped; what came before is not judged on."""

    seconds: float
    why: str  # "stood still" or "clock jumped"


Finding = CheckDown | CheckUp | VantageAbsent | VantageBack | Blind | Sighted | Gap
