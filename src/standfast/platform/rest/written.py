"""Answers of our own API that the database writes: rows that come as JSON are sent as they are, neither parsed nor validated.

For what is asked for most. The query writes what the operation's response model promises; a test compares the names.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse

from standfast.platform.rest import sparse
from standfast.platform.rest.finding import cursor_of


def page(request: HttpRequest, rows: Sequence[tuple[int, str]], *, limit: int) -> HttpResponse:
    """A page of (id, JSON) in the order of the ids. rows: one more than `limit`, where there are more."""
    after = cursor_of(rows[limit - 1][0]) if len(rows) > limit else None
    data = ",".join(_thin(request, text) for _, text in rows[:limit])
    return _sent(f'{{"data":[{data}],"next":{json.dumps(after)}}}')


def resource(request: HttpRequest, text: str, *, status: int = 200) -> HttpResponse:
    return _sent(_thin(request, text), status)


def _thin(request: HttpRequest, text: str) -> str:
    wanted = sparse.wanted(request)
    if wanted is None:
        return text
    return json.dumps(sparse.only(json.loads(text), wanted), ensure_ascii=False, separators=(",", ":"))


def _sent(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text.encode(), status=status, content_type="application/json; charset=utf-8")
