"""Secrets at rest: sealed with a key derived from the installation's secret (AES-256-GCM), so that a copy of the database
gives away neither DKIM keys nor relay passwords."""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from standfast.platform import config
from standfast.protocols.keys import derive


class SealError(ValueError):
    """The value was sealed with another secret, or altered."""


def seal(text: str, *, purpose: str) -> str:
    """Seal a text for one purpose (at most 16 ASCII characters)."""
    nonce = os.urandom(12)
    sealed = AESGCM(derive(config.load().secret(), "sealing")).encrypt(nonce, text.encode(), purpose.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """Read what `seal` made for the same purpose. Raises SealError."""
    try:
        raw = base64.b64decode(sealed)
        return AESGCM(derive(config.load().secret(), "sealing")).decrypt(raw[:12], raw[12:], purpose.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise SealError(
            f"a stored secret ({purpose}) cannot be read: the installation's secret file is not the one it was sealed with"
        ) from error
