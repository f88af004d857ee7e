"""Do-not-mail, of everything and of one brand."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet

from standfast.components.audience.brands import add_brand_do_not_mail, brand_named, lift_brand_do_not_mail
from standfast.components.audience.compatible.shapes import key_of, unwrapped
from standfast.components.audience.models import Brand, BrandDoNotMail, Contact, DoNotMail, DoNotMailReason
from standfast.components.audience.suppressing import add_do_not_mail, lift_do_not_mail
from standfast.platform.rest.answers import Answer, moment
from standfast.platform.rest.call import Call, invalid
from standfast.platform.rest.finding import numbered_page
from standfast.platform.rest.routes import route
from standfast.protocols.address import AddressError, parse_address

READ, WRITE, SECTION = "contacts:read", "contacts:write", "2.5"
MISS = {"message": "Contact not present.", "status": 404}  # with HTTP 200: clients read the status of the body


def _row(account_id: int, email: str, key: str, at: dt.datetime, *, brand: int = 0) -> dict[str, Any]:
    """An entry is known by its address; the number that clients expect is made of it, and fits a float."""
    number = int.from_bytes(hashlib.sha256(f"{account_id} {brand} {key}".encode()).digest()[:8], "big") >> 11
    made = moment(at)
    return {"id": number, "account_id": account_id, "email": email, "created_at": made, "updated_at": made}


def _general(one: DoNotMail) -> dict[str, Any]:
    return _row(one.account_id, one.email, one.email_key, one.created_at)


def _of_brand(one: BrandDoNotMail, names: dict[int, str]) -> dict[str, Any]:
    row = _row(one.account_id, one.email, one.email_key, one.created_at, brand=one.brand_id)
    return {**row, "brand_id": one.brand_id, "brand_name": names.get(one.brand_id)}


@route("GET", "global_unsubscribes", scope=READ, section=SECTION)
@route("GET", "global_unsubscribes/list", scope=READ, section=SECTION)
def every(call: Call) -> Answer:
    rows = DoNotMail.objects.filter(account_id=call.account_id).order_by("email_key")
    return numbered_page(call, rows, _general, root="global_unsubscribes")


@route("GET", "global_unsubscribes/email", scope=READ, section=SECTION)
def look_up(call: Call) -> Answer:
    one = DoNotMail.objects.filter(account_id=call.account_id, email_key=_key(call)).first()
    return Answer(_general(one) if one else MISS, root="global_unsubscribe")


@route("POST", "global_unsubscribes", scope=WRITE, section=SECTION)
def add(call: Call) -> Answer:
    email = _address(unwrapped(call, "global_unsubscribe"))
    add_do_not_mail(account_id=call.account_id, entries=[email], reason=DoNotMailReason.API)
    one = DoNotMail.objects.get(account_id=call.account_id, email_key=key_of(email))
    return Answer(_general(one), 201, {"Location": _location(call, "global_unsubscribes", email)}, "global_unsubscribe")


@route("DELETE", "global_unsubscribes/delete", scope=WRITE, section=SECTION)
def lift(call: Call) -> Answer:
    lifted = lift_do_not_mail(account_id=call.account_id, email=_key(unwrapped(call, "global_unsubscribe")))
    return Answer(None if lifted else MISS)


@route("GET", "brand_unsubscribes", scope=READ, section=SECTION)
def every_of_brands(call: Call) -> Answer:
    rows = BrandDoNotMail.objects.filter(account_id=call.account_id).order_by("brand_id", "email_key")
    rows, names = _of(call, rows, _brand(call)), _names(call.account_id)
    return numbered_page(call, rows, lambda one: _of_brand(one, names), root="brand_unsubscribes")


@route("GET", "brand_unsubscribes/email", scope=READ, section=SECTION)
def look_up_of_brand(call: Call) -> Answer:
    rows = BrandDoNotMail.objects.filter(account_id=call.account_id, email_key=_key(call)).order_by("brand_id")
    one = _of(call, rows, _brand(call)).first()
    return Answer(_of_brand(one, _names(call.account_id)) if one else MISS, root="brand_unsubscribe")


@route("POST", "brand_unsubscribes", scope=WRITE, section=SECTION)
def add_to_brand(call: Call) -> Answer:
    """A brand is named by its id, or by a name, which makes it where there is none."""
    body = unwrapped(call, "brand_unsubscribe")
    email = _address(body)
    brand = _brand(body)
    name = (body.text("brand_name") or body.text("brand")).strip()
    if brand is None and name:
        brand = brand_named(account_id=call.account_id, name=name)
    if brand is None:
        raise invalid(brand_id="is not a brand of this account" if body.value("brand_id") else "can't be blank")
    add_brand_do_not_mail(account_id=call.account_id, brand_id=brand.pk, email=email)
    one = BrandDoNotMail.objects.get(account_id=call.account_id, brand_id=brand.pk, email_key=key_of(email))
    where = f"{_location(call, 'brand_unsubscribes', email)}&brand_id={brand.pk}"
    return Answer(_of_brand(one, {brand.pk: brand.name}), 201, {"Location": where}, "brand_unsubscribe")


@route("DELETE", "brand_unsubscribes/delete", scope=WRITE, section=SECTION)
def lift_of_brand(call: Call) -> Answer:
    """Without a brand: of all."""
    body = unwrapped(call, "brand_unsubscribe")
    brand = _brand(body)
    if brand is None and _names_brand(body):
        return Answer(MISS)
    brand_id = brand.pk if brand else None
    lifted = lift_brand_do_not_mail(account_id=call.account_id, key=_key(body), brand_id=brand_id)
    return Answer(None if lifted else MISS)


def _text(call: Call, name: str) -> str:
    return call.text(f"contact[{name}]") or call.text(name)


def _email(call: Call) -> str:
    """The address that a call names, itself or by the person's own number; "" where it names nobody."""
    if email := _text(call, "email"):
        return email
    if uid := _text(call, "uid"):
        one = Contact.objects.filter(account_id=call.account_id, uid=uid).first()
        return one.email if one else ""
    return ""


def _key(call: Call) -> str:
    return key_of(_email(call))


def _address(call: Call) -> str:
    text = _email(call)
    if not text:
        raise invalid(uid="is nobody's") if _text(call, "uid") else invalid(email="can't be blank")
    try:
        return parse_address(text).email
    except AddressError as error:
        raise invalid(email=f"is invalid: {error.reason}") from None


def _names_brand(call: Call) -> bool:
    return any(call.text(name) for name in ("brand_id", "brand_name", "brand"))


def _brand(call: Call) -> Brand | None:
    brands = Brand.objects.filter(account_id=call.account_id)
    if (number := call.number("brand_id")) is not None:
        return brands.filter(pk=number).first()
    name = " ".join((call.text("brand_name") or call.text("brand")).split())
    return brands.filter(name=name).first() if name else None


def _of(call: Call, rows: QuerySet[BrandDoNotMail], brand: Brand | None) -> QuerySet[BrandDoNotMail]:
    if brand is not None:
        return rows.filter(brand_id=brand.pk)
    return rows.none() if _names_brand(call) else rows


def _names(account_id: int) -> dict[int, str]:
    return dict(Brand.objects.filter(account_id=account_id).values_list("pk", "name"))


def _location(call: Call, resource: str, email: str) -> str:
    return f"/accounts/{call.account_id}/{resource}/email.json?contact%5Bemail%5D={quote(email, safe='')}"
