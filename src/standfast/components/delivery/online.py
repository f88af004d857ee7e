"""A letter in a browser: made again from the send's frozen sources and what its person is like now."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from standfast.components.audience.api import Contact
from standfast.components.content.api import contact_values
from standfast.components.delivery.message import TEST_CONTACT, Composer
from standfast.components.delivery.models import Send
from standfast.protocols.liquid import ContentError
from standfast.protocols.mime import HeaderError
from standfast.protocols.tokens import RecipientRef

SENDS_REMEMBERED = 16


def letter_online(ref: RecipientRef, *, token: str, key: bytes) -> str | None:
    """The HTML of the recipient's letter with its links and pixel, None when it can no longer be shown: the send or
    the person was deleted. In the account's scope. `token` is the one that `ref` was read from, `key` its key.

    It is user-made HTML: show it in a sandbox only.
    """
    contact: dict[str, Any] = {}
    if ref.contact_id != TEST_CONTACT:
        person = Contact.objects.filter(account_id=ref.account_id, id=ref.contact_id).first()
        if person is None:
            return None
        contact = contact_values(person)
    if not Send.objects.filter(account_id=ref.account_id, pk=ref.send_id).exists():
        return None
    try:
        composer = _composer(ref.account_id, ref.send_id, key)
        return composer.page(contact, token=token, is_test=ref.contact_id == TEST_CONTACT)
    except (ContentError, HeaderError):
        return None


@lru_cache(maxsize=SENDS_REMEMBERED)
def _composer(account_id: int, send_id: int, key: bytes) -> Composer:
    """Kept, as compiling costs milliseconds and what a send is made from never changes."""
    nonce, sources = Send.objects.values_list("nonce", "sources").get(account_id=account_id, pk=send_id)
    return Composer(account_id=account_id, send_id=send_id, nonce=nonce, sources=sources, signers=[], key=key)
