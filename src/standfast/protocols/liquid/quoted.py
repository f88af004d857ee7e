"""Quoted-printable in pieces that can be joined in any order (RFC 2045 section 6.7).

Every piece begins and ends at the start of an encoded line: a piece whose text does not end in a line break ends in a
soft one (`=` CRLF). So constant runs are encoded once when a template is compiled, and values when a message is
rendered, without either knowing what stands beside it. No line is longer than 76 characters.
"""

from binascii import b2a_qp
from functools import lru_cache

CACHED_CHARS_MAX = 64


def qp_run(text: str) -> bytes:
    """Encode text of any length as one piece. CR LF and lone CR count as line breaks; lines come out with CR LF."""
    if not text:
        return b""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    # Surrogates cannot be mailed; they come from broken imports and turn into question marks.
    encoded = b2a_qp(text.encode("utf-8", "replace"), quotetabs=False, istext=True)
    if encoded.endswith(b"\n"):
        return encoded.replace(b"\n", b"\r\n")
    return encoded.replace(b"\n", b"\r\n") + b"=\r\n"


@lru_cache(maxsize=16384)
def _short(text: str) -> bytes:
    return qp_run(text)


def qp_slot(text: str) -> bytes:
    """Encode a value as one piece; short ones are remembered (first names and cities repeat)."""
    return _short(text) if len(text) <= CACHED_CHARS_MAX else qp_run(text)
