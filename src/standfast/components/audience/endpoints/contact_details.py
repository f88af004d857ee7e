"""What belongs to one person: lists, tags, do-not-mail, what happened."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ninja import Field, Query, Router

from standfast.components.audience.editing import change_contact
from standfast.components.audience.endpoints.shapes import READ, TAGS_AT_ONCE, WRITE, TagOut, contact_of, known_tags
from standfast.components.audience.models import BrandDoNotMail, DoNotMail, List, Subscription, Tag
from standfast.components.audience.timeline import TimelineItem, contact_timeline
from standfast.components.audience.upsert import ContactRow
from standfast.platform.rest.finding import Paging, id_after, page, page_shape
from standfast.platform.rest.operation import Request, Schema, operation
from standfast.platform.rest.values import Id

router = Router(tags=["Contacts"])
PLACES_MAX = 5000


class PlaceOut(Schema):
    list_id: int
    name: str
    status: str = Field(description="subscribed or unsubscribed")
    since_at: dt.datetime


class TagSet(Schema):
    tag_ids: list[Id] = Field(max_length=TAGS_AT_ONCE, description="All the tags that the person is to have.")


class BlockOut(Schema):
    """Whether mail is kept from a person, and why."""

    stopped: bool
    reason: str | None
    since_at: dt.datetime | None
    brand_ids: list[int] = Field(description="Brands whose mail alone is kept from the person.")


class HappenedOut(Schema):
    position: int = Field(description="Its number in the account's event log.")
    kind: str
    at: dt.datetime
    send_id: int | None
    details: dict[str, Any]


@operation(
    router,
    "GET",
    "/contacts/{contact_id}/lists",
    scope=READ,
    response=list[PlaceOut],
    summary="Lists that a person is or was on",
)
def lists_of_contact(request: Request, contact_id: int) -> list[dict[str, Any]]:
    account_id = request.account_id
    contact_of(account_id, contact_id)
    places = list(
        Subscription.objects.filter(account_id=account_id, contact_id=contact_id).order_by("list_id")[:PLACES_MAX]
    )
    names = dict(
        List.objects.filter(account_id=account_id, pk__in=[one.list_id for one in places]).values_list("pk", "name")
    )
    return [
        {"list_id": one.list_id, "name": names[one.list_id], "status": one.status, "since_at": one.since_at}
        for one in places
        if one.list_id in names
    ]


@operation(router, "GET", "/contacts/{contact_id}/tags", scope=READ, response=list[TagOut], summary="A person's tags")
def tags_of_contact(request: Request, contact_id: int) -> list[Tag]:
    account_id = request.account_id
    return _tags(account_id, contact_of(account_id, contact_id).tag_ids)


@operation(
    router, "PUT", "/contacts/{contact_id}/tags", scope=WRITE, response=list[TagOut], summary="Set a person's tags"
)
def set_tags_of_contact(request: Request, contact_id: int, body: TagSet) -> list[Tag]:
    account_id = request.account_id
    one = contact_of(account_id, contact_id)
    wanted = known_tags(account_id, body.tag_ids, "body.tag_ids")
    gone = set(one.tag_ids) - set(wanted)
    row = ContactRow("", tag_ids=wanted, drop_tag_ids=sorted(gone))
    change_contact(account_id=account_id, contact_id=contact_id, row=row)
    return _tags(account_id, wanted)


@operation(
    router,
    "GET",
    "/contacts/{contact_id}/do-not-mail",
    scope=READ,
    response=BlockOut,
    summary="Whether mail is kept from a person",
)
def block_of_contact(request: Request, contact_id: int) -> dict[str, Any]:
    account_id = request.account_id
    key = contact_of(account_id, contact_id).email_key
    found = DoNotMail.objects.filter(account_id=account_id, email_key=key).first()
    brands = BrandDoNotMail.objects.filter(account_id=account_id, email_key=key).order_by("brand_id")
    return {
        "stopped": found is not None, "reason": found.reason if found else None,
        "since_at": found.created_at if found else None, "brand_ids": list(brands.values_list("brand_id", flat=True)[:1000]),
    }  # fmt: skip


@operation(
    router,
    "GET",
    "/contacts/{contact_id}/events",
    scope=READ,
    response=page_shape(HappenedOut),
    summary="What happened to a person, newest first",
)
def events_of_contact(request: Request, contact_id: int, paging: Query[Paging]) -> dict[str, Any]:
    account_id = request.account_id
    contact_of(account_id, contact_id)
    before = id_after(paging.cursor) or None
    items = contact_timeline(account_id=account_id, contact_id=contact_id, limit=paging.limit + 1, before=before)
    return page(items, paging, lambda one: one.position, _happened)


def _happened(one: TimelineItem) -> dict[str, Any]:
    return {"position": one.position, "kind": one.kind, "at": one.at, "send_id": one.send_id, "details": dict(one.data)}


def _tags(account_id: int, ids: list[int]) -> list[Tag]:
    return list(Tag.objects.filter(account_id=account_id, pk__in=ids).order_by("name")[:1000])
