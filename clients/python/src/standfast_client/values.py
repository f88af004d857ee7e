"""What goes to the API and comes from it: values left out, times, the body of a call."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypedDict

Moment: TypeAlias = str
"""A time in an answer: ISO 8601 with its offset, for `datetime.datetime.fromisoformat`."""
When: TypeAlias = dt.datetime | str
"""A time that is sent: an aware datetime, or ISO 8601."""
Amount: TypeAlias = Decimal | float | str
FieldValue: TypeAlias = str | int | float | bool | None


class Unset(Enum):
    """The type of UNSET, for `name: str | Unset = UNSET`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final[Literal[Unset.UNSET]] = Unset.UNSET
"""Left out: what is there stays as it is. None is a value of its own: it empties a field."""


class Reading(TypedDict, total=False):
    """What every reading call takes besides its own arguments."""

    fields: Sequence[str]
    """Only these fields of each resource; the others are then missing from the answer."""
    timeout: float | None
    """Seconds, for this call."""


class Writing(TypedDict, total=False):
    """What every writing call takes besides its own arguments."""

    idempotency_key: str
    """Yours, where your program may make the call again after it ended itself: the same key is the same call, for seven days.
    Without it the client makes one, for its own repetitions."""
    timeout: float | None
    """Seconds, for this call."""


class Guarded(Writing, total=False):
    """What calls take that change a version."""

    if_match: str
    """The `etag` of what you read: `Changed` is raised, and nothing done, where it is another by now."""


class Count(TypedDict):
    """How many a call changed."""

    changed: int


def given(**values: Any) -> dict[str, Any]:
    """The values that were not left out."""
    return {name: value for name, value in values.items() if value is not UNSET}


def encoded(body: Any) -> bytes:
    """JSON. Raises ValueError for a time without an offset, TypeError for what has no JSON."""
    return json.dumps(body, default=_plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
        "utf-8", "strict"
    )


def parameters(**values: Any) -> list[tuple[str, str]]:
    """Query parameters; what is None or UNSET is left out, `fields` are joined with commas, other lists are repeated."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        if value is None or value is UNSET:
            continue
        if name == "fields":
            value = ",".join([value] if isinstance(value, str) else value)
        many = value if isinstance(value, Iterable) and not isinstance(value, str | Mapping) else [value]
        pairs += [(name, _text(each)) for each in many]
    return pairs


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(_plain(value)) if isinstance(value, dt.datetime) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise ValueError(f"The time {value} has no offset. Send an aware one, such as datetime.now(timezone.utc).")
        return value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"A {type(value).__name__} cannot be sent as JSON.")
