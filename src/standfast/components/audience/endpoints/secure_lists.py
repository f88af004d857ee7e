"""Secure lists: a partner's addresses that must not be mailed, kept as hashes alone."""

from __future__ import annotations

import datetime as dt

from django.http import HttpResponse
from ninja import Field, Router, Status

from standfast.components.audience.endpoints.shapes import BULK_MAX, READ, WRITE, saved
from standfast.components.audience.models import SecureList
from standfast.components.audience.secure_lists import add_entries, delete_secure_list
from standfast.platform.rest.finding import one_of
from standfast.platform.rest.operation import Request, Schema, operation
from standfast.platform.rest.values import Address, Line, Name

router = Router(tags=["Secure lists"])
SHOWN_MAX = 1000


class SecureListIn(Schema):
    name: Name
    description: Line = ""


class SecureListOut(Schema):
    id: int
    name: str
    description: str
    size: int
    created_at: dt.datetime
    updated_at: dt.datetime


class Entries(Schema):
    entries: list[Address] = Field(
        min_length=1, max_length=BULK_MAX, description="Hashes (MD5, SHA-1, SHA-256) in hexadecimal, or addresses.",
    )  # fmt: skip


class EntriesOut(Schema):
    added: int
    refused: int = Field(description="Neither hashes nor addresses.")


@operation(router, "GET", "/secure-lists", scope=READ, response=list[SecureListOut], summary="All secure lists")
def secure_lists(request: Request) -> list[SecureList]:
    return list(SecureList.objects.filter(account_id=request.account_id).order_by("id")[:SHOWN_MAX])


@operation(router, "POST", "/secure-lists", scope=WRITE, response={201: SecureListOut}, summary="Make a secure list")
def make_secure_list(request: Request, body: SecureListIn) -> Status[SecureList]:
    return Status(201, saved(SecureList(account_id=request.account_id, size=0, **body.model_dump())))


@operation(router, "GET", "/secure-lists/{list_id}", scope=READ, response=SecureListOut, summary="One secure list")
def one_secure_list(request: Request, list_id: int) -> SecureList:
    return _found(request.account_id, list_id)


@operation(
    router,
    "DELETE",
    "/secure-lists/{list_id}",
    scope=WRITE,
    response={204: None},
    summary="Delete a secure list with its hashes",
)
def end_secure_list(request: Request, list_id: int) -> HttpResponse:
    one = _found(request.account_id, list_id)
    delete_secure_list(account_id=one.account_id, secure_list_id=one.pk)
    return HttpResponse(status=204)


@operation(
    router,
    "POST",
    "/secure-lists/{list_id}/entries",
    scope=WRITE,
    response=EntriesOut,
    summary="Put hashes or addresses on a secure list",
)
def add_to_secure_list(request: Request, list_id: int, body: Entries) -> dict[str, int]:
    one = _found(request.account_id, list_id)
    return add_entries(account_id=one.account_id, secure_list_id=one.pk, entries=body.entries)._asdict()


def _found(account_id: int, list_id: int) -> SecureList:
    return one_of(SecureList.objects.filter(account_id=account_id), list_id, "secure list")
