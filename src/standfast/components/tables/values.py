"""Values of a row, from what programs send: as they are kept in JSON, or ValueError with a reason."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from typing import Any

from standfast.components.tables.columns import Column, DataType
from standfast.protocols.address import AddressError, parse_address

Stored = str | int | float | bool | None
_RANGES = {DataType.INTEGER: 2**31, DataType.BIGINT: 2**63}
_FLOAT_MOST = 1e19  # Float(24,5): 19 figures before the point
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}(?:\.0{1,20})?")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_AMERICAN = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})(?:[ T](.{4,20}))?")
_YES, _NO = frozenset({"1", "true", "yes", "on", "t"}), frozenset({"0", "false", "no", "off", "f"})
_YEAR_LEAST = 1000


def typed(column: Column, value: Any, *, zone: dt.tzinfo) -> Stored:
    """A value as the column keeps it; None is null, and so is "" but in texts. Raises ValueError.

    zone: of dates and times that name none. A DateTime is kept as ISO 8601 in UTC, an Email as envelopes want it.
    """
    if value is None or (value == "" and column.data_type not in (DataType.STRING, DataType.TEXT)):
        return None
    if not isinstance(value, str | int | float):
        raise ValueError("must be one value, not a list or an object")
    if column.data_type is DataType.DATETIME:
        return _moment(value, zone)
    return _TYPES[column.data_type](value, column)


def found_by(column: Column, stored: Stored) -> str | None:
    """The text that rows are found by; None for null. The SQL of `build-entries` says the same."""
    if stored is None:
        return None
    if isinstance(stored, bool):
        return "true" if stored else "false"
    return str(stored).lower() if column.data_type is DataType.EMAIL else str(stored)


def _text(value: str | int | float, column: Column) -> str:
    text = _plain(value)
    size = len(text.encode()) if column.data_type is DataType.TEXT else len(text)
    if size > (column.length or 0):
        unit = "bytes" if column.data_type is DataType.TEXT else "characters"
        raise ValueError(f"is longer than {column.length:,} {unit}")
    return text


def _plain(value: str | int | float) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\x00" in text or not _encodes(text):
        raise ValueError("holds a character that cannot be stored")
    return text


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _uid(value: str | int | float, column: Column) -> str | None:
    return _text(_plain(value).strip(), column) or None


def _whole(value: str | int | float, column: Column) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value.strip().partition(".")[0])
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("is not a whole number")
    most = _RANGES[column.data_type]
    if not -most <= value < most:
        raise ValueError(f"is out of the range of {column.data_type}")
    return value


def _float(value: str | int | float, _: Column) -> float:
    if isinstance(value, bool) or (isinstance(value, str) and not _DECIMAL.fullmatch(value.strip())):
        raise ValueError("is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not abs(number) < _FLOAT_MOST:
        raise ValueError("is out of the range of Float (19 figures before the point)")
    return round(number, 5) + 0.0  # no negative zero


def _boolean(value: str | int | float, _: Column) -> bool:
    text = str(value).strip().lower() if not isinstance(value, float) else f"{value:g}"
    if text in _YES or text in _NO:
        return text in _YES
    raise ValueError("is neither 1 nor 0")


def _email(value: str | int | float, _: Column) -> str:
    try:
        return parse_address(str(value)).email
    except AddressError as error:
        raise ValueError(f"is no address: {error.reason}") from None


def _moment(value: str | int | float, zone: dt.tzinfo) -> str:
    if not isinstance(value, str):
        raise ValueError(_NO_DATE)
    text = value.strip()
    try:
        if found := _AMERICAN.fullmatch(text):
            month, day, year = (int(found[n]) for n in (1, 2, 3))
            at = dt.datetime.combine(dt.date(year, month, day), dt.time.fromisoformat(found[4] or "00:00"))
        else:
            at = dt.datetime.fromisoformat(text)
        moment = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise ValueError(_NO_DATE) from None
    if moment.year < _YEAR_LEAST:
        raise ValueError(f"lies before the year {_YEAR_LEAST}")
    return moment.isoformat(timespec="milliseconds")


_NO_DATE = "is no date (write MM/DD/YYYY, YYYY-MM-DD or ISO 8601)"
_TYPES: dict[DataType, Callable[[str | int | float, Column], Stored]] = {
    DataType.STRING: _text, DataType.TEXT: _text, DataType.FLOAT: _float, DataType.INTEGER: _whole,
    DataType.BIGINT: _whole, DataType.BOOLEAN: _boolean, DataType.EMAIL: _email, DataType.UID: _uid,
}  # fmt: skip
