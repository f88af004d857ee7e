"""Answers of any length: as lines while they arrive, or into a file that is whole or not there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from standfast_client.problems import StandfastError

LINE_BYTES_MAX = 64 * 1024 * 1024


def lines_of(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What stands between line feeds, and nothing else: texts hold other characters that end a line elsewhere."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from filter(None, lines)
        if len(rest) > LINE_BYTES_MAX:
            raise StandfastError(f"A row is longer than {LINE_BYTES_MAX // 1024**2} MB.")
    if rest:
        yield rest


def written_to(to: str | PathLike[str] | BinaryIO, pieces: Iterator[bytes]) -> int:
    """Write to a path or an open file; returns the bytes."""
    if not isinstance(to, str | PathLike):
        return _copied(to, pieces)
    path = Path(to)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            size = _copied(file, pieces)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return size


def _copied(file: BinaryIO, pieces: Iterator[bytes]) -> int:
    size = 0
    for piece in pieces:
        file.write(piece)
        size += len(piece)
    return size
