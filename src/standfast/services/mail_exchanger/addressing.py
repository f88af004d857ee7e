"""Which addresses the mail exchanger takes mail for, and what each means."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from standfast.protocols.tokens import RecipientRef, TokenError, open_recipient

VERP_PREFIX = "b-"
_BOUNCE_ADDRESS = re.compile(r"\bb-(b[0-9a-z]{20,62})@", re.IGNORECASE)
_TRACKING_LINK = re.compile(r"/[ucoprv]/(t[0-9A-Za-z_-]{16,110})")
COMPLAINT_NAMES = frozenset({"fbl", "abuse"})
POSTMASTER = "postmaster"
NAMED_CHARS_MAX = 512 * 1024
TOKENS_TRIED_MAX = (
    100  # a report names one message of ours; checking ten thousand forged tokens would hold all others up
)


@dataclass(frozen=True, slots=True)
class BounceAddress:
    """The envelope sender of one message that we sent."""

    ref: RecipientRef


@dataclass(frozen=True, slots=True)
class ComplaintAddress:
    """Where mailbox providers send their feedback reports."""


@dataclass(frozen=True, slots=True)
class PostmasterAddress:
    """Must be taken at every domain (RFC 5321 section 4.5.1); kept for a person to read."""


Destination = BounceAddress | ComplaintAddress | PostmasterAddress


def destination(address: str, *, key: bytes, domains: frozenset[str]) -> Destination | None:
    """What the address means to us, None when it is not ours.

    A bounce address is proven by its token, whatever domain it came by; the others count at our own domains only.
    """
    local, _, domain = address.rpartition("@")
    local = local.lower()
    if local.startswith(VERP_PREFIX):
        try:
            return BounceAddress(open_recipient(key, local.removeprefix(VERP_PREFIX), purpose="bounce"))
        except TokenError:
            return None
    if domain.lower() not in domains:
        return None
    if local in COMPLAINT_NAMES:
        return ComplaintAddress()
    return PostmasterAddress() if local == POSTMASTER else None


def recipient_named_in(text: str, *, key: bytes) -> RecipientRef | None:
    """The recipient that a returned message of ours was for: by its envelope sender, or by a link of ours in it."""
    # A line of quoted-printable may end in the middle of a link.
    text = re.sub(r"=\r?\n", "", text[:NAMED_CHARS_MAX])
    for token in _tokens(_BOUNCE_ADDRESS, text):
        try:
            return open_recipient(key, token, purpose="bounce")
        except TokenError:
            continue
    for token in _tokens(_TRACKING_LINK, text):
        try:
            return open_recipient(key, token)
        except TokenError:
            continue
    return None


def _tokens(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """Different ones, in order, up to a limit."""
    seen = set[str]()
    for match in pattern.finditer(text):
        if match[1] not in seen:
            if len(seen) >= TOKENS_TRIED_MAX:
                return
            seen.add(match[1])
            yield match[1]
