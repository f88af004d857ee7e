"""From the cells of a row to what is landed: the mapping made into one lean function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any
from zoneinfo import available_timezones

from standfast.components.audience.mapping import CUSTOM
from standfast.components.audience.typed_values import parser_of
from standfast.protocols.address import parse_address

TEXT_CHARS_MAX = 255
RAGGED = "more or fewer cells than the header"
_SLOTS = {"uid": 3, "first_name": 4, "last_name": 5, "phone": 6, "fax": 7}
_TIME_ZONE, _FIELDS, _TAGS = 8, 9, 10
_SEPARATORS = str.maketrans(";|", ",,")

Convert = Callable[[int, Sequence[str]], list[Any]]
"""(n, cells) to a row in IncomingRow's order, tags as a list of names; raises ValueError with the reason."""


def make_convert(
    *, mapping: Mapping[str, str], width: int, types: Mapping[str, tuple[str, str]], day_first: bool
) -> Convert:
    """`mapping` as in Import.mapping; `types` are custom fields, key to (type, label). Raises ValueError without an address."""
    at = {key: int(number) for number, key in mapping.items() if int(number) < width}
    if "email" not in at:
        raise ValueError("Choose which column holds the e-mail address.")
    email_at = at["email"]
    texts = [(slot, at[key], key.replace("_", " ")) for key, slot in _SLOTS.items() if key in at]
    customs = [
        (f"{encode_basestring(key)}:", number, parser_of(types[key][0], day_first=day_first), types[key][1])
        for name, number in at.items()
        if name.startswith(CUSTOM) and (key := name[len(CUSTOM) :]) in types
    ]
    zone_at, tags_at = at.get("time_zone"), at.get("tags")
    zones = available_timezones() if zone_at is not None else set()

    def convert(n: int, cells: Sequence[str]) -> list[Any]:
        if len(cells) != width and (len(cells) < width or any(cells[width:])):
            raise ValueError(RAGGED)
        email, key, _ = parse_address(cells[email_at])
        row: list[Any] = [n, email, key, None, None, None, None, None, None, None, None]
        for slot, number, name in texts:
            if text := cells[number].strip():
                if len(text) > TEXT_CHARS_MAX:
                    raise ValueError(f"the {name} is longer than {TEXT_CHARS_MAX} characters")
                row[slot] = text
        if customs:
            row[_FIELDS] = _fields(customs, cells)
        if zone_at is not None and (zone := cells[zone_at].strip()):
            if zone not in zones:
                raise ValueError("the time zone is unknown (write Europe/Berlin)")
            row[_TIME_ZONE] = zone
        if tags_at is not None and (names := cells[tags_at].strip()):
            row[_TAGS] = [name for part in names.translate(_SEPARATORS).split(",") if (name := part.strip()[:255])]
        return row

    return convert


def _fields(customs: Sequence[tuple[str, int, Callable[[str], str], str]], cells: Sequence[str]) -> str | None:
    pieces = []
    for prefix, number, parse, label in customs:
        if text := cells[number].strip():
            try:
                pieces.append(prefix + parse(text))
            except ValueError as error:
                raise ValueError(f"{label}: {error}") from None
    return "{" + ",".join(pieces) + "}" if pieces else None
