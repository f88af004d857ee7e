"""Read the next piece while the last one is being written: parsing has one core, the database the other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
_END = object()


@contextmanager
def read_ahead(items: Iterable[T], *, pieces: int = 1) -> Iterator[Iterator[T]]:
    """Iterate `items` in a thread, at most `pieces` ahead; what it raises is raised here. Leaving stops the thread."""
    ready: queue.Queue[object] = queue.Queue(pieces)
    leave = threading.Event()

    def put(item: object) -> None:
        while not leave.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def read() -> None:
        try:
            for item in items:
                put(item)
                if leave.is_set():
                    return
            put(_END)
        except Exception as error:  # handed to the reader, who raises it
            put(error)

    def taken() -> Iterator[T]:
        while (item := ready.get()) is not _END:
            if isinstance(item, Exception):
                raise item
            yield item  # type: ignore[misc]

    thread = threading.Thread(target=read, name="read ahead", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        leave.set()
        thread.join()
