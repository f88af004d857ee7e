"""What a message's control headers ask for: the reference product's, read into one order; others' dialects add to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import getaddresses

from standfast.protocols.address import AddressError, parse_address
from standfast.protocols.mime_rewrite import Letter

RECIPIENTS_MAX = 1000
CUSTOM_CHARACTERS_MAX = 988  # of all X-Custom-* headers together
LANGUAGES = {
    "english": "en", "spanish": "es", "german": "de", "italian": "it", "french": "fr", "portuguese": "pt",
    "danish": "da", "dutch": "nl", "swedish": "sv", "norwegian": "no",
}  # fmt: skip
# Taken out before the message leaves: they are for us, and one of them is a secret.
CONTROL = frozenset(
    ["x-apikey", "x-accountid", "x-campaignname", "x-campaignid", "x-ctags", "x-ignorednm", "x-brandname", "x-language",
     "x-address", "bcc", "dkim-signature", "return-path"]
)  # fmt: skip


Personal = Callable[[int, str], Callable[[str, bool], str]]
"""(place among the recipients, address) to what changes a text for that one; the flag says that the text is HTML."""


class OrderRefused(Exception):
    """The message is not taken. The text stands after `554 Transaction failed`, as the reference product writes it."""


@dataclass(slots=True)
class Order:
    """What is to be done with a message; None or empty where it does not say."""

    key: str = ""
    account_id: int | None = None
    campaign: str = ""
    campaign_id: int | None = None
    tags: list[str] = field(default_factory=list)
    ignore_do_not_mail: bool = False
    brand: str = ""
    language: str = ""
    address: str = ""
    opens: bool = True
    clicks: bool = True
    metadata: dict[str, str] = field(default_factory=dict)
    vendor: str = ""  # whose headers it has, when others'
    to: list[str] = field(default_factory=list)  # instead of the envelope's recipients
    personal: list[Personal] = field(default_factory=list)
    send_at: dt.datetime | None = None
    send_each_at: list[dt.datetime] = field(default_factory=list)
    bcc: str = ""
    drop: bool = False  # taken, and not sent


Dialect = Callable[[Letter, Order], Letter]
"""Reads another vendor's headers into the order, and returns the letter without them."""


def read_order(letter: Letter, *, dialects: tuple[Dialect, ...] = (), authenticated: bool) -> tuple[Order, Letter]:
    """The order and the letter without control headers. authenticated: the session brought a key. Raises OrderRefused."""
    if any(b"\0" in value for _, value in letter.headers):
        raise OrderRefused("A header has a NUL character")
    order = Order()
    for dialect in dialects:
        letter = dialect(letter, order)
    order.key = letter.value("X-ApiKey") or ""
    order.campaign = (letter.value("X-CampaignName") or order.campaign or order.vendor).strip()
    if not authenticated and not order.key:
        raise OrderRefused("Missing Header X-ApiKey")
    _sender_and_recipient(letter)
    if letter.value("Cc") is not None:
        raise OrderRefused("Cc recipients are not supported by this server")
    if not order.campaign:
        raise OrderRefused("Missing Header X-CampaignName")
    given = letter.value("X-AccountID")
    if given is None and not authenticated:
        raise OrderRefused("Missing Header X-AccountID")
    if given is not None:
        order.account_id = _number(given, "Invalid Header X-AccountID")
    campaign_id = letter.value("X-CampaignID")
    if campaign_id is not None:
        order.campaign_id = _number(campaign_id, "Invalid X-CampaignID")
    tags = letter.value("X-CTags") or ""
    order.tags += [tag.strip()[:50] for tag in tags.split(",") if tag.strip()]
    ignore = letter.value("X-IgnoreDnm")
    order.ignore_do_not_mail = (
        ignore.lower() in ("true", "1", "yes") if ignore is not None else order.ignore_do_not_mail
    )
    order.brand = " ".join((letter.value("X-BrandName") or "").split())
    order.language = LANGUAGES.get((letter.value("X-Language") or "").strip().lower(), "en")
    order.address = (letter.value("X-Address") or "")[:255]
    custom = sum(len(name) + len(value) for name, value in letter.headers if name.lower().startswith(b"x-custom-"))
    if custom > CUSTOM_CHARACTERS_MAX:
        raise OrderRefused(f"The X-Custom- headers have more than {CUSTOM_CHARACTERS_MAX} characters")
    return order, letter.without(lambda name: name in CONTROL)


def sender_of(letter: Letter) -> tuple[str, str]:
    """(name, address) of From. Raises OrderRefused."""
    return _sender_and_recipient(letter)


def _sender_and_recipient(letter: Letter) -> tuple[str, str]:
    missing = OrderRefused("Missing Required Headers From or To[see RFC2822 section 3.6]")
    senders = getaddresses(letter.values("From"))
    if len(letter.values("From")) != 1 or not letter.values("To") or len(senders) != 1:
        raise missing
    name, address = senders[0]
    try:
        return name, parse_address(address).email
    except AddressError as error:
        raise missing from error


def _number(text: str, refusal: str) -> int:
    text = text.strip()
    if not text.isdecimal() or not text.isascii() or len(text) > 18:
        raise OrderRefused(refusal)
    return int(text)
