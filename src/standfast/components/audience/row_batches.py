"""The process that reads a file of contacts: from bytes to batches that are ready for COPY, written to its standard output.

It runs without Django and without the database: parsing has one core, the database the other. Each batch is one line of
JSON about it and the bytes of its rows.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from standfast.components.audience.csv_file import FileProblem, detect
from standfast.components.audience.csv_rows import BadRow, CsvRows
from standfast.components.audience.import_rows import Convert, make_convert
from standfast.components.audience.rejects import as_written

BATCH_ROWS = 10_000


@dataclass
class Batch:
    """Some rows of the file: `lines` in COPY's text format, one per address, `people` of them.

    `rejects` are (line of the file, reason, cells); `tags` the names that the numbers in the lines mean, from 1; `source` the
    (line, cells) of each row by its n where the database may refuse one.
    """

    records: int = 0
    people: int = 0
    bytes_done: int = 0
    duplicates: int = 0
    rejects: list[tuple[int, str, list[str]]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    source: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    lines: bytes = b""


def batches(
    rows: CsvRows, convert: Convert, *, size: int, keep_source: bool = False, ours: bool = False
) -> Iterator[Batch]:
    """The file after its header, in batches of the same rows at every run. `ours`: a file of refused rows, see rejects."""
    records = iter(rows)
    next(records, None)
    while True:
        batch = Batch()
        lines: dict[str, str] = {}
        tags: dict[str, int] = {}
        n = -1
        for n, record in enumerate(itertools.islice(records, size)):
            if isinstance(record, BadRow):
                batch.rejects.append((record.line, record.reason, record.cells))
                continue
            if ours:
                record = (record[0], [as_written(cell) for cell in record[1]])
            try:
                key, line = convert(n, record[1], tags)
            except ValueError as error:
                batch.rejects.append((record[0], str(error), record[1]))
                continue
            lines.pop(key, None)  # the last row wins
            lines[key] = line
            if keep_source:
                batch.source[str(n)] = record
        if n < 0:
            return
        batch.records, batch.people, batch.tags = n + 1, len(lines), list(tags)
        batch.bytes_done = rows.bytes_done
        batch.duplicates = batch.records - batch.people - len(batch.rejects)
        batch.lines = ("\n".join(lines.values()) + "\n").encode() if lines else b""
        yield batch


def write(out: IO[bytes], batch: Batch) -> None:
    about = dict(vars(batch))  # asdict copies every cell
    lines = about.pop("lines")
    out.write(json.dumps({**about, "size": len(lines)}).encode() + b"\n")
    out.write(lines)
    out.flush()


def read(source: IO[bytes]) -> Batch | None:
    """The next batch, None at the end. Raises FileProblem that the other side met, EOFError where it ended before the end."""
    line = source.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    about = json.loads(line)
    if "problem" in about:
        raise FileProblem(about["problem"])
    if about.get("end"):
        return None
    size = about.pop("size")
    lines = source.read(size)
    if len(lines) < size:
        raise EOFError
    about["rejects"] = [tuple(reject) for reject in about["rejects"]]
    return Batch(**about, lines=lines)


def run(order: Mapping[str, Any], out: IO[bytes]) -> None:
    """Read as ordered: path, encoding, delimiter, mapping, width, types, day_first, size, keep_source, ours."""
    try:
        path = Path(order["path"])
        rows = CsvRows(path, detect(path)._replace(encoding=order["encoding"]), order["delimiter"])
        types = {key: (kind, label) for key, (kind, label) in order["types"].items()}
        convert = make_convert(
            mapping=order["mapping"], width=order["width"], types=types, day_first=order["day_first"]
        )
        how = {name: order[name] for name in ("size", "keep_source", "ours")}
        for batch in batches(rows, convert, **how):
            write(out, batch)
        out.write(b'{"end": true}\n')
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        out.write(json.dumps({"problem": str(error)}).encode() + b"\n")
    out.flush()


if __name__ == "__main__":
    try:
        run(json.load(sys.stdin), sys.stdout.buffer)
    except BrokenPipeError:  # nobody waits for the rest
        sys.stdout = None  # type: ignore[assignment]
