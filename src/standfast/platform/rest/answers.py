"""Answers in the reference product's shapes: bare arrays with `total_pages` on each element, Rails' XML, its dates."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")  # the reference product writes every time so


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint returns. body: an object, a list, or None for an empty answer (204). root names it in XML."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    root: str = "hash"


def paged(rows: Sequence[Mapping[str, Any]], *, total: int, per: int, root: str) -> Answer:
    """A list as the product gives it: past the end it is empty."""
    pages = max(-(-total // per), 1)
    return Answer([{**row, "total_pages": pages} for row in rows], root=root)


def moment(at: dt.datetime | None) -> str | None:
    """ISO 8601 with milliseconds and Eastern offset: 2019-08-20T09:30:17.000-04:00."""
    return at.astimezone(EASTERN).isoformat(timespec="milliseconds") if at is not None else None


def to_json(value: Any) -> bytes:
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":")).encode()


def to_xml(value: Any, root: str) -> bytes:
    """Rails' XML of a value: hyphens for underscores, type="array", nil="true"."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(parts, root, value)
    return "".join(parts).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return moment(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _write(parts: list[str], name: str, value: Any) -> None:
    tag = _tag(name)
    if isinstance(value, Mapping):
        parts.append(f"<{tag}>")
        for key, each in value.items():
            _write(parts, str(key), each)
        parts.append(f"</{tag}>")
    elif isinstance(value, list | tuple):
        parts.append(f'<{tag} type="array">')
        for each in value:
            _write(parts, _singular(name), each)
        parts.append(f"</{tag}>")
    elif value is None:
        parts.append(f'<{tag} nil="true"/>')
    elif isinstance(value, bool):
        parts.append(f'<{tag} type="boolean">{str(value).lower()}</{tag}>')
    elif isinstance(value, int):
        parts.append(f'<{tag} type="integer">{value}</{tag}>')
    else:
        text = value if isinstance(value, str) else str(_plain(value) if not isinstance(value, float) else value)
        parts.append(f"<{tag}>{escape(_xml_text(text))}</{tag}>")


def _tag(name: str) -> str:
    tag = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in name)
    return tag if tag[:1].isalpha() else f"f-{tag}"


def _singular(name: str) -> str:
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s") or "item"


def _xml_text(text: str) -> str:
    """XML 1.0 section 2.2: most control characters cannot stand in it, not even escaped."""
    return "".join(letter for letter in text if letter >= " " or letter in "\t\n\r")
