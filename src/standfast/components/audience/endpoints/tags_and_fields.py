"""Tags, put on people and taken off in bulk, and custom fields."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from django.http import HttpResponse
from ninja import Field, Router, Status

from standfast.components.audience.endpoints.shapes import (
    BULK_MAX,
    READ,
    TAGS_AT_ONCE,
    WRITE,
    Changed,
    TagOut,
    known_contacts,
    known_tags,
    saved,
)
from standfast.components.audience.models import CustomField, Tag
from standfast.components.audience.starting import new_field
from standfast.components.audience.tagging import tag_people
from standfast.platform.rest.finding import one_of
from standfast.platform.rest.operation import Request, Schema, operation
from standfast.platform.rest.problems import FieldFault, taken, unprocessable
from standfast.platform.rest.values import Id, Line, Name

router = Router(tags=["Tags and fields"])
SHOWN_MAX = 1000


class TagIn(Schema):
    name: Name


class Tagging(Schema):
    contact_ids: list[Id] = Field(min_length=1, max_length=BULK_MAX)
    add: list[Id] = Field([], max_length=TAGS_AT_ONCE, description="Tags to put on.")
    remove: list[Id] = Field([], max_length=TAGS_AT_ONCE, description="Tags to take off.")


class FieldIn(Schema):
    label: Name = Field(description="Its key in templates is made of it.", examples=["Favourite colour"])
    field_type: Literal["text", "number", "date", "datetime", "boolean"] = "text"
    default_value: Line = ""


class FieldPatch(Schema):
    """The key and the type stay: templates and values stand on them."""

    label: Name | None = None
    default_value: Line | None = None


class FieldOut(Schema):
    id: int
    key: str
    label: str
    field_type: str
    default_value: str
    created_at: dt.datetime
    updated_at: dt.datetime


@operation(router, "GET", "/tags", scope=READ, response=list[TagOut], summary="All tags")
def tags(request: Request) -> list[Tag]:
    return list(Tag.objects.filter(account_id=request.account_id).order_by("id")[:SHOWN_MAX])


@operation(router, "POST", "/tags", scope=WRITE, response={201: TagOut}, summary="Make a tag")
def make_tag(request: Request, body: TagIn) -> Status[Tag]:
    return Status(201, saved(Tag(account_id=request.account_id, name=body.name)))


@operation(
    router, "POST", "/tags/apply", scope=WRITE, response=Changed, summary="Put tags on many people and take others off"
)
def apply_tags(request: Request, body: Tagging) -> dict[str, int]:
    account_id = request.account_id
    if not body.add and not body.remove:
        raise unprocessable(FieldFault("body.add", "is empty, as `remove` is", "name tags in one of them"))
    both = sorted(set(body.add) & set(body.remove))
    if both:
        raise unprocessable(FieldFault("body.remove", f"tag {both[0]} stands in both lists", "name it in one"))
    add, drop = known_tags(account_id, body.add, "body.add"), known_tags(account_id, body.remove, "body.remove")
    ids = known_contacts(account_id, body.contact_ids)
    return {"changed": tag_people(account_id=account_id, contact_ids=ids, add=add, drop=drop)}


@operation(router, "PATCH", "/tags/{tag_id}", scope=WRITE, response=TagOut, summary="Rename a tag")
def rename_tag(request: Request, tag_id: int, body: TagIn) -> Tag:
    one = _tag(request.account_id, tag_id)
    one.name = body.name
    return saved(one)


@operation(router, "DELETE", "/tags/{tag_id}", scope=WRITE, response={204: None}, summary="Delete a tag")
def end_tag(request: Request, tag_id: int) -> HttpResponse:
    _tag(request.account_id, tag_id).delete()
    return HttpResponse(status=204)


@operation(router, "GET", "/fields", scope=READ, response=list[FieldOut], summary="All custom fields")
def fields(request: Request) -> list[CustomField]:
    return list(CustomField.objects.filter(account_id=request.account_id).order_by("id")[:SHOWN_MAX])


@operation(router, "POST", "/fields", scope=WRITE, response={201: FieldOut}, summary="Make a custom field")
def make_field(request: Request, body: FieldIn) -> Status[CustomField]:
    account_id = request.account_id
    _free_label(account_id, body.label)
    one = new_field(account_id=account_id, label=body.label, field_type=body.field_type)
    one.default_value = body.default_value
    one.save()
    return Status(201, one)


@operation(
    router,
    "PATCH",
    "/fields/{field_id}",
    scope=WRITE,
    response=FieldOut,
    summary="Change a custom field's label or default",
)
def change_field(request: Request, field_id: int, body: FieldPatch) -> CustomField:
    one = _field(request.account_id, field_id)
    if body.label is not None and body.label.lower() != one.label.lower():
        _free_label(one.account_id, body.label)
    one.label = one.label if body.label is None else body.label
    one.default_value = one.default_value if body.default_value is None else body.default_value
    one.save()
    return one


@operation(router, "DELETE", "/fields/{field_id}", scope=WRITE, response={204: None}, summary="Delete a custom field")
def end_field(request: Request, field_id: int) -> HttpResponse:
    _field(request.account_id, field_id).delete()
    return HttpResponse(status=204)


def _tag(account_id: int, tag_id: int) -> Tag:
    return one_of(Tag.objects.filter(account_id=account_id), tag_id, "tag")


def _field(account_id: int, field_id: int) -> CustomField:
    return one_of(CustomField.objects.filter(account_id=account_id), field_id, "custom field")


def _free_label(account_id: int, label: str) -> None:
    if CustomField.objects.filter(account_id=account_id, label__iexact=label).exists():
        raise taken("body.label")
