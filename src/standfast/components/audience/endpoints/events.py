"""What happened: read from the account's log, and told by programs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.http import HttpResponse
from ninja import Field, Query, Router
from pydantic import BaseModel

from standfast.components.audience.custom_events import Happening, note_events
from standfast.components.audience.endpoints.shapes import BULK_MAX, READ, WRITE
from standfast.components.audience.queries import QUERIES
from standfast.platform.rest.answers import to_json
from standfast.platform.rest.finding import Paging, id_after, page, page_shape
from standfast.platform.rest.operation import Request, Schema, operation
from standfast.platform.rest.values import Address, Id, Line, Moment

router = Router(tags=["Events"])


class EventIn(BaseModel):
    """What somebody did. Say who by one of `contact_id`, `email` and `uid`."""

    name: str = Field(pattern="^[a-z0-9_]{1,60}$", examples=["signed_up"])
    contact_id: Id | None = None
    email: Address | None = None
    uid: Line | None = None
    occurred_at: Moment | None = Field(None, description="Now, where it is left out.")
    properties: dict[str, Any] | None = Field(None, examples=[{"plan": "yearly", "price": 120}])
    id: Line | None = Field(None, description="Yours: the same id within seven days is the same event.")


class Events(Schema):
    events: list[EventIn] = Field(min_length=1, max_length=BULK_MAX)
    create_contacts: bool = Field(False, description="Whether an address that nobody has makes a person.")


class NotedOut(Schema):
    outcome: str = Field(description="taken, again (its id was taken before) or refused")
    position: int | None = Field(description="Its number in the account's log.")
    contact_id: int | None
    reason: str | None


class EventsOut(Schema):
    results: list[NotedOut] = Field(description="One for each event, in order.")


class LoggedOut(Schema):
    position: int
    kind: str
    at: dt.datetime
    contact_id: int | None
    send_id: int | None
    number: int | None = Field(description="Of the message within its send.")
    details: dict[str, Any]


@operation(router, "POST", "/events", scope=WRITE, response=EventsOut, summary="Tell what people did")
def tell_events(request: Request, body: Events) -> HttpResponse:
    """Taken means on disk, in the log, in your order. A row that is refused keeps none of the others back."""
    now = dt.datetime.now(dt.UTC)
    happenings = [
        Happening(one.name, one.occurred_at or now, one.contact_id, one.email, one.uid, one.properties, one.id)
        for one in body.events
    ]
    account_id = request.account_id
    noted = note_events(account_id=account_id, happenings=happenings, create_contacts=body.create_contacts, now=now)
    answer = {"results": [one._asdict() for one in noted]}  # ours already: not validated
    return HttpResponse(to_json(answer), content_type="application/json")


@operation(
    router, "GET", "/events", scope=READ, response=page_shape(LoggedOut), summary="The account's log, oldest first"
)
def events(
    request: Request,
    paging: Query[Paging],
    after: int = Query(0, ge=0, lt=2**62, description="Without a cursor: begin behind this position."),
) -> dict[str, Any]:
    account_id = request.account_id
    where = {"account_id": account_id, "after": id_after(paging.cursor) or after, "most": paging.limit + 1}
    with connection.cursor() as reading:
        reading.execute(QUERIES.events_after.sql, where)
        rows = [_row(row) for row in reading.fetchall()]
    return page(rows, paging, lambda row: row["position"])


def _row(logged: Sequence[Any]) -> dict[str, Any]:
    row = dict(zip(("position", "kind", "at", "contact_id", "send_id", "number", "details"), logged, strict=True))
    details = row["details"]
    return row | {"details": json.loads(details) if isinstance(details, str) else details or {}}
