"""Rows of a CSV file with the lines they stand on. Hostile files cost bounded memory, and each bad row is one refusal."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from standfast.components.audience.csv_file import FileProblem, Packing, open_bytes

LINE_CHARS_MAX = 1_000_000
RECORD_LINES_MAX = 1_000
COLUMNS_MAX = 500
REREAD_LINES_MAX = 5_000_000
_KEPT_CHARS = 2_000
csv.field_size_limit(LINE_CHARS_MAX)

NUL = "a NUL character inside"
BAD_BYTES = "bytes that do not belong to the file's encoding"
LONG_LINE = f"the line is longer than {LINE_CHARS_MAX:,} characters"
OPEN_QUOTE = "a quote is opened and never closed"


class BadRow(NamedTuple):
    """A row that cannot be read: its first line (from 1), why, and what stands there."""

    line: int
    reason: str
    cells: list[str]


class CsvRows:
    """Iterate to get (line, cells), or BadRow. `bytes_done` says how far into the stored file reading has come."""

    def __init__(self, path: Path, packing: Packing, delimiter: str) -> None:
        self._file: BinaryIO = path.open("rb")
        unpacked = open_bytes(self._file, gzipped=packing.gzipped)
        unpacked.read(packing.bom_bytes)
        self._errors = "replace" if packing.encoding.startswith("utf-16") else "surrogateescape"
        self._text = io.TextIOWrapper(unpacked, packing.encoding, self._errors, newline="")
        self._delimiter = delimiter
        self._line = 0  # of the line handed out last
        self._again: deque[str] = deque()  # lines to be read a second time
        self._record: list[str] = []  # lines of the record being read
        self._bad: dict[int, str] = {}
        self._more_chars = 0
        self._reread = 0
        self._ended = False  # asked for more after the last line: only an open quote asks

    def close(self) -> None:
        self._text.close()
        self._file.close()

    @property
    def bytes_done(self) -> int:
        return self._file.tell()

    def _lines(self) -> Iterator[str]:
        readline, record, again = self._text.readline, self._record, self._again
        while True:
            line = again.popleft() if again else readline(LINE_CHARS_MAX + 1)
            if not line:
                self._ended = True
                return
            self._line += 1
            if len(line) > LINE_CHARS_MAX:
                self._skip_line(line)
                line = line[:_KEPT_CHARS].replace('"', "'") + "\n"
                self._bad[self._line] = LONG_LINE
            elif "\0" in line:
                self._bad[self._line] = NUL
            elif not line.isascii() and not self._encodes(line):
                self._bad[self._line] = BAD_BYTES
            record.append(line)
            if len(record) > 1:
                self._more_chars += len(line)
                if len(record) > RECORD_LINES_MAX or self._more_chars > LINE_CHARS_MAX:
                    raise csv.Error(OPEN_QUOTE)
            yield line

    def _skip_line(self, line: str) -> None:
        while line and not line.endswith(("\n", "\r")):
            line = self._text.readline(LINE_CHARS_MAX)

    def _encodes(self, line: str) -> bool:
        if self._errors == "replace":
            return "\ufffd" not in line
        try:
            line.encode()
        except UnicodeEncodeError:
            return False
        return True

    def __iter__(self) -> Iterator[tuple[int, list[str]] | BadRow]:
        record, bad = self._record, self._bad
        while True:
            first = self._line + 1
            try:
                for cells in csv.reader(self._lines(), delimiter=self._delimiter, strict=False):
                    if bad:
                        reason = next(iter(bad.values()))
                        bad.clear()
                        yield BadRow(first, reason, [self._shown(cell) for cell in cells])
                    elif self._ended:
                        raise csv.Error(OPEN_QUOTE)
                    elif cells:
                        yield first, cells
                    if len(record) > 1:
                        self._more_chars = 0
                    record.clear()
                    first = self._line + 1
                return
            except csv.Error as error:
                reason = OPEN_QUOTE if len(record) > 1 or "limit" in str(error) else str(error)
                text = record[0] if record else ""
                # What follows the first line may be good rows: read it again.
                self._again.extendleft(reversed(record[1:]))
                self._reread += len(record) - 1
                if self._reread > REREAD_LINES_MAX:
                    raise FileProblem(
                        "Too many quotes are opened and never closed. Export the table anew as CSV."
                    ) from error
                self._line, self._more_chars, self._ended = first, 0, False
                record.clear()
                bad.clear()
                yield BadRow(first, reason, [self._shown(text.rstrip("\r\n"))])

    def _shown(self, text: str) -> str:
        return text[:_KEPT_CHARS].replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def read_header(path: Path, packing: Packing, delimiter: str, *, sample_rows: int) -> tuple[list[str], list[list[str]]]:
    """Names of the columns and the first rows. Raises FileProblem where the first row cannot be a header."""
    rows = CsvRows(path, packing, delimiter)
    try:
        found = iter(rows)
        first = next(found, None)
        if first is None:
            raise FileProblem("The file has no rows.")
        if isinstance(first, BadRow):
            raise FileProblem(f"The first row cannot be read: {first.reason}.")
        header = [name.strip()[:255] for name in first[1]]
        if len(header) > COLUMNS_MAX:
            raise FileProblem(f"The file has {len(header)} columns; {COLUMNS_MAX} are possible.")
        if not any(header):
            raise FileProblem("The first row is empty. It must hold the names of the columns.")
        if any("@" in name and "." in name.partition("@")[2] for name in header):
            raise FileProblem("The first row holds an e-mail address. It must hold the names of the columns.")
        sample: list[list[str]] = []
        for row in found:
            if not isinstance(row, BadRow) and len(sample) < sample_rows:
                sample.append([cell[:200] for cell in row[1]])
            if len(sample) == sample_rows:
                break
        return [name or f"Column {number}" for number, name in enumerate(header, 1)], sample
    finally:
        rows.close()
