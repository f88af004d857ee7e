"""Lists, and who is on them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from standfast.components.audience import list_counts
from standfast.components.audience.endpoints.shapes import (
    READ,
    WRITE,
    Changed,
    ContactPage,
    Members,
    known_contacts,
    list_of,
)
from standfast.components.audience.models import Contact, List, Subscription
from standfast.components.audience.subscribing import create_list, delete_list, subscribe, unsubscribe
from standfast.platform.rest.operation import ERRORS, PAGE_DEFAULT, PAGE_MAX, Schema, cursor_of, id_after, operation
from standfast.platform.rest.problems import FieldFault, Problem
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


@operation(router, "GET", "/lists", scope=READ, response={200: list[ListOut], **ERRORS}, summary="All lists")
def lists(request: HttpRequest) -> list[List]:
    """Their counts are some minutes old where they are long; one list alone tells those of the moment up to a thousand people."""
    rows = list(List.objects.filter(account_id=request.account_id).order_by("id")[:LISTS_MAX])  # type: ignore[attr-defined]
    return _counted(rows)


@operation(
    router, "POST", "/lists", scope=WRITE, response={201: ListOut, **ERRORS}, summary="Make a list, or find it by name"
)
def make_list(request: HttpRequest, body: ListIn) -> Status[List]:
    account_id = request.account_id  # type: ignore[attr-defined]
    made = create_list(account_id=account_id, name=body.name, description=body.description)
    made.refresh_from_db()
    return Status(201, made)


@operation(router, "GET", "/lists/{list_id}", scope=READ, response={200: ListOut, **ERRORS}, summary="One list")
def one_list(request: HttpRequest, list_id: int) -> List:
    return _counted([list_of(request.account_id, list_id)])[0]  # type: ignore[attr-defined]


@operation(router, "PATCH", "/lists/{list_id}", scope=WRITE, response={200: ListOut, **ERRORS}, summary="Change a list")
def change_list(request: HttpRequest, list_id: int, body: ListPatch) -> List:
    one = list_of(request.account_id, list_id)  # type: ignore[attr-defined]
    for name, value in body.model_dump(exclude_none=True).items():
        setattr(one, name, value)
    try:
        with transaction.atomic():
            one.save()
    except IntegrityError as error:
        fault = FieldFault("body.name", "is another list's", "send a name that is free")
        raise Problem(409, "Conflict", faults=[fault]) from error
    return one


@operation(
    router,
    "DELETE",
    "/lists/{list_id}",
    scope=WRITE,
    response={204: None, **ERRORS},
    summary="Delete a list; its people stay",
)
def end_list(request: HttpRequest, list_id: int) -> HttpResponse:
    account_id = request.account_id  # type: ignore[attr-defined]
    delete_list(account_id=account_id, list_id=list_of(account_id, list_id).pk)
    return HttpResponse(status=204)


@operation(
    router,
    "POST",
    "/lists/{list_id}/subscribe",
    scope=WRITE,
    response={200: Changed, **ERRORS},
    summary="Subscribe people to a list",
)
def join_list(request: HttpRequest, list_id: int, body: Members) -> dict[str, int]:
    account_id = request.account_id  # type: ignore[attr-defined]
    one = list_of(account_id, list_id)
    ids = known_contacts(account_id, body.contact_ids)
    return {"changed": subscribe(account_id=account_id, list_id=one.pk, contact_ids=ids, reason="api")}


@operation(
    router,
    "POST",
    "/lists/{list_id}/unsubscribe",
    scope=WRITE,
    response={200: Changed, **ERRORS},
    summary="Unsubscribe people from a list",
)
def leave_list(request: HttpRequest, list_id: int, body: Members) -> dict[str, int]:
    account_id = request.account_id  # type: ignore[attr-defined]
    one = list_of(account_id, list_id)
    ids = known_contacts(account_id, body.contact_ids)
    return {"changed": unsubscribe(account_id=account_id, list_id=one.pk, contact_ids=ids, reason="api")}


@operation(
    router,
    "GET",
    "/lists/{list_id}/contacts",
    scope=READ,
    response={200: ContactPage, **ERRORS},
    summary="A list's subscribers",
)
def list_contacts(
    request: HttpRequest, list_id: int, cursor: str | None = None, limit: int = Query(PAGE_DEFAULT, ge=1, le=PAGE_MAX)
) -> dict[str, Any]:
    account_id = request.account_id  # type: ignore[attr-defined]
    rows = Subscription.objects.filter(
        account_id=account_id,
        list_id=list_of(account_id, list_id).pk,
        status="subscribed",
        contact_id__gt=id_after(cursor),
    )
    ids = list(rows.order_by("contact_id").values_list("contact_id", flat=True)[: limit + 1])
    people = Contact.objects.filter(account_id=account_id, id__in=ids[:limit]).order_by("id")
    return {"data": list(people), "next": cursor_of(ids[limit - 1]) if len(ids) > limit else None}


def _counted(rows: list[List]) -> list[List]:
    if rows:
        list_counts.take_soon(account_id=rows[0].account_id, list_ids=list_counts.freshen(rows))
    return rows
