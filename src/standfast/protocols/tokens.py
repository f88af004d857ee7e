"""Tokens: who a message was for, in a string that nobody else can make.

A token stands in tracking links and in the envelope sender (VERP), so it must be short, need no look-up to be
read, and be worthless to whoever changes a character of it. It is text throughout: one letter for the purpose, a
keyed BLAKE2b tag (RFC 7693), then the numbers in hexadecimal, parted by `g`. The tag is made over the text itself,
so there is one spelling of every token and no decoder to fool. The numbers come last because some programs that
recognise links drop a `-` or `_` at the end of one.
"""

from binascii import b2a_base64
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from typing import Literal, NamedTuple

Purpose = Literal["track", "bounce"]

TOKEN_CHARS_MAX = 128
BOUNCE_CHARS_MAX = 62  # RFC 5321 section 4.5.3.1.1 allows 64 octets, two of which are the "b-" in front
KEY_BYTES_MIN = 16

_TAG_CHARS = {"track": 16, "bounce": 20}  # 96 bits in base64url, 100 bits in base32
_KIND = {"track": "t", "bounce": "b"}
# Mailers lower the case of local parts. 256 is a multiple of 32, so a byte folded onto a letter stays uniform.
_FOLD_TO_BASE32 = bytes(b"abcdefghijklmnopqrstuvwxyz234567"[byte & 31] for byte in range(256))
_URLSAFE = bytes.maketrans(b"+/", b"-_")


class TokenError(ValueError):
    """The token is not one of ours: forged, cut short, altered, or made for another purpose."""


class RecipientRef(NamedTuple):
    """One recipient of one send. `sent_at` is in unix seconds."""

    account_id: int
    send_id: int
    seq: int
    contact_id: int
    sent_at: int


def seal_recipient(key: bytes, ref: RecipientRef, *, purpose: Purpose = "track") -> str:
    """Make the token of a recipient, about 47 characters (bounce: 51, and it survives changes of case).

    Raises ValueError for negative numbers, or when a bounce token would not fit into a local part.
    """
    if min(ref) < 0:
        raise ValueError("a recipient reference holds no negative numbers")
    text = b"%xg%xg%xg%xg%x" % ref
    token = _KIND[purpose] + (_tag(key, purpose, text) + text).decode()
    if len(token) > (BOUNCE_CHARS_MAX if purpose == "bounce" else TOKEN_CHARS_MAX):
        raise ValueError(f"the recipient reference is too long for a {purpose} token ({len(token)} characters)")
    return token


def open_recipient(key: bytes, token: str, *, purpose: Purpose = "track") -> RecipientRef:
    """Read a token. Raises TokenError unless it was sealed with this key for this purpose."""
    if len(token) > TOKEN_CHARS_MAX or not token.isascii():
        raise TokenError("this is not a token of ours")
    if purpose == "bounce":
        token = token.lower()
    raw = token.encode()
    tag_end = 1 + _TAG_CHARS[purpose]
    text = raw[tag_end:]
    if token[:1] != _KIND[purpose] or not compare_digest(raw[1:tag_end], _tag(key, purpose, text)):
        raise TokenError("the token is forged, cut short, or made for another purpose")
    account, send, seq, contact, sent = token[tag_end:].split("g")
    return RecipientRef(int(account, 16), int(send, 16), int(seq, 16), int(contact, 16), int(sent, 16))


def sign_link(key: bytes, *, account_id: int, send_id: int, link_id: int, url: str) -> str:
    """Sign a link's destination for one send, so that the tracker redirects only to where a campaign points.

    16 characters, safe in URLs. Raises ValueError when the address cannot be written as UTF-8.
    """
    return _tag(key, "link", b"%d.%d.%d." % (account_id, send_id, link_id) + url.encode()).decode()


def verify_link(key: bytes, *, account_id: int, send_id: int, link_id: int, url: str, signature: str) -> bool:
    """Whether `signature` was made by `sign_link` for exactly these values."""
    try:
        expected = sign_link(key, account_id=account_id, send_id=send_id, link_id=link_id, url=url)
    except UnicodeEncodeError:
        return False
    return signature.isascii() and compare_digest(signature, expected)


def sign_sender(key: bytes, *, account_id: int, send_id: int, name: str) -> str:
    """Sign the name under which a send goes out, so that the tracker's pages can say whose mail it is without a
    look-up, and nobody can have them say another. 16 characters, safe in URLs."""
    return _tag(key, "sender", b"%d.%d." % (account_id, send_id) + name.encode("utf-8", "replace")).decode()


def verify_sender(key: bytes, *, account_id: int, send_id: int, name: str, signature: str) -> bool:
    """Whether `signature` was made by `sign_sender` for exactly these values."""
    expected = sign_sender(key, account_id=account_id, send_id=send_id, name=name)
    return signature.isascii() and compare_digest(signature, expected)


def _tag(key: bytes, purpose: str, text: bytes) -> bytes:
    state = _keyed(key, purpose).copy()
    state.update(text)
    if purpose == "bounce":
        return state.digest().translate(_FOLD_TO_BASE32)
    return b2a_base64(state.digest(), newline=False).translate(_URLSAFE)


@lru_cache(maxsize=256)
def _keyed(key: bytes, purpose: str) -> blake2b:
    """The hash with the key already mixed in: copying it saves the key's own block on every token."""
    if len(key) < KEY_BYTES_MIN:
        raise ValueError(f"the token key has {len(key)} bytes, it needs at least {KEY_BYTES_MIN}")
    key = key if len(key) <= blake2b.MAX_KEY_SIZE else blake2b(key).digest()
    return blake2b(key=key, digest_size=20 if purpose == "bounce" else 12, person=b"standfast-" + purpose.encode())
