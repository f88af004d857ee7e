"""Brands, and addresses that get no mail of one of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from ninja import Query, Router, Status

from standfast.components.audience.brands import (
    BrandInUse,
    add_brand_do_not_mail,
    brand_named,
    delete_brand,
    lift_brand_do_not_mail,
)
from standfast.components.audience.endpoints.shapes import READ, WRITE, Changed
from standfast.components.audience.models import Brand, BrandDoNotMail
from standfast.platform.rest.finding import Paging, one_of, page_of, page_shape
from standfast.platform.rest.operation import Request, Schema, operation
from standfast.platform.rest.problems import FieldFault, conflict, unprocessable
from standfast.platform.rest.values import Address, Name
from standfast.protocols.address import AddressError, parse_address

router = Router(tags=["Brands"])
SHOWN_MAX = 1000


class BrandIn(Schema):
    name: Name


class BrandOut(Schema):
    id: int
    name: str
    created_at: dt.datetime


class BrandAddress(Schema):
    email: Address


class BlockedOut(Schema):
    email: str
    created_at: dt.datetime


@operation(router, "GET", "/brands", scope=READ, response=list[BrandOut], summary="All brands")
def brands(request: Request) -> list[Brand]:
    return list(Brand.objects.filter(account_id=request.account_id).order_by("id")[:SHOWN_MAX])


@operation(router, "POST", "/brands", scope=WRITE, response={201: BrandOut}, summary="Make a brand, or find it by name")
def make_brand(request: Request, body: BrandIn) -> Status[Brand]:
    return Status(201, brand_named(account_id=request.account_id, name=body.name))


@operation(
    router,
    "DELETE",
    "/brands/{brand_id}",
    scope=WRITE,
    response={204: None},
    summary="Delete a brand that no mail, campaign or list bears, with its do-not-mail",
)
def end_brand(request: Request, brand_id: int) -> HttpResponse:
    one = _found(request.account_id, brand_id)
    try:
        delete_brand(account_id=one.account_id, brand_id=one.pk)
    except BrandInUse as error:
        raise conflict(str(error)) from None
    return HttpResponse(status=204)


@operation(
    router,
    "GET",
    "/brands/{brand_id}/do-not-mail",
    scope=READ,
    response=page_shape(BlockedOut),
    summary="Addresses that get no mail of a brand",
)
def brand_do_not_mail(request: Request, brand_id: int, paging: Query[Paging]) -> dict[str, Any]:
    one = _found(request.account_id, brand_id)
    found = BrandDoNotMail.objects.filter(account_id=one.account_id, brand_id=one.pk)
    return page_of(found, paging, by="email_key")


@operation(
    router,
    "POST",
    "/brands/{brand_id}/do-not-mail",
    scope=WRITE,
    response=Changed,
    summary="Keep mail of a brand from an address",
)
def stop_brand_mail(request: Request, brand_id: int, body: BrandAddress) -> dict[str, int]:
    one = _found(request.account_id, brand_id)
    try:
        return {"changed": int(add_brand_do_not_mail(account_id=one.account_id, brand_id=one.pk, email=body.email))}
    except AddressError as error:
        raise _no_address(error) from error


@operation(
    router,
    "POST",
    "/brands/{brand_id}/do-not-mail/lift",
    scope=WRITE,
    response=Changed,
    summary="Let mail of a brand reach an address again",
)
def allow_brand_mail(request: Request, brand_id: int, body: BrandAddress) -> dict[str, int]:
    one = _found(request.account_id, brand_id)
    try:
        key = parse_address(body.email).key
    except AddressError as error:
        raise _no_address(error) from error
    return {"changed": lift_brand_do_not_mail(account_id=one.account_id, key=key, brand_id=one.pk)}


def _found(account_id: int, brand_id: int) -> Brand:
    return one_of(Brand.objects.filter(account_id=account_id), brand_id, "brand")


def _no_address(error: AddressError) -> Exception:
    return unprocessable(FieldFault("body.email", error.reason, "send an e-mail address"))
