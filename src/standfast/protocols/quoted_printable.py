"""Quoted-printable (RFC 2045 section 6.7) in runs that can be laid end to end.

A message is compiled once into static runs and slots. Every run made here begins at column 0 and ends with a hard
or a soft line break, so runs may follow each other in any order and no line exceeds 76 characters. A "." at the
start of a line is written =2E, so the message never needs dot stuffing, and "From " =46rom, which mbox stores would
alter. "=_", as it stands in our boundaries, cannot occur in a run.
"""

import re

LINE_CHARS_MAX = 76
SOFT_BREAK = b"=\r\n"
_BEFORE_SOFT_BREAK = LINE_CHARS_MAX - 1

# What is escaped anywhere, and white space at the end of a line, which relays may strip.
_UNSAFE = re.compile(rb"[^\n\t -<>-~]|[\t ](?=\n|\Z)")
_ESCAPES = {bytes([byte]): b"=%02X" % byte for byte in range(256)}
_DOT = ord(".")


def qp_run(content: bytes | str) -> bytes:
    """Encode one run, static text or a slot's value, as whole lines (see the module).

    Text is UTF-8; line ends (LF or CRLF) become CRLF, a lone CR is kept as =0D. An empty run is empty.
    """
    if isinstance(content, str):
        # The way most slot values take: short, plain, one line.
        if (
            content.isascii()
            and content.isprintable()
            and 0 < len(content) <= _BEFORE_SOFT_BREAK
            and "=" not in content
            and content[0] != "."
            and content[-1] != " "
            and not content.startswith("From ")
        ):
            return content.encode() + SOFT_BREAK
        content = content.encode("utf-8", "replace")
    if not content:
        return b""
    data = _UNSAFE.sub(_escape, content.replace(b"\r\n", b"\n"))
    if b"\n" not in data:
        return _wrap(data) + SOFT_BREAK
    *lines, last = data.split(b"\n")
    out = b"".join([_wrap(line) + b"\r\n" for line in lines])
    return out + _wrap(last) + SOFT_BREAK if last else out


def qp_close(body: bytes) -> bytes:
    """Drop the soft break after a part's last run: a part may not end with one (RFC 2045 section 6.7)."""
    return body[: -len(SOFT_BREAK)] if body.endswith(SOFT_BREAK) else body


def _escape(found: re.Match[bytes]) -> bytes:
    return _ESCAPES[found[0]]


def _wrap(line: bytes) -> bytes:
    """Break one escaped line softly, not inside an escape, and guard the start of each piece."""
    if line.startswith(b"From "):
        line = b"=46" + line[1:]
    elif line.startswith(b"."):
        line = b"=2E" + line[1:]
    if len(line) <= _BEFORE_SOFT_BREAK:
        return line
    pieces = []
    start, end = 0, len(line)
    while start < end:
        guard = b""
        if line[start] == _DOT:
            guard, start = b"=2E", start + 1
        elif line.startswith(b"From ", start):
            guard, start = b"=46", start + 1
        cut = min(start + _BEFORE_SOFT_BREAK - len(guard), end)
        if cut < end and (escape := line.rfind(b"=", cut - 2, cut)) >= 0:
            cut = escape
        pieces.append(guard + line[start:cut])
        start = cut
    return SOFT_BREAK.join(pieces)
