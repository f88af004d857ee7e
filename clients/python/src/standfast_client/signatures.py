"""Whether a webhook comes from the service: Standard Webhooks' signature over the bytes as they came."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from standfast_client.problems import StandfastError

SIGNATURES_MAX = 20


class WebhookEvent(TypedDict):
    """type: such as message.bounced. `data["position"]` puts events in order; the header webhook-id knows a repetition."""

    type: str
    timestamp: str
    data: dict[str, Any]


class SignatureInvalid(StandfastError):
    """The request is not the service's, or too old. Answer 400 and do nothing."""


def verify_webhook(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    seconds_max: float = 300.0,
    now: float | None = None,
) -> WebhookEvent:
    """The event of a webhook whose signature is right. Raises SignatureInvalid; ValueError for a secret that is none.

    secret: the endpoint's (whsec_...), or several of which one is to fit, while you change it. headers: of the request, in any
    case. body: the bytes as they came, not parsed and written again. now: seconds since 1970, the clock's where left out.
    """
    found = {str(name).lower(): str(value) for name, value in headers.items()}
    message_id, sent_at = found.get("webhook-id", ""), found.get("webhook-timestamp", "")
    if not message_id or not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 16):
        raise SignatureInvalid("The headers webhook-id and webhook-timestamp are missing: this is no webhook.")
    if abs((time.time() if now is None else now) - int(sent_at)) > seconds_max:
        raise SignatureInvalid(f"The webhook was signed more than {seconds_max:g} seconds ago, or the clock is wrong.")
    signed = f"{message_id}.{sent_at}.".encode() + body
    keys = [_key_of(one) for one in ([secret] if isinstance(secret, str) else secret)]
    claims = found.get("webhook-signature", "").split()[:SIGNATURES_MAX]
    if not _fits(keys, signed, claims):
        raise SignatureInvalid("The signature does not fit the body and the secret.")
    try:
        event: WebhookEvent = json.loads(body)
    except ValueError:
        raise SignatureInvalid("The body is signed, and is not JSON.") from None
    return event


def _fits(keys: Sequence[bytes], signed: bytes, claims: Sequence[str]) -> bool:
    """Compares everything with everything in constant time: how long it takes says nothing of what fits."""
    fits = False
    for key in keys:
        expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
        for claim in claims:
            fits |= hmac.compare_digest(expected, claim.encode("utf-8", "surrogatepass"))
    return fits


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.strip().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("The webhook's secret is not readable. Send it as it was shown, whsec_ and what follows.")
    return key
