"""People as the reference product shows them: every custom field on the top level, null where it is not set."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import connection

from standfast.components.audience.models import Contact, FieldType
from standfast.components.audience.queries import QUERIES
from standfast.platform.rest.answers import moment
from standfast.platform.rest.call import Call, CallError, missing
from standfast.protocols.address import AddressError, parse_address

STATUS = {"subscribed": "Subscribed", "unsubscribed": "Unsubscribed"}
TEXTS = ("first_name", "last_name", "phone", "fax")
_PERSON = ("id", "email", "uid", *TEXTS, "created_at", "updated_at")


class Custom(NamedTuple):
    """A custom field of the account."""

    key: str
    label: str
    field_type: str
    default_value: str


Customs = list[Custom]


def customs_of(account_id: int) -> Customs:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.custom_fields.sql, {"account_id": account_id})
        return [Custom(*row) for row in cursor.fetchall()]


def contact_row(one: Contact, customs: Customs) -> dict[str, Any]:
    row: dict[str, Any] = {"id": one.id, "account_id": one.account_id, "email": one.email}
    row |= {name: getattr(one, name) or None for name in TEXTS}
    row |= {"uid": one.uid, "created_at": moment(one.created_at), "updated_at": moment(one.updated_at)}
    shown = {field.key: _shown(one.fields.get(field.key), field) for field in customs}
    return {**shown, **row}  # a field called `email` never hides the address


def _shown(value: Any, field: Custom) -> Any:
    if value is None:
        return field.default_value or None
    if field.field_type == FieldType.DATETIME and isinstance(value, str):
        try:
            return moment(dt.datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            return value
    return value


def whole_person(account_id: int, named: Mapping[str, Any]) -> dict[str, Any]:
    """What the look-up of one person tells: lists and tags besides. Orders and workflows belong to others. named: their
    `contact_id`, `email_key` or `uid`. Raises CallError where there is nobody.
    """
    row = None
    if named:
        asked = {"account_id": account_id, "contact_id": None, "email_key": None, "uid": None, **named}
        with connection.cursor() as cursor:
            cursor.execute(QUERIES.whole_person.sql, asked)
            row = cursor.fetchone()
    if row is None:
        raise missing("Contact is not present!")
    *values, fields, places, tags, customs = row
    one = Contact(account_id=account_id, fields=json.loads(fields), **dict(zip(_PERSON, values, strict=True)))
    since = [
        {"list_id": each["list_id"], "name": each["name"], "status": STATUS[each["status"]],
         "created_at": _told(each["at"]), "updated_at": _told(each["at"])}
        for each in json.loads(places or "[]")
    ]  # fmt: skip
    known = [{"name": each["name"], "created_at": _told(each["at"])} for each in json.loads(tags or "[]")]
    shown = contact_row(one, [Custom(*each) for each in json.loads(customs or "[]")])
    return {**shown, "orders": [], "list_subscriptions": since, "workflows": [], "tags": known}


def _told(at: str) -> str | None:
    """A time as the database writes it in JSON, as the product writes it."""
    return moment(dt.datetime.fromisoformat(at))


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


def named(call: Call) -> dict[str, str]:
    """By what a call names a contact: contact[email], email, contact[uid] or uid; empty where it does not."""
    for name in ("contact[email]", "email"):
        if text := call.text(name):
            return {"email_key": key_of(text)}
    for name in ("contact[uid]", "uid"):
        if text := call.text(name):
            return {"uid": text}
    return {}


def named_by(call: Call) -> Contact | None:
    """The contact that a call names; None where there is none."""
    by = named(call)
    return Contact.objects.filter(account_id=call.account_id, **by).first() if by else None


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
