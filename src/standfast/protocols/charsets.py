"""Charsets that strangers' mail claims: those that text is written in, and none whose decoder would run for hours."""

from __future__ import annotations

import codecs

# Python has codecs for host names and for source code too; those of host names take time with the square of the length.
_NO_TEXT = frozenset(["idna", "mbcs", "oem", "palmos", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"])


def known_charset(name: str) -> str:
    """The codec of a charset. Raises LookupError where there is none that text is written in."""
    found = codecs.lookup(name).name
    if found.replace("_", "-") in _NO_TEXT:
        raise LookupError(f"no text is written in {found}")
    return found
