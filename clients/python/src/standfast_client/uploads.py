"""Files on their way to the service: sent while they are read, and again from their beginning where a call is repeated."""

from __future__ import annotations

import io
from os import PathLike, fspath
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from standfast_client.calls import Sending

File: TypeAlias = str | PathLike[str] | BinaryIO | bytes
_GZIP = b"\x1f\x8b"


def sending_of(file: File) -> Sending:
    """Raises ValueError for an open file that can be read only once, OSError where there is none."""
    if isinstance(file, bytes):
        data = file
        return Sending(_kind_of(data), lambda: data)
    if isinstance(file, str | PathLike):
        path = Path(file)
        with path.open("rb") as begun:
            kind = _kind_of(begun.read(2))
        return Sending(kind, lambda: path.open("rb"))
    if not file.seekable():
        raise ValueError("The file can be read only once, so a call could not be repeated. Send a path, or the bytes.")
    file.seek(0)
    kind = _kind_of(file.read(2))
    return Sending(kind, lambda: _begun_again(file))


def name_of(file: File) -> str:
    """How the file is called, as far as it says."""
    if isinstance(file, str | PathLike):
        return Path(fspath(file)).name
    name = getattr(file, "name", "")
    return Path(name).name if isinstance(name, str) else ""


def _begun_again(file: BinaryIO) -> io.RawIOBase:
    file.seek(0)
    return _Lent(file)


class _Lent(io.RawIOBase):
    """Somebody else's file: what closes it here leaves it open for them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _kind_of(beginning: bytes) -> str:
    return "application/gzip" if beginning[:2] == _GZIP else "text/csv"
