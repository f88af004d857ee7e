"""What goes between the test's connection and the server, as libpq traces it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg import pq


class Traffic:
    """`asked`: how often something was sent and waited for. `done`: the tags of the statements that were carried out."""

    def __init__(self) -> None:
        self.asked = 0
        self.done: list[str] = []


@contextmanager
def traffic() -> Iterator[Traffic]:
    """Filled when the block ends."""
    seen = Traffic()
    connection.ensure_connection()
    link = connection.connection.pgconn
    with tempfile.TemporaryFile() as written:
        link.trace(written.fileno())
        link.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS | pq.Trace.REGRESS_MODE)
        try:
            yield seen
        finally:
            link.untrace()
        written.seek(0)
        text = written.read().decode(errors="replace")
    seen.asked = len(re.findall(r"^F\t\d+\t(?:Query|Sync)", text, re.MULTILINE))
    seen.done = re.findall(r'^B\t\d+\tCommandComplete\t "(\w+)', text, re.MULTILINE)
