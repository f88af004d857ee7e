"""What may be wrong with a content: shown while it is written and checked again before it is sent."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"  # must be put right before anything is sent
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Problem:
    """`line` counts from 1 in the user's HTML or MJML source; 0 where it belongs to no line."""

    severity: Severity
    line: int
    what: str
    remedy: str
