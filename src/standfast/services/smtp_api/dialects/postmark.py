"""`X-PM-*`. Source: Postmark, "Sending email with SMTP"."""

from __future__ import annotations

from standfast.protocols.mime_rewrite import Letter
from standfast.services.smtp_api.dialects.header_values import add_metadata, add_tags, yes
from standfast.services.smtp_api.order import Order

METADATA = b"x-pm-metadata-"


def postmark(letter: Letter, order: Order) -> Letter:
    if not any(name.lower().startswith(b"x-pm-") for name, _ in letter.headers):
        return letter
    add_tags(order, letter.values("X-PM-Tag")[:1], vendor="Postmark")
    opens, links = letter.value("X-PM-TrackOpens"), letter.value("X-PM-TrackLinks")
    if opens is not None:
        order.opens = yes(opens)
    if links is not None:
        order.clicks = links.strip().lower() in ("htmlandtext", "htmlonly")  # links in text are never changed here
    named = [name.decode("ascii") for name, _ in letter.headers if name.lower().startswith(METADATA)]
    values = {name[len(METADATA) :]: letter.value(name) or "" for name in named if len(name) > len(METADATA)}
    add_metadata(order, "X-PM-Metadata", values)
    return letter.without(lambda name: name.startswith("x-pm-"))
