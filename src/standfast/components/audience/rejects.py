"""The file of refused rows: line, reason and the row as it was, cut to what was committed when an import goes on.

A spreadsheet runs a cell that begins like a formula, and strangers fill in these cells: such a cell gets an apostrophe, which
the import of the mended file takes off again. It knows our file by its first two columns.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

MARK = ["Refused line", "Refused because"]
_RISKY = re.compile(r"'*[=+\-@\t\r]")
_QUOTED = re.compile(r"'+[=+\-@\t\r]")
_FIGURE = re.compile(r"[+-][0-9][0-9 ().,-]*")
"""Numbers and telephone numbers call nothing: they stay readable."""


def is_ours(header: Sequence[str]) -> bool:
    """Whether a file with these columns is one of refused rows, made by us."""
    return list(header[:2]) == MARK


def harmless(cell: str) -> str:
    """A cell that no spreadsheet runs; `as_written` undoes exactly this."""
    return f"'{cell}" if _RISKY.match(cell) and not _FIGURE.fullmatch(cell) else cell


def as_written(cell: str) -> str:
    """What stood in a cell before `harmless`."""
    return cell[1:] if _QUOTED.match(cell) else cell


class Rejects:
    """Appends; `write` returns the file's length after it is safe on disk."""

    def __init__(self, path: Path, *, header: Sequence[str], keep_bytes: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, keep_bytes)
        os.lseek(self._file, 0, os.SEEK_END)
        self.length = keep_bytes
        if not keep_bytes:
            # the mark makes spreadsheets read UTF-8
            self._put("\ufeff" + _csv([[*MARK, *map(harmless, header)]]))

    def write(self, rows: Iterable[tuple[int, str, Sequence[str]]]) -> int:
        text = _csv([str(line), reason, *map(harmless, cells)] for line, reason, cells in rows)
        if text:
            self._put(text)
            os.fdatasync(self._file)
        return self.length

    def close(self) -> None:
        os.close(self._file)

    def _put(self, text: str) -> None:
        left = memoryview(text.encode("utf-8", "backslashreplace"))
        self.length += len(left)
        while left:
            left = left[os.write(self._file, left) :]


def _csv(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
