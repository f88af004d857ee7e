"""People: found, made, changed, erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.http import HttpResponse
from ninja import Field, Query, Router
from pydantic import BaseModel

from standfast.components.audience.editing import Taken, change_contact
from standfast.components.audience.endpoints.shapes import (
    BULK_MAX,
    READ,
    WRITE,
    ContactOut,
    Customs,
    ValueRefused,
    contact_of,
    customs_of,
    list_of,
    typed_values,
)
from standfast.components.audience.erasing import delete_contact
from standfast.components.audience.queries import QUERIES
from standfast.components.audience.subscribing import subscribe
from standfast.components.audience.upsert import TAKEN, ContactRow, Landed, upsert_contacts
from standfast.platform.rest import written
from standfast.platform.rest.answers import to_json
from standfast.platform.rest.finding import ID_MAX, Paging, id_after, page_shape
from standfast.platform.rest.operation import Request, Schema, operation
from standfast.platform.rest.problems import FieldFault, Problem, not_found, taken, unprocessable
from standfast.platform.rest.values import Address, Id, Line, Moment, Number
from standfast.protocols.address import AddressError

router = Router(tags=["Contacts"])
TEXTS = ("first_name", "last_name", "phone", "fax", "uid", "time_zone")
Values = dict[str, str | int | Number | bool | None]


class Person(BaseModel):
    first_name: Line | None = None
    last_name: Line | None = None
    phone: Line | None = None
    fax: Line | None = None
    uid: Line | None = None
    time_zone: Line | None = Field(None, max_length=64)
    fields: Values | None = Field(None, description="Custom fields by key; null takes a value away.")


class ContactIn(Person):
    """A person to make or change, found by e-mail address. What is left out, or null, stays as it is."""

    email: Address


class ContactPatch(Person):
    """What is to change in a person. What is left out stays as it is; null takes it away."""

    email: Address | None = Field(None, min_length=3)


class Bulk(Schema):
    contacts: list[ContactIn] = Field(min_length=1, max_length=BULK_MAX)
    list_ids: list[Id] = Field([], max_length=20, description="Lists that all of them are subscribed to.")


class BulkRow(Schema):
    outcome: str = Field(description="created, updated, unchanged or refused")
    id: int | None
    reason: str | None


class BulkOut(Schema):
    results: list[BulkRow] = Field(description="One for each contact, in order.")


@operation(router, "GET", "/contacts", scope=READ, response=page_shape(ContactOut), summary="List people")
def contacts(
    request: Request,
    *,
    paging: Query[Paging],
    email: str | None = Query(None, max_length=320, description="Exactly this address."),
    uid: str | None = Query(None, max_length=255, description="Exactly this number of your own."),
    updated_after: Moment | None = None,
) -> HttpResponse:
    email_key = None if email is None else email.strip().lower().replace("\0", "")
    rows = _shown(
        request.account_id, after=id_after(paging.cursor), email_key=email_key,
        uid=None if uid is None else uid.replace("\0", ""), updated_after=updated_after, most=paging.limit + 1,
    )  # fmt: skip
    return written.page(request, rows, limit=paging.limit)


@operation(
    router,
    "POST",
    "/contacts",
    scope=WRITE,
    response={200: ContactOut, 201: ContactOut},
    summary="Make or change a person",
)
def save_contact(request: Request, body: ContactIn) -> HttpResponse:
    account_id = request.account_id
    try:
        row = _row(customs_of(account_id), body)
    except ValueRefused as refused:
        raise _value_fault(refused) from refused
    with connection.cursor() as cursor:
        [landed] = upsert_contacts(cursor, account_id=account_id, rows=[row])
    if landed.contact_id is None:
        field, remedy = ("uid", "send another") if landed.reason == TAKEN else ("email", "send an e-mail address")
        raise unprocessable(FieldFault(f"body.{field}", landed.reason, remedy))
    return _one(request, landed.contact_id, status=201 if landed.outcome == "created" else 200)


@operation(router, "POST", "/contacts/bulk", scope=WRITE, response=BulkOut, summary="Make or change many people")
def save_contacts(request: Request, body: Bulk) -> HttpResponse:
    """A row that is refused keeps none of the others back. Of several rows with one address the last wins."""
    account_id = request.account_id
    landed = _upserted(account_id, body.contacts)
    ids = [one.contact_id for one in landed if one.contact_id is not None]
    for list_id in body.list_ids:
        subscribe(account_id=account_id, list_id=list_of(account_id, list_id).pk, contact_ids=ids, reason="api")
    rows = [{"outcome": one.outcome, "id": one.contact_id, "reason": one.reason or None} for one in landed]
    return HttpResponse(to_json({"results": rows}), content_type="application/json")  # ours already: not validated


@operation(router, "GET", "/contacts/{contact_id}", scope=READ, response=ContactOut, summary="One person")
def contact(request: Request, contact_id: int) -> HttpResponse:
    return _one(request, contact_id)


@operation(
    router,
    "PATCH",
    "/contacts/{contact_id}",
    scope=WRITE,
    response=ContactOut,
    summary="Change a person, the e-mail address too",
)
def patch_contact(request: Request, contact_id: int, body: ContactPatch) -> HttpResponse:
    account_id = request.account_id
    contact_of(account_id, contact_id)
    given = body.model_dump(include=body.model_fields_set)
    try:
        values = typed_values(customs_of(account_id), given.get("fields"))
        texts: dict[str, Any] = {name: given[name] or "" for name in TEXTS if name in given}
        row = ContactRow(given.get("email") or "", fields=values, **texts)
        change_contact(account_id=account_id, contact_id=contact_id, row=row)
    except ValueRefused as refused:
        raise _value_fault(refused) from refused
    except AddressError as error:
        raise unprocessable(FieldFault("body.email", error.reason, "send an e-mail address")) from error
    except Taken as error:
        raise taken(f"body.{error.field}", str(error)) from error
    return _one(request, contact_id)


@operation(router, "DELETE", "/contacts/{contact_id}", scope=WRITE, response={204: None}, summary="Erase a person")
def erase_contact(request: Request, contact_id: int) -> HttpResponse:
    account_id = request.account_id
    if not 0 < contact_id < ID_MAX or not delete_contact(account_id=account_id, contact_id=contact_id):
        raise not_found("contact")
    return HttpResponse(status=204)


def _one(request: Request, contact_id: int, *, status: int = 200) -> HttpResponse:
    """One person as they are now. Raises Problem where the account has no such person."""
    rows = _shown(request.account_id, contact_id=contact_id) if 0 < contact_id < ID_MAX else []
    if not rows:
        raise not_found("contact")
    return written.resource(request, rows[0][1], status=status)


def _shown(account_id: int, *, after: int = 0, most: int = 1, **wanted: Any) -> list[tuple[int, str]]:
    """People by their ids: the id, and all of a ContactOut as JSON. wanted: what the query may be narrowed by."""
    asked = {"contact_id": None, "email_key": None, "uid": None, "updated_after": None, **wanted}
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.contacts_shown.sql, {"account_id": account_id, "after": after, "most": most, **asked})
        return cursor.fetchall()


def _upserted(account_id: int, people: Sequence[ContactIn]) -> list[Landed]:
    """What becomes of each; who has a value that cannot be is refused before the others are written."""
    customs = customs_of(account_id)
    results: list[Landed | None] = [None] * len(people)
    rows, places = [], []
    for n, one in enumerate(people):
        try:
            rows.append(_row(customs, one))
            places.append(n)
        except ValueRefused as refused:
            results[n] = Landed("refused", None, f"fields.{refused.field}: {refused}; {refused.remedy}")
    with connection.cursor() as cursor:
        for n, landed in zip(places, upsert_contacts(cursor, account_id=account_id, rows=rows), strict=True):
            results[n] = landed
    return [one for one in results if one is not None]


def _row(customs: Customs, one: ContactIn) -> ContactRow:
    return ContactRow(
        one.email, one.first_name, one.last_name, one.phone, one.fax, one.time_zone, one.uid,
        typed_values(customs, one.fields),
    )  # fmt: skip


def _value_fault(refused: ValueRefused) -> Problem:
    return unprocessable(FieldFault(f"body.fields.{refused.field}", str(refused), refused.remedy))
