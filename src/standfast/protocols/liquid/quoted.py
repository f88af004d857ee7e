"""Text and values of a template as quoted-printable pieces, which can be joined in any order."""

from functools import lru_cache

from standfast.protocols import quoted_printable
from standfast.protocols.quoted_printable import SOFT_BREAK

CACHED_CHARS_MAX = 120


def qp_run(text: str) -> bytes:
    """Encode text of any length as one piece. CR LF and lone CR count as line breaks; lines come out with CR LF."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return quoted_printable.qp_run(text)


@lru_cache(maxsize=16384)
def _short(text: str) -> bytes:
    return qp_run(text)


def qp_slot(text: str) -> bytes:
    """Encode a value as one piece; short ones are remembered (first names and cities repeat)."""
    return _short(text) if len(text) <= CACHED_CHARS_MAX else qp_run(text)


__all__ = ["CACHED_CHARS_MAX", "SOFT_BREAK", "qp_run", "qp_slot"]
