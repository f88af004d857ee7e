"""Which method of the client makes which operation of the API.

A test walks the API's OpenAPI document by this table, so that no operation is without its method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

OPERATIONS: dict[tuple[str, str], Callable[..., Any]] = {}
"""By method and path, as they stand in the document without /api/v1: the method that calls it."""

F = TypeVar("F", bound=Callable[..., Any])


def operation(method: str, path: str) -> Callable[[F], F]:
    """Note that the method makes this operation."""

    def note(function: F) -> F:
        OPERATIONS[method, path] = function
        return function

    return note
