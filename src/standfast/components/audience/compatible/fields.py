"""Custom fields."""

from __future__ import annotations

from typing import Any

from standfast.components.audience.compatible.shapes import unwrapped
from standfast.components.audience.models import CustomField, FieldType
from standfast.components.audience.starting import new_field
from standfast.platform.rest.answers import Answer, moment
from standfast.platform.rest.call import Call, invalid, missing
from standfast.platform.rest.finding import numbered_page
from standfast.platform.rest.routes import route

READ, WRITE, SECTION = "contacts:read", "contacts:write", "2.4"
TYPES = {
    "text": "text", "string": "text", "textarea": "text", "url": "text", "phone": "text", "number": "number",
    "integer": "number", "decimal": "number", "float": "number", "date": "date", "datetime": "datetime",
    "time": "datetime", "timestamp": "datetime", "boolean": "boolean", "checkbox": "boolean", "bool": "boolean",
}  # fmt: skip


def _row(field: CustomField) -> dict[str, Any]:
    return {"id": field.pk, "account_id": field.account_id, "name": field.key, "display_name": field.label,
            "field_type": field.field_type, "default_value": field.default_value or None,
            "created_at": moment(field.created_at), "updated_at": moment(field.updated_at)}  # fmt: skip


def _found(call: Call) -> CustomField:
    field = CustomField.objects.filter(account_id=call.account_id, pk=int(call.path["field_id"])).first()
    if field is None:
        raise missing("Custom field is not present!")
    return field


@route("GET", "custom_fields", scope=READ, section=SECTION)
def custom_fields(call: Call) -> Answer:
    every = CustomField.objects.filter(account_id=call.account_id)
    return numbered_page(call, every.order_by("id"), _row, root="custom_fields")


@route("POST", "custom_fields", scope=WRITE, section=SECTION)
def create(call: Call) -> Answer:
    """A name gives the field's key in templates, as in the application."""
    body = unwrapped(call, "custom_field")
    name = body.text("name").strip()
    if not name:
        raise invalid(name="can't be blank")
    if CustomField.objects.filter(account_id=call.account_id, label__iexact=name).exists():
        raise invalid(name="has already been taken")
    field = new_field(account_id=call.account_id, label=name, field_type=_type(body, FieldType.TEXT))
    return Answer(_row(_changed(field, body)), 201, root="custom_field")


@route("GET", "custom_fields/<field_id:int>", scope=READ, section=SECTION)
def show(call: Call) -> Answer:
    return Answer(_row(_found(call)), root="custom_field")


@route("PUT", "custom_fields/<field_id:int>", scope=WRITE, section=SECTION)
def update(call: Call) -> Answer:
    """The label and the default change; the key and the type stay, for templates and values stand on them."""
    field, body = _found(call), unwrapped(call, "custom_field")
    name = body.text("display_name").strip() or body.text("name").strip()
    if name and name != field.key:
        same = CustomField.objects.filter(account_id=call.account_id, label__iexact=name).exclude(pk=field.pk)
        if same.exists():
            raise invalid(name="has already been taken")
        field.label = name
    if _type(body, field.field_type) != field.field_type:
        raise invalid(field_type=f"cannot change: people have values of the type {field.field_type}")
    return Answer(_row(_changed(field, body)), root="custom_field")


@route("DELETE", "custom_fields/<field_id:int>", scope=WRITE, section=SECTION)
def delete(call: Call) -> Answer:
    _found(call).delete()
    return Answer(None)


def _type(body: Call, default: str) -> str:
    given = body.text("field_type").strip().lower()
    if given and given not in TYPES:
        raise invalid(field_type=f"is not one of {', '.join(FieldType.values)}")
    return TYPES.get(given, default)


def _changed(field: CustomField, body: Call) -> CustomField:
    field.default_value = body.text("default_value") if body.value("default_value") is not None else field.default_value
    if not isinstance(field.default_value, str):
        field.default_value = ""
    field.save()
    return field
