"""Read the next batch of a file in a process of its own while the database works on the last one."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from standfast.components.audience import row_batches
from standfast.components.audience.row_batches import Batch


class ReaderDied(RuntimeError):
    """The reading process was killed; run the import again, it goes on from what was committed."""


@contextmanager
def read_ahead(order: Mapping[str, Any]) -> Iterator[Iterator[Batch]]:
    """Iterate the batches of a file (see row_batches.run). The pipe is what bounds how far ahead: a batch is parsed whole,
    then waits. Raises FileProblem, ReaderDied. Leaving ends the process; it also ends when this one is killed."""
    command = [sys.executable, "-m", row_batches.__name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            _tell(process, json.dumps(order).encode())
            yield _batches(process)
        finally:
            process.kill()


def _tell(process: subprocess.Popen[bytes], order: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:  # it died: reading says so
        process.stdin.write(order)


def _batches(process: subprocess.Popen[bytes]) -> Iterator[Batch]:
    assert process.stdout is not None
    while True:
        try:
            batch = row_batches.read(process.stdout)
        except EOFError as error:
            raise ReaderDied(f"the process that reads the file ended with status {process.wait()}") from error
        if batch is None:
            return
        yield batch
