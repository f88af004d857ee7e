"""Rows sent while they are read: JSON one object a line, Rails' XML, or CSV; never more than a piece in memory."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.http import StreamingHttpResponse

from standfast.platform import tenancy
from standfast.platform.rest.answers import EASTERN, Answer, to_json, to_xml

PIECE_ROWS = 500
TYPES = {
    "json": "application/json; charset=utf-8",
    "xml": "application/xml; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def streamed_answer(
    *, account_id: int, form: str, columns: Sequence[str], rows: Callable[[], Iterator[Mapping[str, Any]]]
) -> Answer:
    """An answer whose rows are read in a transaction of their own, in the account's scope, while they are sent.

    The transaction of the call has ended by then: `rows` is called in the new one.
    """

    def pieces() -> Iterator[bytes]:
        with tenancy.account_scope(account_id):
            waiting: list[bytes] = []
            for part in _FORMS[form](columns, rows()):
                waiting.append(part)
                if len(waiting) >= PIECE_ROWS:
                    yield b"".join(waiting)
                    waiting.clear()
            yield b"".join(waiting)

    return Answer(StreamingHttpResponse(pieces(), content_type=TYPES[form]))


def _json(_: Sequence[str], rows: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield to_json(row) + b"\n"


def _xml(_: Sequence[str], rows: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    yield _DECLARATION + b'<records type="array">'
    for row in rows:
        yield to_xml(row, "record").removeprefix(_DECLARATION)
    yield b"</records>\n"


def _csv(columns: Sequence[str], rows: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    """RFC 4180; dates as 2016-05-25 08:03:44 -0400; nothing that a spreadsheet would run as a formula."""
    written: list[str] = []
    writer = csv.writer(_Into(written))
    writer.writerow([_cell(name) for name in columns])
    for row in rows:
        flat = {**row, **{f"contact.{name}": value for name, value in (row.get("contact") or {}).items()}}
        writer.writerow([_cell(flat.get(name)) for name in columns])
        yield "".join(written).encode()
        written.clear()
    yield "".join(written).encode()


_FORMS: dict[str, Callable[[Sequence[str], Iterator[Mapping[str, Any]]], Iterator[bytes]]] = {
    "json": _json,
    "xml": _xml,
    "csv": _csv,
}


class _Into:
    """What csv.writer writes to."""

    def __init__(self, pieces: list[str]) -> None:
        self.write = pieces.append


def _cell(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S %z")
    if isinstance(value, list | dict):
        return to_json(value).decode()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
