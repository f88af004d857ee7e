"""Lists of any length: pages by cursor, and many rows cut into what one call may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypedDict, TypeVar

from standfast_client.problems import StandfastError
from standfast_client.values import encoded

T = TypeVar("T")
R = TypeVar("R")
BATCH_BYTES_MAX = 15 * 1024 * 1024
"""A body may have 20 MB; the rest is for what stands around the rows."""


class Page(TypedDict, Generic[T]):
    data: list[T]
    next: str | None


class Pages(Generic[T]):
    """A list that is read while it is gone through: `for one in pages` follows the cursor to the end.

    A place in it can be kept: `pages.page()` is the first page, `pages.page(page["next"])` the one after.
    """

    def __init__(self, read: Callable[[str | None], Page[T]]) -> None:
        self._read = read

    def page(self, cursor: str | None = None) -> Page[T]:
        return self._read(cursor)

    def pages(self, cursor: str | None = None) -> Iterator[Page[T]]:
        while True:
            page = self._read(cursor)
            yield page
            if page["next"] is None:
                return
            if page["next"] == cursor:
                raise StandfastError("The list leads back to the same place. Begin again.")
            cursor = page["next"]

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page["data"]


def batches(rows: Iterable[T], *, most: int, bytes_max: int = BATCH_BYTES_MAX) -> Iterator[list[T]]:
    """Rows in their order, `most` at a time and no more than `bytes_max` of JSON."""
    batch: list[T] = []
    size = 0
    for row in rows:
        length = len(encoded(row)) + 1
        if batch and (len(batch) >= most or size + length > bytes_max):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch


def in_batches(
    rows: Iterable[T], send: Callable[..., list[R]], *, most: int, idempotency_key: str | None = None, **more: Any
) -> list[R]:
    """The results of all rows in their order. What a batch raises says how many rows were sent before it."""
    results: list[R] = []
    for number, batch in enumerate(batches(rows, most=most)):
        if idempotency_key is not None:
            more["idempotency_key"] = f"{idempotency_key}:{number}"
        try:
            results += send(batch, **more)
        except StandfastError as error:
            error.add_note(f"{len(results)} rows before these were taken.")
            raise
    return results
