"""Values as vendors' headers write them: JSON objects, yes and no, addresses, moments."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping
from email.utils import parseaddr
from typing import Any

from standfast.protocols.address import AddressError, parse_address
from standfast.services.smtp_api.order import Order, OrderRefused

METADATA_MAX = 50
TEXT_MAX = 500
FILLED_MAX = 20_000_000  # characters of one text with its tags filled in


def table(header: str, text: str) -> dict[str, Any]:
    """A JSON object. Raises OrderRefused."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OrderRefused(f"{header} is no JSON: {str(error)[:80]}") from error
    if not isinstance(found, dict):
        raise OrderRefused(f"{header} must be a JSON object")
    if "\\u0000" in json.dumps(found):
        raise OrderRefused(f"{header} holds a character that cannot be stored")
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise OrderRefused(f"{header} holds a character that cannot be stored") from error
    return found


def yes(text: Any) -> bool:
    return str(text).strip().lower() in ("yes", "true", "1", "on", "htmlonly", "html", "all")


def text_of(value: Any) -> str:
    """A value as it stands in a message: true and numbers as JSON writes them, null as nothing."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def filled(header: str, pattern: re.Pattern[str], text: str, value_of: Callable[[re.Match[str]], str]) -> str:
    """The text with each match replaced. Raises OrderRefused as soon as it grows too large, not when it is made."""
    pieces, done, size = list[str](), 0, len(text)
    for match in pattern.finditer(text):
        value = value_of(match)
        size += len(value) - len(match[0])
        if size > FILLED_MAX:
            raise too_large(header)
        pieces += (text[done : match.start()], value)
        done = match.end()
    return "".join([*pieces, text[done:]])


def too_large(header: str) -> OrderRefused:
    return OrderRefused(f"{header}: the substitutions make the message too large")


def address_of(header: str, text: Any) -> str:
    """The address of `Name <address>`. Raises OrderRefused."""
    try:
        return parse_address(parseaddr(text)[1] if isinstance(text, str) else "").email
    except AddressError as error:
        raise OrderRefused(f"{header}: {str(text)[:100]!r} is no address") from error


def unix_moment(header: str, value: Any) -> dt.datetime:
    """Seconds since 1970. Raises OrderRefused."""
    try:
        return dt.datetime.fromtimestamp(int(value), dt.UTC)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise OrderRefused(f"{header}: {str(value)[:40]!r} is no time in seconds since 1970") from error


def add_tags(order: Order, tags: Iterable[Any], *, vendor: str) -> None:
    """Tags; the first names the campaign, the vendor does where there is none."""
    cleaned = [text for tag in tags if (text := " ".join(text_of(tag).split())[:50])]
    order.tags += cleaned
    order.campaign = order.campaign or (cleaned[0] if cleaned else "")
    order.vendor = order.vendor or vendor


def add_metadata(order: Order, header: str, values: Mapping[str, Any]) -> None:
    """Kept with the message. Raises OrderRefused for more than is reasonable."""
    for name, value in values.items():
        order.metadata[name[:100]] = text_of(value)[:TEXT_MAX]
    if len(order.metadata) > METADATA_MAX:
        raise OrderRefused(f"{header} has more than {METADATA_MAX} values")
