"""Tags, put on people and taken off in bulk, and custom fields."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
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
)
from standfast.components.audience.models import CustomField, Tag
from standfast.components.audience.starting import new_field
from standfast.components.audience.tagging import tag_people
from standfast.platform.rest.operation import ERRORS, ID_MAX, Schema, operation
from standfast.platform.rest.problems import FieldFault, Problem, not_found, unprocessable
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


@operation(router, "GET", "/tags", scope=READ, response={200: list[TagOut], **ERRORS}, summary="All tags")
def tags(request: HttpRequest) -> list[Tag]:
    return list(Tag.objects.filter(account_id=request.account_id).order_by("id")[:SHOWN_MAX])  # type: ignore[attr-defined]


@operation(router, "POST", "/tags", scope=WRITE, response={201: TagOut, **ERRORS}, summary="Make a tag")
def make_tag(request: HttpRequest, body: TagIn) -> Status[Tag]:
    return Status(201, _saved(Tag(account_id=request.account_id, name=body.name), "body.name"))  # type: ignore[attr-defined]


@operation(
    router,
    "POST",
    "/tags/apply",
    scope=WRITE,
    response={200: Changed, **ERRORS},
    summary="Put tags on many people and take others off",
)
def apply_tags(request: HttpRequest, body: Tagging) -> dict[str, int]:
    account_id = request.account_id  # type: ignore[attr-defined]
    if not body.add and not body.remove:
        raise unprocessable(FieldFault("body.add", "is empty, as `remove` is", "name tags in one of them"))
    both = sorted(set(body.add) & set(body.remove))
    if both:
        raise unprocessable(FieldFault("body.remove", f"tag {both[0]} stands in both lists", "name it in one"))
    add, drop = known_tags(account_id, body.add, "body.add"), known_tags(account_id, body.remove, "body.remove")
    ids = known_contacts(account_id, body.contact_ids)
    return {"changed": tag_people(account_id=account_id, contact_ids=ids, add=add, drop=drop)}


@operation(router, "PATCH", "/tags/{tag_id}", scope=WRITE, response={200: TagOut, **ERRORS}, summary="Rename a tag")
def rename_tag(request: HttpRequest, tag_id: int, body: TagIn) -> Tag:
    one = _tag(request.account_id, tag_id)  # type: ignore[attr-defined]
    one.name = body.name
    return _saved(one, "body.name")


@operation(router, "DELETE", "/tags/{tag_id}", scope=WRITE, response={204: None, **ERRORS}, summary="Delete a tag")
def end_tag(request: HttpRequest, tag_id: int) -> HttpResponse:
    _tag(request.account_id, tag_id).delete()  # type: ignore[attr-defined]
    return HttpResponse(status=204)


@operation(router, "GET", "/fields", scope=READ, response={200: list[FieldOut], **ERRORS}, summary="All custom fields")
def fields(request: HttpRequest) -> list[CustomField]:
    return list(CustomField.objects.filter(account_id=request.account_id).order_by("id")[:SHOWN_MAX])  # type: ignore[attr-defined]


@operation(router, "POST", "/fields", scope=WRITE, response={201: FieldOut, **ERRORS}, summary="Make a custom field")
def make_field(request: HttpRequest, body: FieldIn) -> Status[CustomField]:
    account_id = request.account_id  # type: ignore[attr-defined]
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
    response={200: FieldOut, **ERRORS},
    summary="Change a custom field's label or default",
)
def change_field(request: HttpRequest, field_id: int, body: FieldPatch) -> CustomField:
    one = _field(request.account_id, field_id)  # type: ignore[attr-defined]
    if body.label is not None and body.label.lower() != one.label.lower():
        _free_label(one.account_id, body.label)
    one.label = one.label if body.label is None else body.label
    one.default_value = one.default_value if body.default_value is None else body.default_value
    one.save()
    return one


@operation(
    router, "DELETE", "/fields/{field_id}", scope=WRITE, response={204: None, **ERRORS}, summary="Delete a custom field"
)
def end_field(request: HttpRequest, field_id: int) -> HttpResponse:
    _field(request.account_id, field_id).delete()  # type: ignore[attr-defined]
    return HttpResponse(status=204)


def _tag(account_id: int, tag_id: int) -> Tag:
    found = Tag.objects.filter(account_id=account_id, pk=tag_id).first() if 0 < tag_id < ID_MAX else None
    if found is None:
        raise not_found("tag")
    return found


def _field(account_id: int, field_id: int) -> CustomField:
    found = CustomField.objects.filter(account_id=account_id, pk=field_id).first() if 0 < field_id < ID_MAX else None
    if found is None:
        raise not_found("custom field")
    return found


def _free_label(account_id: int, label: str) -> None:
    if CustomField.objects.filter(account_id=account_id, label__iexact=label).exists():
        raise Problem(409, "Conflict", faults=[FieldFault("body.label", "is another field's", "send one that is free")])


def _saved(one: Tag, field: str) -> Tag:
    try:
        with transaction.atomic():
            one.save()
    except IntegrityError as error:
        raise Problem(409, "Conflict", faults=[FieldFault(field, "is taken", "send one that is free")]) from error
    return one
