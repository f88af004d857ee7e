"""`X-MC-*`. Source: Mailchimp Transactional, "Use SMTP headers to customize messages"."""

from __future__ import annotations

import datetime as dt
import html as markup
import re
from collections.abc import Callable
from typing import Any

from standfast.protocols.mime_rewrite import Letter
from standfast.services.smtp_api.dialects.header_values import (
    add_metadata,
    add_tags,
    address_of,
    filled,
    table,
    text_of,
)
from standfast.services.smtp_api.order import Order, OrderRefused

METADATA_BYTES_MAX = 200
_TAG = re.compile(r"\*\|([A-Za-z0-9_]{1,100})\|\*")
_BRACES = re.compile(r"\{\{\{\s*(\w{1,100})\s*\}\}\}|\{\{\s*(\w{1,100})\s*\}\}")


def mandrill(letter: Letter, order: Order) -> Letter:
    if not any(name.lower().startswith(b"x-mc-") for name, _ in letter.headers):
        return letter
    if letter.value("X-MC-Template"):
        raise OrderRefused("X-MC-Template is not supported by this server: send the finished message")
    add_tags(order, (letter.value("X-MC-Tags") or "").split(","), vendor="Mandrill")
    track = letter.value("X-MC-Track")
    if track is not None:
        words = {word.strip().lower() for word in track.split(",")}
        order.opens = "opens" in words
        order.clicks = bool(words & {"clicks", "clicks_all", "clicks_htmlonly"})  # links in text are never changed here
    metadata = letter.value("X-MC-Metadata")
    if metadata:
        if len(metadata.encode()) > METADATA_BYTES_MAX:
            raise OrderRefused(f"X-MC-Metadata has more than {METADATA_BYTES_MAX} bytes")
        add_metadata(order, "X-MC-Metadata", table("X-MC-Metadata", metadata))
    copy = letter.value("X-MC-BccAddress")
    if copy:
        order.bcc = address_of("X-MC-BccAddress", copy)
    send_at = letter.value("X-MC-SendAt")
    if send_at:
        order.send_at = _moment(send_at)
    _merge(letter, order)
    return letter.without(lambda name: name.startswith("x-mc-"))


def _moment(text: str) -> dt.datetime:
    """`YYYY-MM-DD HH:MM:SS`, UTC."""
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise OrderRefused("X-MC-SendAt must be a UTC time like 2030-01-31 14:00:00") from error


def _merge(letter: Letter, order: Order) -> None:
    everyone: dict[str, Any] = {}
    of_one: dict[str, dict[str, Any]] = {}
    for text in letter.values("X-MC-MergeVars"):
        values = table("X-MC-MergeVars", text)
        whose = values.pop("_rcpt", None)
        target = everyone if whose is None else of_one.setdefault(str(whose).strip().lower(), {})
        target.update({name.upper(): value for name, value in values.items()})
    if not everyone and not of_one:
        return
    braces = (letter.value("X-MC-MergeLanguage") or "").strip().lower() == "handlebars"

    def personal(index: int, address: str) -> Callable[[str, bool], str]:
        values = {**everyone, **of_one.get(address.lower(), {})}

        def starred(match: re.Match[str]) -> str:
            found = values.get(match.group(1).upper())
            return match.group() if found is None else text_of(found)

        def braced(match: re.Match[str], html: bool) -> str:
            found = text_of(values.get((match.group(1) or match.group(2)).upper()))
            return markup.escape(found) if html and match.group(2) else found

        def change(text: str, html: bool) -> str:
            if not braces:
                return filled("X-MC-MergeVars", _TAG, text, starred)
            if "{{#" in text:
                raise OrderRefused("X-MC-MergeLanguage: blocks of handlebars are not supported by this server")
            return filled("X-MC-MergeVars", _BRACES, text, lambda match: braced(match, html))

        return change

    order.personal.append(personal)
