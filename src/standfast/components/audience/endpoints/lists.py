"""Lists, and who is on them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from ninja import Query, Router, Status

from standfast.components.audience import list_counts
from standfast.components.audience.endpoints.shapes import (
    READ,
    WRITE,
    Changed,
    ContactOut,
    Members,
    known_contacts,
    list_of,
    saved,
)
from standfast.components.audience.models import Contact, List, Subscription
from standfast.components.audience.subscribing import create_list, delete_list, subscribe, unsubscribe
from standfast.platform.rest.finding import Paging, id_after, page, page_shape
from standfast.platform.rest.operation import Request, Schema, operation
from standfast.platform.rest.values import Line, Name

router = Router(tags=["Lists"])
LISTS_MAX = 1000


class ListIn(Schema):
    name: Name
    description: Line = ""


class ListPatch(Schema):
    """What is to change; what is left out stays."""

    name: Name | None = None
    description: Line | None = None
    address: Line | None = None
    language: Line | None = None
    from_name: Line | None = None
    from_email: Line | None = None
    reply_to_email: Line | None = None
    display_name: Line | None = None
    add_to_unsubscribe_page: bool | None = None


class ListOut(Schema):
    id: int
    name: str
    description: str
    address: str
    language: str
    from_name: str
    from_email: str
    reply_to_email: str
    display_name: str
    add_to_unsubscribe_page: bool
    subscribers: int
    unsubscribes: int
    refreshed_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


@operation(router, "GET", "/lists", scope=READ, response=list[ListOut], summary="All lists")
def lists(request: Request) -> list[List]:
    """Their counts are some minutes old where they are long; one list alone tells those of the moment up to a thousand people."""
    rows = list(List.objects.filter(account_id=request.account_id).order_by("id")[:LISTS_MAX])
    return _counted(rows)


@operation(router, "POST", "/lists", scope=WRITE, response={201: ListOut}, summary="Make a list, or find it by name")
def make_list(request: Request, body: ListIn) -> Status[List]:
    account_id = request.account_id
    made = create_list(account_id=account_id, name=body.name, description=body.description)
    made.refresh_from_db()
    return Status(201, made)


@operation(router, "GET", "/lists/{list_id}", scope=READ, response=ListOut, summary="One list")
def one_list(request: Request, list_id: int) -> List:
    return _counted([list_of(request.account_id, list_id)])[0]


@operation(router, "PATCH", "/lists/{list_id}", scope=WRITE, response=ListOut, summary="Change a list")
def change_list(request: Request, list_id: int, body: ListPatch) -> List:
    one = list_of(request.account_id, list_id)
    for name, value in body.model_dump(exclude_none=True).items():
        setattr(one, name, value)
    return saved(one)


@operation(
    router, "DELETE", "/lists/{list_id}", scope=WRITE, response={204: None}, summary="Delete a list; its people stay"
)
def end_list(request: Request, list_id: int) -> HttpResponse:
    account_id = request.account_id
    delete_list(account_id=account_id, list_id=list_of(account_id, list_id).pk)
    return HttpResponse(status=204)


@operation(
    router, "POST", "/lists/{list_id}/subscribe", scope=WRITE, response=Changed, summary="Subscribe people to a list"
)
def join_list(request: Request, list_id: int, body: Members) -> dict[str, int]:
    account_id = request.account_id
    one = list_of(account_id, list_id)
    ids = known_contacts(account_id, body.contact_ids)
    return {"changed": subscribe(account_id=account_id, list_id=one.pk, contact_ids=ids, reason="api")}


@operation(
    router,
    "POST",
    "/lists/{list_id}/unsubscribe",
    scope=WRITE,
    response=Changed,
    summary="Unsubscribe people from a list",
)
def leave_list(request: Request, list_id: int, body: Members) -> dict[str, int]:
    account_id = request.account_id
    one = list_of(account_id, list_id)
    ids = known_contacts(account_id, body.contact_ids)
    return {"changed": unsubscribe(account_id=account_id, list_id=one.pk, contact_ids=ids, reason="api")}


@operation(
    router,
    "GET",
    "/lists/{list_id}/contacts",
    scope=READ,
    response=page_shape(ContactOut),
    summary="A list's subscribers",
)
def list_contacts(request: Request, list_id: int, paging: Query[Paging]) -> dict[str, Any]:
    account_id = request.account_id
    rows = Subscription.objects.filter(
        account_id=account_id,
        list_id=list_of(account_id, list_id).pk,
        status="subscribed",
        contact_id__gt=id_after(paging.cursor),
    )
    ids = list(rows.order_by("contact_id").values_list("contact_id", flat=True)[: paging.limit + 1])
    found = page(ids, paging, int)
    people = Contact.objects.filter(account_id=account_id, id__in=found["data"]).order_by("id")
    return {**found, "data": list(people)}


def _counted(rows: list[List]) -> list[List]:
    if rows:
        list_counts.take_soon(account_id=rows[0].account_id, list_ids=list_counts.freshen(rows))
    return rows
