"""Signed webhooks as Standard Webhooks 1.0 has them: id, time and body under HMAC-SHA256 with a secret of both sides."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

PREFIX = "whsec_"


def new_secret() -> str:
    """A secret for a new receiver: `whsec_` and 24 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def signed_headers(*secrets: str, message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The three headers of a webhook, with a signature by each secret: the receiver takes any that fits.

    seconds: unix time of the attempt. Raises ValueError for a secret that is none.
    """
    content = f"{message_id}.{seconds}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join([_signature(secret, content) for secret in secrets]),
    }


def _signature(secret: str, content: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret is not whsec_ and base64") from error
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
