"""Finding what a reading call names: one by its id, many page by page.

A cursor holds the sort value of a page's last row, so that what is made or deleted meanwhile shifts nothing.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from pydantic import Field, create_model

from standfast.platform.rest.answers import Answer, paged
from standfast.platform.rest.call import Call
from standfast.platform.rest.operation import Schema
from standfast.platform.rest.problems import FieldFault, Problem, not_found, unprocessable

PAGE_DEFAULT = 50
PAGE_MAX = 500
ID_MAX = 2**62
TEXT_MAX = 400
M = TypeVar("M", bound=Model)
T = TypeVar("T")


class Paging(Schema):
    """Where a page of a list begins, and how long it is."""

    cursor: str | None = None
    limit: int = Field(PAGE_DEFAULT, ge=1, le=PAGE_MAX)


class Page(Schema):
    data: list[Any]
    next: str | None = Field(description="Send it as `cursor` for the next page; null at the end.")


@functools.cache
def page_shape(row: type[Schema]) -> type[Page]:
    """What a list answers: `response=page_shape(ContactOut)`, which the document calls ContactPage."""
    name = f"{re.sub('(Out|Row)$', '', row.__name__)}Page"
    return create_model(name, __base__=Page, __module__=row.__module__, data=(list[row], ...))  # type: ignore[valid-type]


def one_of(mine: QuerySet[M], number: int, what: str) -> M:
    """The row of this id among the account's. Raises Problem (404)."""
    found = mine.filter(id=number).first() if 0 < number < ID_MAX else None
    if found is None:
        raise not_found(what)
    return found


def page_of(
    mine: QuerySet[M], paging: Paging, *, by: str = "id", show: Callable[[M], Any] | None = None
) -> dict[str, Any]:
    """A page of the account's rows in the order of `by`, an id or a text. Raises Problem for the cursor of another list."""
    after = id_after(paging.cursor) if by == "id" else text_after(paging.cursor)
    rows = mine.filter(**{f"{by}__gt": after}).order_by(by)[: paging.limit + 1]
    return page(list(rows), paging, lambda row: getattr(row, by), show)


def page(
    rows: Sequence[T], paging: Paging, sort_value: Callable[[T], Any], show: Callable[[T], Any] | None = None
) -> dict[str, Any]:
    """A page of rows, of which there is one more than wanted where another page follows."""
    shown = rows[: paging.limit]
    return {
        "data": shown if show is None else [show(row) for row in shown],
        "next": cursor_of(sort_value(shown[-1])) if len(rows) > paging.limit else None,
    }


def numbered_page(call: Call, found: QuerySet[M], show: Callable[[M], Mapping[str, Any]], *, root: str) -> Answer:
    """The same in the reference product's manner: by the page's number, with the count of pages in each row."""
    page, per = call.page()
    rows = found[(page - 1) * per : page * per]
    return paged([show(row) for row in rows], total=found.count(), per=per, root=root)


def span(call: Call) -> tuple[int, int | None]:
    """(rows to skip, rows at most) of a streamed call: all, unless it says `page`, `per` or `limit`. Raises CallError."""
    limit = call.number("limit", least=1)
    if call.value("page") is None and call.value("per") is None:
        return 0, limit
    page, per = call.page()
    return (page - 1) * per, per if limit is None else min(per, limit)


def cursor_of(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([value]).encode()).decode().rstrip("=")


def id_after(cursor: str | None, *, most: int = ID_MAX) -> int:
    """The number that the last page ended with; 0 without a cursor. Raises Problem."""
    value = _value_of(cursor, 0)
    if not isinstance(value, int) or not 0 <= value < most:
        raise _foreign()
    return value


def text_after(cursor: str | None) -> str:
    """The same for lists in the order of a text, "" without a cursor. Raises Problem."""
    value = _value_of(cursor, "")
    if not isinstance(value, str) or not (value.isprintable() and len(value) <= TEXT_MAX):
        raise _foreign()
    return value


def _value_of(cursor: str | None, default: Any) -> Any:
    if not cursor:
        return default
    try:
        [value] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "The cursor cannot be read", faults=[_NO_CURSOR]) from error
    return value


_NO_CURSOR = FieldFault(
    "query.cursor", "is not a cursor of this list", "send the `next` of the page before, or none for the first page"
)


def _foreign() -> Problem:
    return unprocessable(_NO_CURSOR)
