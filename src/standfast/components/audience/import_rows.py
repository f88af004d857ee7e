"""From the cells of a row to a line that COPY takes: the mapping made into one lean function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring
from zoneinfo import available_timezones

from standfast.components.audience.mapping import CUSTOM
from standfast.components.audience.typed_values import parser_of
from standfast.protocols.address import parse_address

TEXT_CHARS_MAX = 255
RAGGED = "more or fewer cells than the header"
_TEXTS = ("uid", "first_name", "last_name", "phone", "fax")
_SEPARATORS = str.maketrans(";|", ",,")
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NOT_GIVEN = "\\N"

Convert = Callable[[int, Sequence[str], dict[str, int]], tuple[str, str]]
"""(n, cells, numbers) to the address's key and the line; names of tags are numbered from 1 in `numbers`, which grows.
Raises ValueError with the reason for refusing the row."""


def columns_of(mapping: Mapping[str, str]) -> list[str]:
    """The columns of audience_incoming that the lines of this mapping hold, in their order."""
    keys = set(mapping.values())
    columns = ["n", "email", "email_key", *(key for key in _TEXTS if key in keys)]
    if any(key.startswith(CUSTOM) for key in keys):
        columns.append("fields")
    return columns + [column for key, column in (("time_zone", "time_zone"), ("tags", "tag_ids")) if key in keys]


def make_convert(
    *, mapping: Mapping[str, str], width: int, types: Mapping[str, tuple[str, str]], day_first: bool
) -> Convert:
    """`mapping` as in Import.mapping; `types` are custom fields, key to (type, label). Raises ValueError without an address."""
    at = {key: int(number) for number, key in mapping.items() if int(number) < width}
    if "email" not in at:
        raise ValueError("Choose which column holds the e-mail address.")
    email_at = at["email"]
    texts = [(at[key], key.replace("_", " ")) for key in _TEXTS if key in at]
    customs = [
        (f"{encode_basestring(key)}:", number, parser_of(types[key][0], day_first=day_first), types[key][1])
        for name, number in at.items()
        if name.startswith(CUSTOM) and (key := name[len(CUSTOM) :]) in types
    ]
    has_fields = any(name.startswith(CUSTOM) for name in at)
    zone_at, tags_at = at.get("time_zone"), at.get("tags")
    zones = available_timezones() if zone_at is not None else set()

    def convert(n: int, cells: Sequence[str], numbers: dict[str, int]) -> tuple[str, str]:
        if len(cells) != width and (len(cells) < width or any(cells[width:])):
            raise ValueError(RAGGED)
        email, key, _ = parse_address(cells[email_at])
        line = [str(n), email, key] if "\\" not in email else [str(n), _copied(email), _copied(key)]
        for number, name in texts:
            text = cells[number].strip()
            if len(text) > TEXT_CHARS_MAX:
                raise ValueError(f"the {name} is longer than {TEXT_CHARS_MAX} characters")
            line.append(_copied(text) if text else _NOT_GIVEN)
        if has_fields:
            line.append(_fields(customs, cells))
        if zone_at is not None:
            line.append(_zone(cells[zone_at].strip(), zones))
        if tags_at is not None:
            line.append(_tags(cells[tags_at], numbers))
        return key, "\t".join(line)

    return convert


def _copied(text: str) -> str:
    """As COPY's text format wants it."""
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPED)


def _fields(customs: Sequence[tuple[str, int, Callable[[str], str], str]], cells: Sequence[str]) -> str:
    pieces = []
    for prefix, number, parse, label in customs:
        if text := cells[number].strip():
            try:
                pieces.append(prefix + parse(text))
            except ValueError as error:
                raise ValueError(f"{label}: {error}") from None
    return "{" + ",".join(pieces).replace("\\", "\\\\") + "}" if pieces else _NOT_GIVEN


def _zone(zone: str, zones: set[str]) -> str:
    if zone and zone not in zones:
        raise ValueError("the time zone is unknown (write Europe/Berlin)")
    return zone or _NOT_GIVEN


def _tags(cell: str, numbers: dict[str, int]) -> str:
    names = {name for part in cell.translate(_SEPARATORS).split(",") if (name := part.strip()[:255])}
    if not names:
        return _NOT_GIVEN
    return "{" + ",".join(str(numbers.setdefault(name, len(numbers) + 1)) for name in sorted(names)) + "}"
