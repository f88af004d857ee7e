"""Dates of orders as shops write them."""

from __future__ import annotations

import datetime as dt
import re

FIRST, LAST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
_OFFSET = re.compile(r"\s+([+-]\d\d:?\d\d)$")
_UTC = re.compile(r"\s*(?:UTC|GMT)$", re.IGNORECASE)
_AMERICAN = ("%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p")


def read_date(text: str, *, zone: dt.tzinfo) -> dt.datetime:
    """A moment in UTC; without an offset it is in `zone`. Raises ValueError with what to write.

    ISO 8601 in its forms, the same with a space before the offset or UTC, and month/day/year with or without a time.
    """
    given = text.strip()
    if not given.isascii() or len(given) > 40:
        raise ValueError("is no date (write 2019-08-20T09:30:17-04:00)")
    return placed(_parsed(_UTC.sub("+00:00", _OFFSET.sub(r"\1", given))), zone=zone)


def placed(at: dt.datetime, *, zone: dt.tzinfo) -> dt.datetime:
    """The moment in UTC, within what an order can have. Raises ValueError."""
    try:
        moment = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (OverflowError, ValueError):
        moment = LAST
    if not FIRST <= moment < LAST:
        raise ValueError(f"is not between {FIRST.year} and {LAST.year}")
    return moment


def _parsed(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _AMERICAN:
        try:
            return dt.datetime.strptime(text, form)  # noqa: DTZ007 - `placed` gives it its zone
        except ValueError:
            continue
    raise ValueError("is no date (write 2019-08-20T09:30:17-04:00)")
