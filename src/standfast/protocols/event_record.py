"""An event as bytes, for a spool: compact JSON, a list whose first item is the version of the form.

    [1, account_id, unix microseconds, kind, contact_id, send_id, seq, data]

What comes from outside is cleaned when it is read back, because PostgreSQL's jsonb takes neither U+0000 nor half of a
surrogate pair, and an event must never be stuck behind a character.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT8_MAX, _INT4_MAX = 2**63 - 1, 2**31 - 1  # the event log's columns
_decode = json.JSONDecoder().decode
json_text = json.encoder.encode_basestring_ascii
"""A string as JSON in ASCII, with its quotes."""


class RecordError(ValueError):
    """The bytes are not an event."""


class EventRecord(NamedTuple):
    """One event. `at` is aware UTC, `kind` a past participle, `data` holds JSON values."""

    account_id: int
    at: datetime
    kind: str
    contact_id: int | None
    send_id: int | None
    seq: int | None
    data: dict[str, Any]


def encode_event(
    *,
    account_id: int,
    at_us: int,
    kind: str,
    contact_id: int | None = None,
    send_id: int | None = None,
    seq: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> bytes:
    """The bytes of an event; `at_us` is unix time in microseconds. Raises TypeError for data that JSON cannot hold."""
    # Put together by hand: JSONEncoder costs three times as much.
    items = ",".join([f"{json_text(key)}:{_value(value)}" for key, value in data.items()]) if data else ""
    ids = f"{_number(contact_id)},{_number(send_id)},{_number(seq)}"
    return f"[{VERSION},{account_id},{at_us},{json_text(kind)},{ids},{{{items}}}]".encode("ascii")


def encode_prepared(  # noqa: PLR0917 - of the busiest path, where names cost
    kind: str, account_id: int, at_us: int, contact_id: int, send_id: int, seq: int, items: str
) -> bytes:
    """`encode_event` for the tracker, which has most of an event's data ready as JSON.

    `kind` holds letters only; `items` are the members of the data object, in ASCII (see json_text), without its braces.
    """
    return f'[{VERSION},{account_id},{at_us},"{kind}",{contact_id},{send_id},{seq},{{{items}}}]'.encode("ascii")


def decode_event(payload: bytes) -> EventRecord:
    """The event of `encode_event`. Raises RecordError for anything else."""
    try:
        fields = _decode(payload.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not JSON: {error}") from None
    if not isinstance(fields, list) or len(fields) != 8 or fields[0] != VERSION:
        raise RecordError(f"not an event of version {VERSION}")
    _, account_id, at_us, kind, contact_id, send_id, seq, data = fields
    ids_fit = (
        _fits(account_id, _INT8_MAX)
        and (contact_id is None or _fits(contact_id, _INT8_MAX))
        and (send_id is None or _fits(send_id, _INT8_MAX))
        and (seq is None or _fits(seq, _INT4_MAX))
    )
    if type(at_us) is not int or not ids_fit:
        raise RecordError("an id or the time is not a number, or too large")
    if not isinstance(kind, str) or not kind or not isinstance(data, dict):
        raise RecordError("the kind or the data is of the wrong type")
    try:
        at = _EPOCH + timedelta(microseconds=at_us)
    except OverflowError:
        raise RecordError("the time is out of range") from None
    if b"\\u0000" in payload or b"\\ud" in payload:
        data = _cleaned(data)
    return EventRecord(account_id, at, kind, contact_id, send_id, seq, data)


def _fits(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json_text(value)
    return str(value) if type(value) is int else json.dumps(value, separators=(",", ":"))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value
