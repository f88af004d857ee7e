"""People as the reference product shows them: every custom field on the top level, null where it is not set."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection

from standfast.components.audience.models import Contact, CustomField, FieldType, Tag
from standfast.components.audience.queries import QUERIES
from standfast.platform.rest.answers import moment
from standfast.platform.rest.call import Call, CallError, missing
from standfast.protocols.address import AddressError, parse_address

Customs = list[CustomField]
STATUS = {"subscribed": "Subscribed", "unsubscribed": "Unsubscribed"}
TEXTS = ("first_name", "last_name", "phone", "fax")


def customs_of(account_id: int) -> Customs:
    return list(CustomField.objects.filter(account_id=account_id).order_by("id"))


def contact_row(one: Contact, customs: Customs) -> dict[str, Any]:
    row: dict[str, Any] = {"id": one.id, "account_id": one.account_id, "email": one.email}
    row |= {name: getattr(one, name) or None for name in TEXTS}
    row |= {"uid": one.uid, "created_at": moment(one.created_at), "updated_at": moment(one.updated_at)}
    shown = {field.key: _shown(one.fields.get(field.key), field) for field in customs}
    return {**shown, **row}  # a field called `email` never hides the address


def _shown(value: Any, field: CustomField) -> Any:
    if value is None:
        return field.default_value or None
    if field.field_type == FieldType.DATETIME and isinstance(value, str):
        try:
            return moment(dt.datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            return value
    return value


def everything(one: Contact) -> dict[str, Any]:
    """What the look-up by address tells besides: lists and tags. Orders and workflows belong to others."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.places.sql, {"account_id": one.account_id, "contact_id": one.id})
        places = cursor.fetchall()
    since = [
        {"list_id": pk, "name": name, "status": STATUS[status], "created_at": moment(at), "updated_at": moment(at)}
        for pk, name, status, at in places
    ]
    tags = Tag.objects.filter(account_id=one.account_id, pk__in=one.tag_ids).order_by("name")
    named = [{"name": tag.name, "created_at": moment(tag.created_at)} for tag in tags]
    return {**contact_row(one, customs_of(one.account_id)), "orders": [], "list_subscriptions": since, "workflows": [],
            "tags": named}  # fmt: skip


def found(account_id: int, contact_id: int | str) -> Contact:
    """The contact of an id. Raises CallError in the product's words."""
    one = Contact.objects.filter(account_id=account_id, id=int(contact_id)).first()
    if one is None:
        raise missing("Contact is not present!")
    return one


def key_of(text: str) -> str:
    """An address as the tables know it; what is none is looked up as it stands, and not found."""
    try:
        return parse_address(text).key
    except AddressError:
        return text.strip().lower()


def named_by(call: Call) -> Contact | None:
    """The contact that a call names by contact[email], email, contact[uid] or uid; None where there is none."""
    people = Contact.objects.filter(account_id=call.account_id)
    for name in ("contact[email]", "email"):
        if text := call.text(name):
            return people.filter(email_key=key_of(text)).first()
    for name in ("contact[uid]", "uid"):
        if text := call.text(name):
            return people.filter(uid=text).first()
    return None


def required(call: Call) -> Contact:
    """The same, or 404."""
    one = named_by(call)
    if one is None:
        raise missing("Contact is not present!")
    return one


def unwrapped(call: Call, name: str) -> Call:
    """The call with the parameters of `name` on top: wrapped in an object, flat, or under literal keys such as "contact[email]"."""
    inner, outer = call.table(name), {}
    for key, value in call.params.items():
        path = key[len(name) + 1 : -1].replace("][", "[").split("[")
        if not (key.startswith(f"{name}[") and key.endswith("]")):
            if key != name:
                outer[key] = value
        elif len(path) == 1:
            inner.setdefault(path[0], value)
        elif len(path) == 2 and path[1]:
            place = inner.setdefault(path[0], {})
            if isinstance(place, dict):
                place.setdefault(path[1], value)
        elif len(path) == 2:
            inner.setdefault(path[0], value)
    return Call(call.method, call.account_id, call.path, outer, inner, call.address, call.holder, call.items)


def refused(status: int = 422, **fields: str) -> CallError:
    return CallError(status, {name: [text] for name, text in fields.items()})
