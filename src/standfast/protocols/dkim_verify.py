"""Check the DKIM signatures of a message (RFC 6376, RFC 8463), with keys from a look-up function of the caller's.

For showing people what a receiver would say. Body length limits (l=) are refused: they leave a body open to additions.
"""

import base64
import binascii
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

SIGNATURES_MAX = 5
KeyLookup = Callable[[str], str | None]
"""From "selector._domainkey.example.org" to the value of its TXT record, None when there is none."""

_HEADER = re.compile(rb"([!-9;-~]+)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)\r\n")
_SIGNATURE_VALUE = re.compile(rb"([;\s]b[ \t\r\n]*=)[^;]*")
_WHITESPACE = re.compile(rb"[ \t\r\n]+")


class DkimResult(StrEnum):
    """RFC 8601 section 2.7.1."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    PERMERROR = "permerror"
    TEMPERROR = "temperror"


@dataclass(frozen=True, slots=True)
class DkimVerdict:
    """What one signature is worth; signed_headers are lower-case names, as its h= lists them."""

    result: DkimResult
    domain: str
    selector: str
    reason: str
    signed_headers: tuple[str, ...]


class _Failed(Exception):
    def __init__(self, result: DkimResult, reason: str) -> None:
        super().__init__(reason)
        self.result = result


def verify(raw: bytes, *, lookup: KeyLookup) -> list[DkimVerdict]:
    """One verdict for each DKIM-Signature (the first five), in order; an empty list when there is none.

    raw: a whole message with CRLF lines. lookup may raise OSError when the name cannot be asked for now (temperror).
    """
    head, _, body = raw.partition(b"\r\n\r\n")
    headers = [(name, value) for name, value in _HEADER.findall(head + b"\r\n")]
    signatures = [(name, value) for name, value in headers if name.lower() == b"dkim-signature"]
    return [_verdict(name, value, headers, body, lookup) for name, value in signatures[:SIGNATURES_MAX]]


def _verdict(
    name: bytes, value: bytes, headers: list[tuple[bytes, bytes]], body: bytes, lookup: KeyLookup
) -> DkimVerdict:
    tags = _tags(value.decode("ascii", "replace"))
    signed = _signed(tags)
    domain, selector = tags.get("d", ""), tags.get("s", "")
    try:
        _check((name, value), tags, headers, body, lookup)
    except _Failed as failed:
        return DkimVerdict(failed.result, domain, selector, str(failed), signed)
    return DkimVerdict(DkimResult.PASS, domain, selector, "", signed)


def _check(
    signature: tuple[bytes, bytes],
    tags: dict[str, str],
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    lookup: KeyLookup,
) -> None:
    signed = _signed(tags)
    _check_tags(tags, signed)
    header_form, _, body_form = tags.get("c", "simple/simple").partition("/")
    canonical_body = _body(body, body_form or "simple")
    if _unbase64(tags["bh"]) != hashlib.sha256(canonical_body).digest():
        raise _Failed(DkimResult.FAIL, "the body was changed after signing")
    remaining: dict[str, list[tuple[bytes, bytes]]] = {}
    for header in headers:
        remaining.setdefault(header[0].decode("ascii").lower(), []).append(header)
    data = b""
    for wanted in signed:
        if remaining.get(wanted):
            data += _header(*remaining[wanted].pop(), header_form) + b"\r\n"
    name, value = signature
    # The signature's own header, with an empty b=, and without its CRLF (section 3.7).
    data += _header(name, _SIGNATURE_VALUE.sub(rb"\1", value), header_form)
    record = _key_record(tags, lookup)
    _check_signature(tags["a"], record, _unbase64(tags["b"]), data)


def _signed(tags: dict[str, str]) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in tags.get("h", "").split(":") if part.strip())


def _check_tags(tags: dict[str, str], signed: tuple[str, ...]) -> None:
    missing = [tag for tag in ("v", "a", "b", "bh", "d", "h", "s") if not tags.get(tag)]
    if missing or tags["v"] != "1":
        raise _Failed(DkimResult.PERMERROR, f"the signature lacks {', '.join(missing) or 'v=1'}")
    if tags["a"] not in ("rsa-sha256", "ed25519-sha256"):
        raise _Failed(DkimResult.PERMERROR, f"the algorithm {tags['a']} is not accepted")
    if "from" not in signed:
        raise _Failed(DkimResult.PERMERROR, "the signature does not cover From")
    if "l" in tags:
        raise _Failed(DkimResult.PERMERROR, "the signature covers only a part of the body (l=)")
    if tags.get("x", "").isdecimal() and int(tags["x"]) < time.time():
        raise _Failed(DkimResult.FAIL, "the signature has expired")


def _key_record(tags: dict[str, str], lookup: KeyLookup) -> dict[str, str]:
    place = f"{tags['s']}._domainkey.{tags['d']}"
    try:
        text = lookup(place)
    except OSError as error:
        raise _Failed(DkimResult.TEMPERROR, f"{place} could not be looked up: {error}") from error
    if text is None:
        raise _Failed(DkimResult.PERMERROR, f"there is no key at {place}")
    record = _tags(text)
    if not record.get("p"):
        raise _Failed(DkimResult.PERMERROR, f"the key at {place} was revoked")
    return record


def _check_signature(algorithm: str, record: dict[str, str], signature: bytes, data: bytes) -> None:
    kind = record.get("k", "rsa")
    if kind != algorithm.partition("-")[0]:
        raise _Failed(DkimResult.PERMERROR, f"the key is {kind}, the signature {algorithm}")
    encoded = _unbase64(record["p"])
    try:
        if kind == "ed25519":
            # RFC 8463 section 3: Ed25519 signs the hash.
            public = ed25519.Ed25519PublicKey.from_public_bytes(encoded)
            public.verify(signature, hashlib.sha256(data).digest())
            return
        key = serialization.load_der_public_key(encoded)
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 1024:
            raise _Failed(DkimResult.PERMERROR, "the key is no RSA key of 1024 bits or more")
        key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise _Failed(DkimResult.FAIL, "the signature does not match the headers or the key") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _Failed(DkimResult.PERMERROR, f"the key cannot be read: {error}") from error


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip(): re.sub(r"\s+", "", value) for name, _, value in pairs}


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise _Failed(DkimResult.PERMERROR, "a value is no base64") from error


def _header(name: bytes, value: bytes, form: str) -> bytes:
    if form == "relaxed":
        return name.lower() + b":" + _WHITESPACE.sub(b" ", value).strip(b" ")
    return name + b":" + value


def _body(body: bytes, form: str) -> bytes:
    if form == "relaxed":
        body = re.sub(rb"[ \t]+(?=\r\n)|[ \t]+\Z", b"", body)
        body = re.sub(rb"[ \t]+", b" ", body)
    stripped = re.sub(rb"(?:\r\n)+\Z", b"", body)
    if stripped or form != "relaxed":
        return stripped + b"\r\n"
    return b""
