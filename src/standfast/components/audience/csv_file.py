"""What kind of file somebody gave us: packed or not, which encoding, which delimiter. Answers, or FileProblem with a sentence."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

SAMPLE_BYTES = 256 * 1024
SCAN_BYTES_MAX = 32 * 1024 * 1024
UNPACKED_BYTES_MAX = 20 * 1024**3
PACKED_RATIO_MAX = 200
RATIO_FREE_BYTES = 64 * 1024 * 1024
DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe", ":": "colon"}

_FOREIGN = (
    (b"PK\x03\x04", "This is an Excel workbook or a zip file. Open it and save it as CSV."),
    (b"\xd0\xcf\x11\xe0", "This is an old Excel workbook. Open it and save it as CSV (UTF-8)."),
    (b"%PDF", "This is a PDF. Export the table as CSV."),
    (b"BZh", "This file is packed with bzip2. Unpack it, or pack it with gzip."),
    (b"7z\xbc\xaf", "This is a 7-Zip file. Unpack it, or pack it with gzip."),
)
_BROKEN = re.compile("[\udc80-\udcff]")


class FileProblem(ValueError):
    """The file cannot be read; the sentence says what to do."""


class Packing(NamedTuple):
    """How to read the bytes as text."""

    encoding: str
    bom_bytes: int
    gzipped: bool


class _Unpacking(io.RawIOBase):
    """Unpacked bytes of a gzip file, refused as soon as they are out of proportion to the packed ones."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed, self._gzip, self._out = packed, gzip.GzipFile(fileobj=packed), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            piece = self._gzip.read1(len(buffer))
        except EOFError as error:
            raise FileProblem("The packed file ends in its middle. Pack and upload it again.") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise FileProblem(f"The packed file is damaged ({error}). Pack and upload it again.") from error
        buffer[: len(piece)] = piece
        self._out += len(piece)
        if self._out > UNPACKED_BYTES_MAX:
            raise FileProblem("Unpacked, the file is larger than 20 GB. Split it.")
        if self._out > RATIO_FREE_BYTES and self._out > PACKED_RATIO_MAX * self._packed.tell():
            raise FileProblem("The packed file grows more than two hundredfold when unpacked. Upload it unpacked.")
        return len(piece)


def open_bytes(file: BinaryIO, *, gzipped: bool) -> BinaryIO:
    """The file's bytes, unpacked where it is packed; memory stays bounded."""
    return io.BufferedReader(_Unpacking(file), 256 * 1024) if gzipped else file


def detect(path: Path) -> Packing:
    """Packing and encoding of a file, by its first 32 MB. Raises FileProblem."""
    with path.open("rb") as file:
        start = file.read(8)
        if not start:
            raise FileProblem("The file is empty.")
        for magic, problem in _FOREIGN:
            if start.startswith(magic):
                raise FileProblem(problem)
        gzipped = start[:2] == b"\x1f\x8b"
        file.seek(0)
        unpacked = open_bytes(file, gzipped=gzipped)
        first = unpacked.read(SAMPLE_BYTES)
        if not first:
            raise FileProblem("The file is empty.")
        encoding, bom = _by_mark(first) or (_by_zeros(first), 0)
        return Packing(encoding or _utf8_or_western(first, unpacked), bom, gzipped)


def _by_mark(first: bytes) -> tuple[str, int] | None:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if first.startswith(mark):
            return name, len(mark)
    return None


def _by_zeros(first: bytes) -> str:
    """UTF-16 without its mark: Western text has a zero in every second byte."""
    even, odd = first[:4096:2], first[1:4096:2]
    if len(odd) < 4:
        return ""
    if odd.count(0) > 0.6 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.6 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    if first.count(0) > 0.1 * len(first):
        raise FileProblem("This is not a text file. Export the table as CSV.")
    return ""


def _utf8_or_western(first: bytes, rest: BinaryIO) -> str:
    """UTF-8 where most of what is not ASCII reads as UTF-8 (a few broken rows are refused later), else Windows-1252."""
    decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
    good = bad = read = 0
    piece = first
    while piece and read < SCAN_BYTES_MAX:
        read += len(piece)
        text = decode(piece)
        if not text.isascii():
            bad += len(_BROKEN.findall(text))
            good += len(text.encode("utf-8", "surrogateescape")) - len(text)
        piece = rest.read(SAMPLE_BYTES)
    if bad <= good:
        return "utf-8"
    return "cp1252" if not any(byte in first for byte in b"\x81\x8d\x8f\x90\x9d") else "latin-1"


def sniff_delimiter(line: str) -> str:
    """The delimiter of a header row: the commonest outside quotes; a comma where there is none."""
    outside = "".join(line.split('"')[::2])
    found = max(DELIMITERS, key=lambda char: outside.count(char) if char != ":" else outside.count(char) / 100)
    return found if found in outside else ","
