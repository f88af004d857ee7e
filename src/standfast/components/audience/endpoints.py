"""People, lists, tags and do-not-mail, for programs: the part of /api/v1 that belongs to the audience."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from standfast.components.audience.erasing import delete_contact
from standfast.components.audience.models import (
    Contact,
    CustomField,
    DoNotMail,
    DoNotMailReason,
    List,
    Subscription,
    Tag,
)
from standfast.components.audience.subscribing import create_list, delete_list, subscribe, unsubscribe
from standfast.components.audience.suppressing import add_do_not_mail, lift_do_not_mail
from standfast.components.audience.upsert import ContactRow, Landed, upsert_contacts
from standfast.platform.rest.operation import (
    ERRORS,
    ID_MAX,
    PAGE_DEFAULT,
    PAGE_MAX,
    cursor_of,
    id_after,
    operation,
    storable,
)
from standfast.platform.rest.problems import FieldFault, not_found, unprocessable

router = Router()
BULK_MAX = 10_000
_PEOPLE: dict[str, Any] = {"tags": ["Contacts"]}
_LISTS: dict[str, Any] = {"tags": ["Lists"]}
_READ, _WRITE = "contacts:read", "contacts:write"


class ContactIn(Schema):
    """A person to make or change, found by e-mail address. What is left out stays as it is."""

    email: str = Field(max_length=320, examples=["alice@example.net"])
    first_name: str | None = Field(None, max_length=255)
    last_name: str | None = Field(None, max_length=255)
    phone: str | None = Field(None, max_length=255)
    uid: str | None = Field(None, max_length=255)
    time_zone: str | None = Field(None, max_length=64)
    fields: dict[str, str | int | float | bool | None] | None = Field(None, description="Custom fields by key.")


class ContactOut(Schema):
    id: int
    email: str
    first_name: str
    last_name: str
    phone: str
    uid: str | None
    time_zone: str
    fields: dict[str, Any]
    tag_ids: list[int]
    created_at: dt.datetime
    updated_at: dt.datetime


class ContactPage(Schema):
    data: list[ContactOut]
    next: str | None = Field(None, description="Send it as `cursor` for the next page; null at the end.")


class Bulk(Schema):
    contacts: list[ContactIn] = Field(min_length=1, max_length=BULK_MAX)
    list_ids: list[int] = Field([], max_length=20, description="Lists that all of them are subscribed to.")


class BulkRow(Schema):
    outcome: str = Field(description="created, updated, unchanged or refused")
    id: int | None
    reason: str | None


class BulkOut(Schema):
    results: list[BulkRow] = Field(description="One for each contact, in order.")


class ListIn(Schema):
    name: str = Field(min_length=1, max_length=255)
    description: str = Field("", max_length=255)


class ListOut(Schema):
    id: int
    name: str
    description: str
    created_at: dt.datetime
    updated_at: dt.datetime


class Members(Schema):
    contact_ids: list[int] = Field(min_length=1, max_length=BULK_MAX)


class Changed(Schema):
    changed: int


class TagOut(Schema):
    id: int
    name: str


class FieldOut(Schema):
    id: int
    key: str
    label: str
    field_type: str


class DoNotMailOut(Schema):
    email: str
    reason: str
    created_at: dt.datetime


class Addresses(Schema):
    emails: list[str] = Field(min_length=1, max_length=BULK_MAX)


@operation(
    router, "GET", "/contacts", scope=_READ, response={200: ContactPage, **ERRORS}, summary="List people", **_PEOPLE
)
def contacts(
    request: HttpRequest,
    cursor: str | None = None,
    limit: int = Query(PAGE_DEFAULT, ge=1, le=PAGE_MAX),
    email: str | None = Query(None, max_length=320, description="Exactly this address."),
    updated_after: dt.datetime | None = None,
) -> dict[str, Any]:
    found = Contact.objects.filter(account_id=request.account_id)  # type: ignore[attr-defined]
    if email is not None:
        found = found.filter(email_key=email.strip().lower())
    if updated_after is not None:
        found = found.filter(
            updated_at__gt=updated_after if updated_after.tzinfo else updated_after.replace(tzinfo=dt.UTC)
        )
    rows = list(found.filter(id__gt=id_after(cursor)).order_by("id")[: limit + 1])
    return {"data": rows[:limit], "next": cursor_of(rows[limit - 1].id) if len(rows) > limit else None}


@operation(
    router,
    "POST",
    "/contacts",
    scope=_WRITE,
    response={200: ContactOut, 201: ContactOut, **ERRORS},
    summary="Make or change a person",
    **_PEOPLE,
)
def save_contact(request: HttpRequest, body: ContactIn) -> tuple[int, Contact]:
    account_id = request.account_id  # type: ignore[attr-defined]
    [landed] = _upsert(account_id, [body])
    if landed.contact_id is None:
        raise unprocessable(FieldFault("body.email", landed.reason or "is refused"))
    return (201 if landed.outcome == "created" else 200), _contact(account_id, landed.contact_id)


@operation(
    router,
    "POST",
    "/contacts/bulk",
    scope=_WRITE,
    response={200: BulkOut, **ERRORS},
    summary="Make or change many people",
    **_PEOPLE,
)
def save_contacts(request: HttpRequest, body: Bulk) -> dict[str, Any]:
    account_id = request.account_id  # type: ignore[attr-defined]
    landed = _upsert(account_id, body.contacts)
    ids = [one.contact_id for one in landed if one.contact_id is not None]
    for list_id in body.list_ids:
        _subscribe(account_id, list_id, ids)
    return {"results": [{"outcome": one.outcome, "id": one.contact_id, "reason": one.reason} for one in landed]}


@operation(
    router,
    "GET",
    "/contacts/{contact_id}",
    scope=_READ,
    response={200: ContactOut, **ERRORS},
    summary="One person",
    **_PEOPLE,
)
def contact(request: HttpRequest, contact_id: int) -> Contact:
    return _contact(request.account_id, contact_id)  # type: ignore[attr-defined]


@operation(
    router,
    "DELETE",
    "/contacts/{contact_id}",
    scope=_WRITE,
    response={204: None, **ERRORS},
    summary="Erase a person",
    **_PEOPLE,
)
def erase_contact(request: HttpRequest, contact_id: int) -> HttpResponse:
    account_id = request.account_id  # type: ignore[attr-defined]
    if not 0 < contact_id < ID_MAX or not delete_contact(account_id=account_id, contact_id=contact_id):
        raise not_found("contact")
    return HttpResponse(status=204)


@operation(router, "GET", "/lists", scope=_READ, response={200: list[ListOut], **ERRORS}, summary="All lists", **_LISTS)
def lists(request: HttpRequest) -> list[List]:
    return list(List.objects.filter(account_id=request.account_id).order_by("id")[:1000])  # type: ignore[attr-defined]


@operation(
    router,
    "POST",
    "/lists",
    scope=_WRITE,
    response={201: ListOut, **ERRORS},
    summary="Make a list, or find it by name",
    **_LISTS,
)
def make_list(request: HttpRequest, body: ListIn) -> tuple[int, List]:
    name = storable(body.name, "body.name")
    if not name.strip():
        raise unprocessable(FieldFault("body.name", "is blank", "send a name"))
    account_id = request.account_id  # type: ignore[attr-defined]
    return 201, create_list(
        account_id=account_id, name=name, description=storable(body.description, "body.description")
    )


@operation(
    router,
    "DELETE",
    "/lists/{list_id}",
    scope=_WRITE,
    response={204: None, **ERRORS},
    summary="Delete a list; its people stay",
    **_LISTS,
)
def end_list(request: HttpRequest, list_id: int) -> HttpResponse:
    _list(request.account_id, list_id)  # type: ignore[attr-defined]
    delete_list(account_id=request.account_id, list_id=list_id)  # type: ignore[attr-defined]
    return HttpResponse(status=204)


@operation(
    router,
    "POST",
    "/lists/{list_id}/subscribe",
    scope=_WRITE,
    response={200: Changed, **ERRORS},
    summary="Subscribe people to a list",
    **_LISTS,
)
def join_list(request: HttpRequest, list_id: int, body: Members) -> dict[str, int]:
    account_id = request.account_id  # type: ignore[attr-defined]
    _list(account_id, list_id)
    return {"changed": _subscribe(account_id, list_id, _known(account_id, body.contact_ids))}


@operation(
    router,
    "POST",
    "/lists/{list_id}/unsubscribe",
    scope=_WRITE,
    response={200: Changed, **ERRORS},
    summary="Unsubscribe people from a list",
    **_LISTS,
)
def leave_list(request: HttpRequest, list_id: int, body: Members) -> dict[str, int]:
    account_id = request.account_id  # type: ignore[attr-defined]
    _list(account_id, list_id)
    ids = _known(account_id, body.contact_ids)
    return {"changed": unsubscribe(account_id=account_id, list_id=list_id, contact_ids=ids, reason="api")}


@operation(
    router,
    "GET",
    "/lists/{list_id}/contacts",
    scope=_READ,
    response={200: ContactPage, **ERRORS},
    summary="A list's subscribers",
    **_LISTS,
)
def list_contacts(
    request: HttpRequest, list_id: int, cursor: str | None = None, limit: int = Query(PAGE_DEFAULT, ge=1, le=PAGE_MAX)
) -> dict[str, Any]:
    account_id = request.account_id  # type: ignore[attr-defined]
    _list(account_id, list_id)
    rows = Subscription.objects.filter(
        account_id=account_id, list_id=list_id, status="subscribed", contact_id__gt=id_after(cursor)
    )
    ids = list(rows.order_by("contact_id").values_list("contact_id", flat=True)[: limit + 1])
    people = Contact.objects.filter(account_id=account_id, id__in=ids[:limit]).order_by("id")
    return {"data": list(people), "next": cursor_of(ids[limit - 1]) if len(ids) > limit else None}


@operation(
    router,
    "GET",
    "/tags",
    scope=_READ,
    response={200: list[TagOut], **ERRORS},
    summary="All tags",
    tags=["Tags and fields"],
)
def tags(request: HttpRequest) -> list[Tag]:
    return list(Tag.objects.filter(account_id=request.account_id).order_by("id")[:1000])  # type: ignore[attr-defined]


@operation(
    router,
    "GET",
    "/fields",
    scope=_READ,
    response={200: list[FieldOut], **ERRORS},
    summary="All custom fields",
    tags=["Tags and fields"],
)
def fields(request: HttpRequest) -> list[CustomField]:
    return list(CustomField.objects.filter(account_id=request.account_id).order_by("id")[:1000])  # type: ignore[attr-defined]


@operation(
    router,
    "GET",
    "/do-not-mail",
    scope=_READ,
    response={200: list[DoNotMailOut], **ERRORS},
    summary="Look addresses up on do-not-mail",
    tags=["Do not mail"],
)
def do_not_mail(request: HttpRequest, email: str = Query(max_length=320)) -> list[DoNotMail]:
    key = email.strip().lower()
    return list(DoNotMail.objects.filter(account_id=request.account_id, email_key=key))  # type: ignore[attr-defined]


@operation(
    router,
    "POST",
    "/do-not-mail",
    scope=_WRITE,
    response={200: Changed, **ERRORS},
    summary="Put addresses on do-not-mail",
    tags=["Do not mail"],
)
def stop_mail(request: HttpRequest, body: Addresses) -> dict[str, int]:
    account_id = request.account_id  # type: ignore[attr-defined]
    emails = [storable(one, "body.emails") for one in body.emails]
    done = add_do_not_mail(account_id=account_id, entries=emails, reason=DoNotMailReason.API)
    if done.refused:
        address, reason = done.refused[0]
        raise unprocessable(FieldFault("body.emails", f"{address[:80]!r}: {reason}"))
    return {"changed": done.added}


@operation(
    router,
    "POST",
    "/do-not-mail/lift",
    scope=_WRITE,
    response={200: Changed, **ERRORS},
    summary="Take addresses off do-not-mail",
    tags=["Do not mail"],
)
def allow_mail(request: HttpRequest, body: Addresses) -> dict[str, int]:
    account_id = request.account_id  # type: ignore[attr-defined]
    return {
        "changed": sum(
            bool(lift_do_not_mail(account_id=account_id, email=storable(one, "body.emails"))) for one in body.emails
        )
    }


def _upsert(account_id: int, people: list[ContactIn]) -> list[Landed]:
    known = set(CustomField.objects.filter(account_id=account_id).values_list("key", flat=True))
    rows = []
    for number, one in enumerate(people):
        unknown = sorted(set(one.fields or {}) - known)
        if unknown:
            remedy = "make the field first"
            raise unprocessable(
                FieldFault(f"body.contacts.{number}.fields", f"there is no custom field {unknown[0]!r}", remedy)
            )
        rows.append(
            ContactRow(one.email, one.first_name, one.last_name, one.phone, None, one.time_zone, one.uid, one.fields)
        )
    with connection.cursor() as cursor:
        return upsert_contacts(cursor, account_id=account_id, rows=rows)


def _contact(account_id: int, contact_id: int) -> Contact:
    found = Contact.objects.filter(account_id=account_id, id=contact_id).first() if 0 < contact_id < ID_MAX else None
    if found is None:
        raise not_found("contact")
    return found


def _list(account_id: int, list_id: int) -> List:
    found = List.objects.filter(account_id=account_id, pk=list_id).first() if 0 < list_id < ID_MAX else None
    if found is None:
        raise not_found("list")
    return found


def _subscribe(account_id: int, list_id: int, ids: list[int]) -> int:
    _list(account_id, list_id)
    return subscribe(account_id=account_id, list_id=list_id, contact_ids=ids, reason="api")


def _known(account_id: int, ids: list[int]) -> list[int]:
    """The ids, all of them the account's people."""
    wanted = {one for one in ids if 0 < one < ID_MAX}
    found = set(Contact.objects.filter(account_id=account_id, id__in=wanted).values_list("id", flat=True))
    missing = [one for one in ids if one not in found]
    if missing:
        raise unprocessable(
            FieldFault("body.contact_ids", f"there is no contact {missing[0]}", "send ids of this account's people")
        )
    return sorted(found)
