"""`X-Mailgun-*`. Source: Mailgun, "Passing sending options via SMTP", "Batch sending"."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from standfast.protocols.mime_rewrite import Letter
from standfast.services.smtp_api.dialects.header_values import add_metadata, add_tags, filled, table, text_of, yes
from standfast.services.smtp_api.order import Order, OrderRefused

_VARIABLE = re.compile(r"%recipient\.([A-Za-z0-9_.-]{1,100})%")


def mailgun(letter: Letter, order: Order) -> Letter:
    if not any(name.lower().startswith(b"x-mailgun-") for name, _ in letter.headers):
        return letter
    for name in ("X-Mailgun-Require-TLS", "X-Mailgun-Template-Name"):
        value = letter.value(name)
        if value and (name.endswith("Name") or yes(value)):
            raise OrderRefused(f"{name} is not supported by this server")
    add_tags(order, letter.values("X-Mailgun-Tag"), vendor="Mailgun")
    order.drop = order.drop or yes(letter.value("X-Mailgun-Drop-Message"))
    track = letter.value("X-Mailgun-Track")
    opens, clicks = letter.value("X-Mailgun-Track-Opens"), letter.value("X-Mailgun-Track-Clicks")
    if track is not None:
        order.opens = order.clicks = yes(track)
    if opens is not None:
        order.opens = yes(opens)
    if clicks is not None:
        order.clicks = yes(clicks)
    deliver_by = letter.value("X-Mailgun-Deliver-By")
    if deliver_by:
        order.send_at = _moment(deliver_by)
    for text in letter.values("X-Mailgun-Variables"):
        add_metadata(order, "X-Mailgun-Variables", table("X-Mailgun-Variables", text))
    _recipient_variables(letter, order)
    return letter.without(lambda name: name.startswith("x-mailgun-"))


def _moment(text: str) -> dt.datetime:
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise OrderRefused("X-Mailgun-Deliver-By must be a date as RFC 2822 writes it") from error


def _recipient_variables(letter: Letter, order: Order) -> None:
    text = letter.value("X-Mailgun-Recipient-Variables")
    if text is None:
        return
    given = table("X-Mailgun-Recipient-Variables", text)
    if not all(isinstance(values, dict) for values in given.values()):
        raise OrderRefused("X-Mailgun-Recipient-Variables must have an object for each address")
    by_address = {address.strip().lower(): values for address, values in given.items()}

    def personal(index: int, address: str) -> Callable[[str, bool], str]:
        values = by_address.get(address.lower(), {})

        def value_of(match: re.Match[str]) -> str:
            return text_of(values[match.group(1)]) if match.group(1) in values else match.group()

        return lambda text, html: filled("X-Mailgun-Recipient-Variables", _VARIABLE, text, value_of)

    order.personal.append(personal)
