"""`X-SMTPAPI`, one JSON object. A message for several recipients becomes one for each, with its own substitutions.

Source: Twilio SendGrid, "Building an X-SMTPAPI header", "Substitution tags", "Section tags", "Filter settings", "Scheduling".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from standfast.protocols.mime_rewrite import Letter
from standfast.services.smtp_api.dialects.header_values import (
    FILLED_MAX,
    add_metadata,
    add_tags,
    address_of,
    table,
    text_of,
    too_large,
)
from standfast.services.smtp_api.dialects.header_values import unix_moment as moment
from standfast.services.smtp_api.order import RECIPIENTS_MAX, Order, OrderRefused

HEADER = "X-SMTPAPI"
WORK_MAX = 10_000_000_000  # characters looked through for tags, of all recipients together: some seconds
WRITES = ("template", "templates", "footer")  # these would change what the message says, and we do not have them


def sendgrid(letter: Letter, order: Order) -> Letter:
    text = letter.value(HEADER)
    if text is None:
        return letter
    given = table(HEADER, text)
    category = given.get("category", [])
    add_tags(order, category if isinstance(category, list) else [category], vendor="SendGrid")
    add_metadata(order, HEADER, _object(given, "unique_args"))
    _filters(order, _object(given, "filters"))
    _recipients(order, given)
    _substitutions(order, given)
    return letter.without(lambda name: name == "x-smtpapi")


def _object(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = given.get(name) or {}
    if not isinstance(value, dict):
        raise OrderRefused(f"{HEADER}: {name} must be an object")
    return value


def _filters(order: Order, filters: Mapping[str, Any]) -> None:
    for name, content in filters.items():
        settings = content.get("settings", {}) if isinstance(content, dict) else {}
        settings = settings if isinstance(settings, dict) else {}
        enabled = str(settings.get("enable", settings.get("enabled", 0))).lower() in ("1", "true")
        if name == "opentrack":
            order.opens = enabled
        elif name == "clicktrack":
            order.clicks = enabled
        elif name == "bypass_list_management" and enabled:
            order.ignore_do_not_mail = True
        elif name == "bcc" and enabled:
            order.bcc = address_of(f"{HEADER}: filters.bcc", settings.get("email"))
        elif name in WRITES and enabled:
            raise OrderRefused(f"{HEADER}: the filter {name} is not supported by this server")


def _recipients(order: Order, given: Mapping[str, Any]) -> None:
    to = given.get("to") or []
    to = [to] if isinstance(to, str) else to
    if not isinstance(to, list) or len(to) > RECIPIENTS_MAX:
        raise OrderRefused(f"{HEADER}: to must be a list of at most {RECIPIENTS_MAX:,} addresses")
    order.to = [address_of(f"{HEADER}: to", each) for each in to]
    each_at = given.get("send_each_at")
    if each_at is not None:
        if not isinstance(each_at, list) or (to and len(each_at) != len(to)):
            raise OrderRefused(f"{HEADER}: send_each_at must have one time for each address of to")
        order.send_each_at = [moment(f"{HEADER}: send_each_at", value) for value in each_at]
    elif given.get("send_at") is not None:
        order.send_at = moment(f"{HEADER}: send_at", given["send_at"])


def _substitutions(order: Order, given: Mapping[str, Any]) -> None:
    subs, sections = _object(given, "sub"), _object(given, "section")
    if not subs and not sections:
        return
    for name, values in subs.items():
        if not isinstance(values, list):
            raise OrderRefused(f"{HEADER}: sub {name[:50]!r} must have a list of values, one for each recipient")

    left = WORK_MAX

    def personal(index: int, address: str) -> Callable[[str, bool], str]:
        mine = {name: text_of(values[index]) if index < len(values) else "" for name, values in subs.items() if name}
        own = sorted(mine.items(), key=lambda pair: -len(pair[0]))
        parts = sorted(sections.items(), key=lambda pair: -len(pair[0]))

        def change(text: str, html: bool) -> str:
            nonlocal left
            # A value may name a section, and a section may hold further tags.
            for pairs in (own, parts, own):
                left -= len(text) * len(pairs)
                if left < 0:
                    raise OrderRefused(
                        f"{HEADER}: there are too many substitutions; give the message in for fewer recipients"
                    )
                for name, value in pairs:
                    text = _replaced(text, name, text_of(value))
            return text

        return change

    order.personal.append(personal)


def _replaced(text: str, name: str, value: str) -> str:
    """Raises OrderRefused before a text is made that would be too large."""
    if not name:
        return text
    if len(text) + text.count(name) * (len(value) - len(name)) > FILLED_MAX:
        raise too_large(HEADER)
    return text.replace(name, value)
