"""Values of custom fields from what people write: to JSON text, or ValueError with a reason."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from json.encoder import encode_basestring

TEXT_CHARS_MAX = 10_000
_NUMBER = re.compile(r"[+-]?(?:\d{1,15}|\d{1,3}(?:[ \u00a0']\d{3}){1,4})(?:[.,]\d{1,10})?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3}){1,4}(?:\.\d{1,10})?")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})")
_YES = frozenset({"yes", "y", "true", "t", "1", "on", "x", "oui", "o", "ja", "j", "si", "sí", "sì", "vrai", "wahr"})
_NO = frozenset({"no", "n", "false", "f", "0", "off", "non", "nein", "faux", "falsch"})

Parse = Callable[[str], str]
# The values of models.FieldType: the process that reads a file runs without Django.
TEXT, NUMBER, DATE, DATETIME, BOOLEAN = "text", "number", "date", "datetime", "boolean"


def parser_of(field_type: str, *, day_first: bool = False) -> Parse:
    """A function from a cell that is not empty to JSON text; it raises ValueError("is no number") and the like."""
    if field_type == DATE:
        return lambda text: f'"{_date(text, day_first)}"'
    if field_type == DATETIME:
        return lambda text: f'"{_datetime(text, day_first)}"'
    return {NUMBER: _number, BOOLEAN: _boolean}.get(field_type, _text)


def guess_type(values: list[str]) -> str:
    """The narrowest type that takes every value of a sample; text where there is none."""
    given = [value for value in values if value.strip()]
    if not given:
        return TEXT
    for kind in (NUMBER, DATE, DATETIME, BOOLEAN):
        parse = parser_of(kind, day_first=guess_day_first(given))
        try:
            for value in given:
                parse(value.strip())
                if kind == NUMBER and re.match(r"[+0]\d", value.strip()):
                    raise ValueError("a leading zero belongs to a code or a telephone number")
        except ValueError:
            continue
        return kind
    return TEXT


def guess_day_first(values: list[str]) -> bool:
    """Whether dates with slashes begin with the day: a first part above 12 proves it."""
    return any((found := _DATE.match(value.strip())) and 12 < int(found[1]) <= 31 for value in values)


def _text(text: str) -> str:
    if len(text) > TEXT_CHARS_MAX:
        raise ValueError(f"is longer than {TEXT_CHARS_MAX:,} characters")
    return encode_basestring(text)


def _number(text: str) -> str:
    if text.isdigit() and text.isascii() and len(text) < 16:
        return text.lstrip("0") or "0"
    if _GROUPED.fullmatch(text):
        plain = text.replace(",", "")
    elif _NUMBER.fullmatch(text):
        plain = re.sub(r"[ \u00a0']", "", text).replace(",", ".")
    else:
        raise ValueError("is no number")
    value = float(plain)
    return str(int(value)) if value.is_integer() else repr(value)


def _boolean(text: str) -> str:
    low = text.lower()
    if low in _YES:
        return "true"
    if low in _NO:
        return "false"
    raise ValueError("is neither yes nor no")


def _date(text: str, day_first: bool) -> str:
    if _ISO_DATE.fullmatch(text):
        try:
            return dt.date.fromisoformat(text).isoformat()
        except ValueError as error:
            raise ValueError("is no day of the calendar") from error
    found = _DATE.fullmatch(text)
    if found is None:
        moment = re.match(r"(\S{8,10})[T ]00:00(:00)?(\.0+)?Z?$", text)
        if moment is None:
            raise ValueError("is no date (write 2024-12-31)")
        return _date(moment[1], day_first)
    one, mark, two, three = found[1], found[2], int(found[3]), found[4]
    if len(one) == 4:
        year, month, day = int(one), two, int(three)
    elif len(three) == 4:
        first_is_day = day_first or mark == "." or int(one) > 12
        year, month, day = int(three), *((two, int(one)) if first_is_day else (int(one), two))
    else:
        raise ValueError("has no year of four figures")
    try:
        return dt.date(year, month, day).isoformat()
    except ValueError as error:
        raise ValueError("is no day of the calendar") from error


def _datetime(text: str, day_first: bool) -> str:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        day, _, time = text.replace("T", " ").partition(" ")
        try:
            moment = dt.datetime.combine(
                dt.date.fromisoformat(_date(day, day_first)), dt.time.fromisoformat(time or "00")
            )
        except ValueError as error:
            raise ValueError("is no date and time (write 2024-12-31 18:30)") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    try:
        return moment.astimezone(dt.UTC).isoformat()
    except OverflowError as error:
        raise ValueError("is no date and time") from error
