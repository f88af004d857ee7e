"""`GET contacts/email` and `GET contacts/:id`: a person with their orders, which the audience knows nothing of."""

from __future__ import annotations

from typing import Any

from standfast.components.audience.compatible import contacts
from standfast.components.commerce import compatible as commerce
from standfast.platform.rest.answers import Answer
from standfast.platform.rest.call import Call
from standfast.platform.rest.routes import route


@route("GET", "contacts/email", scope="contacts:read", section="2.2")
def by_email(call: Call) -> Answer:
    return _whole(call, contacts.by_email(call))


@route("GET", "contacts/<contact_id:int>", scope="contacts:read", section="2.2")
def show(call: Call) -> Answer:
    return _whole(call, contacts.by_id(call))


def _whole(call: Call, person: dict[str, Any]) -> Answer:
    """A key without the right to read orders sees none."""
    orders = commerce.orders_of(call.account_id, person["id"]) if call.holder.may("commerce:read") else []
    return Answer({**person, "orders": orders}, root="contact")
