"""Webhooks for programs: where to tell what, what was told with every attempt, and telling it again."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.db import connection
from django.http import HttpResponse
from ninja import Field, Query, Router, Status

from standfast.components.webhooks.delivering import message_id
from standfast.components.webhooks.endpoints_of import (
    AGAIN_MAX,
    OLD_SECRET_FOR,
    EndpointInvalid,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    new_secret_of,
    send_again,
    send_test,
)
from standfast.components.webhooks.kinds import TYPES, type_of
from standfast.components.webhooks.models import Attempt, Delivery, Endpoint
from standfast.components.webhooks.queries import QUERIES
from standfast.platform.rest.finding import ID_MAX, Paging, id_after, one_of, page, page_shape
from standfast.platform.rest.operation import Request, Schema, operation
from standfast.platform.rest.problems import FieldFault, Problem, not_found, unprocessable
from standfast.platform.rest.values import Id, Line

router = Router(tags=["Webhooks"])
_READ, _WRITE = "webhooks:read", "webhooks:write"
KINDS_MAX = 100
OLD_HOURS_MAX = 168
ATTEMPTS_SHOWN = 100
_REMEDIES = {
    "types": "send some that GET /webhooks/types gives",
    "url": "send another address, or delete an endpoint first",
    "state": "send active or paused",
}


class EndpointIn(Schema):
    url: str = Field(max_length=2000, examples=["https://example.com/hooks/standfast"])
    types: list[str] = Field(
        [], max_length=KINDS_MAX, description="Event types; none means all.", examples=[["message.bounced"]]
    )
    description: Line = ""


class EndpointPatch(Schema):
    """What is to change; what is left out stays."""

    url: str | None = Field(None, max_length=2000)
    types: list[str] | None = Field(None, max_length=KINDS_MAX)
    description: Line | None = None
    state: Literal["active", "paused"] | None = None


class EndpointOut(Schema):
    id: int
    url: str
    types: list[str]
    description: str
    state: str = Field(description="active, paused, or disabled: it failed for five days, or answered 410")
    failing_since: dt.datetime | None
    created_at: dt.datetime


class EndpointMade(EndpointOut):
    secret: str = Field(description="Shown this once; deliveries are signed with it.")


class NewSecret(Schema):
    old_hours: int = Field(
        24, ge=0, le=OLD_HOURS_MAX, description="How long the old one signs beside the new one; 0 ends it at once."
    )


class Secret(Schema):
    secret: str


class DeliveryOut(Schema):
    position: int = Field(description="The event's number in the account's log.")
    message_id: str = Field(description="The header webhook-id, the same in every attempt.")
    type: str
    state: str = Field(description="due, trying, done or failed")
    attempts: int
    next_at: dt.datetime | None
    detail: str | None
    done_at: dt.datetime | None


class AttemptOut(Schema):
    n: int
    at: dt.datetime
    status: int | None = Field(description="HTTP status; null where no answer came.")
    milliseconds: int | None
    detail: str | None


class DeliveryDetail(DeliveryOut):
    tries: list[AttemptOut]


class Span(Schema):
    first: Id = Field(description="The first position of the log that is told again.")
    last: Id = Field(description=f"The last one; at most {AGAIN_MAX:,} in all.")


class Again(Schema):
    deliveries: int


class Tested(Schema):
    position: int


@operation(router, "GET", "/webhooks/types", scope=_READ, response=list[str], summary="Types of events")
def types(request: Request) -> list[str]:
    """Programs' own events are of the type custom.<name>."""
    return sorted(TYPES.values())


@operation(router, "GET", "/webhooks", scope=_READ, response=list[EndpointOut], summary="All endpoints")
def endpoints(request: Request) -> list[dict[str, Any]]:
    rows = Endpoint.objects.filter(account_id=request.account_id).order_by("pk")
    return [_row(one) for one in rows]


@operation(router, "POST", "/webhooks", scope=_WRITE, response={201: EndpointMade}, summary="Make an endpoint")
def make_endpoint(request: Request, body: EndpointIn) -> Status[dict[str, Any]]:
    """It is told what happens from now on. The answer shows its secret, once."""
    account_id = request.account_id
    try:
        made, secret = create_endpoint(
            account_id=account_id, url=body.url, kinds=body.types, description=body.description
        )
    except EndpointInvalid as error:
        raise _fault(error) from error
    return Status(201, {**_row(made), "secret": secret})


@operation(router, "GET", "/webhooks/{endpoint_id}", scope=_READ, response=EndpointOut, summary="One endpoint")
def one_endpoint(request: Request, endpoint_id: int) -> dict[str, Any]:
    return _row(_found(request, endpoint_id))


@operation(
    router,
    "PATCH",
    "/webhooks/{endpoint_id}",
    scope=_WRITE,
    response=EndpointOut,
    summary="Change an endpoint, pause it, or let it go on",
)
def patch_endpoint(request: Request, endpoint_id: int, body: EndpointPatch) -> dict[str, Any]:
    found = _found(request, endpoint_id)
    try:
        change_endpoint(found, url=body.url, kinds=body.types, description=body.description, state=body.state)
    except EndpointInvalid as error:
        raise _fault(error) from error
    return _row(found)


@operation(
    router,
    "DELETE",
    "/webhooks/{endpoint_id}",
    scope=_WRITE,
    response={204: None},
    summary="End an endpoint with its deliveries",
)
def end_endpoint(request: Request, endpoint_id: int) -> HttpResponse:
    delete_endpoint(_found(request, endpoint_id))
    return HttpResponse(status=204)


@operation(
    router,
    "POST",
    "/webhooks/{endpoint_id}/secret",
    scope=_WRITE,
    response=Secret,
    summary="Another secret, valid at once; for a day the old one signs too",
)
def rotate(request: Request, endpoint_id: int, body: NewSecret | None = None) -> dict[str, str]:
    old_for = OLD_SECRET_FOR if body is None else dt.timedelta(hours=body.old_hours)
    return {"secret": new_secret_of(_found(request, endpoint_id), old_for=old_for)}


@operation(
    router,
    "GET",
    "/webhooks/{endpoint_id}/deliveries",
    scope=_READ,
    response=page_shape(DeliveryOut),
    summary="What was and is to be told, the latest first",
)
def deliveries(
    request: Request,
    endpoint_id: int,
    paging: Query[Paging],
    state: Literal["due", "trying", "done", "failed"] | None = None,
) -> dict[str, Any]:
    found = _found(request, endpoint_id)
    where = {
        "account_id": found.account_id,
        "endpoint_id": found.pk,
        "state": state,
        "below": id_after(paging.cursor) or ID_MAX,
    }
    with connection.cursor() as reading:
        reading.execute(QUERIES.deliveries.sql, {**where, "most": paging.limit + 1})
        names = [column.name for column in reading.description]
        rows = [_delivery(found, **dict(zip(names, row, strict=True))) for row in reading.fetchall()]
    return page(rows, paging, lambda row: row["position"])


@operation(
    router,
    "GET",
    "/webhooks/{endpoint_id}/deliveries/{position}",
    scope=_READ,
    response=DeliveryDetail,
    summary="One delivery with its attempts",
)
def one_delivery(request: Request, endpoint_id: int, position: int) -> dict[str, Any]:
    found = _found(request, endpoint_id)
    where = {"account_id": found.account_id, "endpoint_id": found.pk, "position": position}
    one = Delivery.objects.filter(**where).first() if 0 < position < ID_MAX else None
    if one is None:
        raise not_found("delivery")
    names = ("endpoint_id", "position", "kind", "state", "attempts", "next_at", "detail", "done_at")
    tries = list(Attempt.objects.filter(**where).order_by("-n")[:ATTEMPTS_SHOWN])
    return {**_delivery(found, **{name: getattr(one, name) for name in names}), "tries": tries}


@operation(
    router,
    "POST",
    "/webhooks/{endpoint_id}/deliveries/{position}/again",
    scope=_WRITE,
    response={202: Again},
    summary="Tell one event again",
)
def deliver_again(request: Request, endpoint_id: int, position: int) -> Status[dict[str, int]]:
    found = _found(request, endpoint_id)
    count = send_again(found, first=position, last=position) if 0 < position < ID_MAX else 0
    if not count:
        raise not_found("event that this endpoint is told of")
    return Status(202, {"deliveries": count})


@operation(
    router,
    "POST",
    "/webhooks/{endpoint_id}/again",
    scope=_WRITE,
    response={202: Again},
    summary="Tell a span of the log again",
)
def replay(request: Request, endpoint_id: int, body: Span) -> Status[dict[str, int]]:
    """Also what happened before the endpoint was made. Follow it under `deliveries`."""
    found = _found(request, endpoint_id)
    try:
        return Status(202, {"deliveries": send_again(found, first=body.first, last=body.last)})
    except EndpointInvalid as error:
        raise unprocessable(FieldFault(f"body.{error.field}", str(error), "send a shorter span")) from error


@operation(
    router,
    "POST",
    "/webhooks/{endpoint_id}/test",
    scope=_WRITE,
    response={202: Tested},
    summary="Tell the endpoint a webhook.test",
)
def test(request: Request, endpoint_id: int) -> Status[dict[str, int]]:
    return Status(202, {"position": send_test(_found(request, endpoint_id))})


def _found(request: Request, endpoint_id: int) -> Endpoint:
    account_id = request.account_id
    return one_of(Endpoint.objects.filter(account_id=account_id), endpoint_id, "webhook endpoint")


def _row(one: Endpoint) -> dict[str, Any]:
    names = ("url", "description", "state", "failing_since", "created_at")
    return {
        "id": one.pk,
        "types": [type_of(kind) for kind in one.kinds],
        **{name: getattr(one, name) for name in names},
    }


def _delivery(endpoint: Endpoint, **row: Any) -> dict[str, Any]:
    waits = row["state"] in ("due", "trying")
    return {
        **row, "type": type_of(row["kind"]), "next_at": row["next_at"] if waits else None,
        "message_id": message_id(endpoint.account_id, endpoint.pk, row["position"]),
    }  # fmt: skip


def _fault(error: EndpointInvalid) -> Problem:
    field = {"kinds": "types"}.get(error.field, error.field)
    return unprocessable(FieldFault(f"body.{field}", str(error), _REMEDIES[field]))
