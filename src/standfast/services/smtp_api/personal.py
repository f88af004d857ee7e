"""The finished messages of an order: one for each recipient, with that recipient's own words where a vendor's header has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from standfast.components.transactional.api import Finished, Recipient
from standfast.protocols.headers import HeaderError, encode_addresses, encode_header, one_line
from standfast.protocols.mime_rewrite import Changes, Letter, rewrite_parts
from standfast.services.smtp_api.order import Order, OrderRefused

BYTES_MAX = 64 * 1024 * 1024  # of all copies of one message together: each recipient has a row with the whole message


def messages_of(order: Order, letter: Letter, recipients: Sequence[str], *, sender: str, name: str) -> list[Finished]:
    """One message for each recipient. Raises OrderRefused."""
    people = list(dict.fromkeys(order.to or recipients))
    places = {address: place for place, address in reversed(list(enumerate(order.to or recipients)))}
    same = letter.head() + letter.body
    if len(same) * len(people) > BYTES_MAX:
        raise OrderRefused(f"The message is too large for {len(people)} recipients at once; give it in for fewer")
    key = letter.value("Message-ID") or ""
    messages, size = [], 0
    for address in people:
        place = places[address]
        raw = _for_one(order, letter, place, address) if order.personal or order.to else same
        size += len(raw)
        if size > BYTES_MAX:
            raise OrderRefused(f"The message is too large for {len(people)} recipients at once; give it in for fewer")
        due = order.send_each_at[place] if place < len(order.send_each_at) else order.send_at
        messages.append(
            Finished(
                Recipient(address), raw=raw, from_email=sender, sender=name, opens=order.opens, clicks=order.clicks,
                ignore_do_not_mail=order.ignore_do_not_mail, due_at=due, bcc=order.bcc, metadata=order.metadata, key=key,
                brand=order.brand,
            )
        )  # fmt: skip
    return messages


def _for_one(order: Order, letter: Letter, place: int, address: str) -> bytes:
    """The message as this recipient gets it: alone in To, tags filled in subject, text and HTML."""
    try:
        headers = [(b"To", encode_addresses("To", [("", address)]))]
    except HeaderError as error:
        raise OrderRefused(f"{address[:100]!r} cannot stand in To: {error}") from error
    for personal in order.personal:
        change = personal(place, address)
        subject = letter.value("Subject")
        if subject is not None:
            changed = change(_decoded(subject), False)
            if changed != _decoded(subject):
                headers.append((b"Subject", encode_header("Subject", one_line(changed))))
        letter = rewrite_parts(letter.with_headers(headers), _changes(change))
    if not order.personal:
        letter = letter.with_headers(headers)
    return letter.head() + letter.body


def _changes(change: Callable[[str, bool], str]) -> Changes:
    return {"text/html": lambda text: change(text, True), "text/plain": lambda text: change(text, False)}


def _decoded(subject: str) -> str:
    try:
        return str(make_header(decode_header(subject)))
    except (HeaderParseError, LookupError, ValueError):
        return subject
