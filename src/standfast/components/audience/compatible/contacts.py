"""Contacts: look up, make or change, take off lists, what they opened and clicked."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection

from standfast.components.audience.compatible.contact_body import Given, given
from standfast.components.audience.compatible.shapes import (
    contact_row,
    found,
    named,
    refused,
    required,
    unwrapped,
    whole_person,
)
from standfast.components.audience.editing import Taken, change_contact
from standfast.components.audience.models import Contact
from standfast.components.audience.subscribing import remove_from_lists, subscribe, unsubscribe
from standfast.components.audience.suppressing import lift_do_not_mail
from standfast.components.audience.upsert import Landed, upsert_contacts
from standfast.platform.rest.answers import Answer, moment, paged
from standfast.platform.rest.call import Call, invalid
from standfast.platform.rest.routes import route
from standfast.protocols.address import AddressError

READ, WRITE, SECTION = "contacts:read", "contacts:write", "2.2"
WAY = "api"


def by_email(call: Call) -> dict[str, Any]:
    """`GET contacts/email`, to which the service adds what others know of the person."""
    return whole_person(call.account_id, named(call))


def by_id(call: Call) -> dict[str, Any]:
    """`GET contacts/<contact_id>`, likewise."""
    return whole_person(call.account_id, {"contact_id": int(call.path["contact_id"])})


@route("POST", "contacts", scope=WRITE, section=SECTION)
def create(call: Call) -> Answer:
    """Make or change by the address; 201 either way."""
    wanted = given(call)
    contact_id = _taken(call.account_id, wanted)
    return Answer(contact_row(found(call.account_id, contact_id), wanted.customs), 201, root="contact")


def person_of_call(call: Call) -> int:
    """Make or change the person that a call tells of, with tags and lists, as `POST contacts` does. Raises CallError."""
    return _taken(call.account_id, given(call))


def _taken(account_id: int, wanted: Given) -> int:
    contact_id = landed(account_id, wanted)
    _move(account_id, contact_id, wanted)
    return contact_id


@route("PUT", "contacts/<contact_id:int>", scope=WRITE, section=SECTION)
def update(call: Call) -> Answer:
    wanted = given(call)
    contact_id = int(call.path["contact_id"])
    changed(call.account_id, contact_id, wanted)
    _move(call.account_id, contact_id, wanted)
    return Answer(contact_row(found(call.account_id, contact_id), wanted.customs), 201, root="contact")


@route("DELETE", "contacts/<contact_id:int>", scope=WRITE, section=SECTION)
def take_off(call: Call) -> Answer:
    """Off the lists that are named, or off all; the person stays."""
    one = found(call.account_id, call.path["contact_id"])
    body = unwrapped(call, "contact")
    list_ids = body.ids("list_ids") or body.ids("list_ids_to_delete") or None
    remove_from_lists(account_id=call.account_id, list_ids=list_ids, contact_ids=[one.id])
    return Answer(None)


@route("DELETE", "contacts/delete_all", scope=WRITE, section=SECTION)
def take_off_all(call: Call) -> Answer:
    one = required(call)
    remove_from_lists(account_id=call.account_id, list_ids=None, contact_ids=[one.id])
    return Answer(None)


@route("PUT", "contacts/unsubscribe_all", scope=WRITE, section=SECTION)
def unsubscribe_all(call: Call) -> Answer:
    one = required(call)
    unsubscribe(account_id=call.account_id, list_id=None, contact_ids=[one.id], reason=WAY)
    return Answer({"message": "Contact is unsubscribed from all lists."})


@route("GET", "contacts/<contact_id:int>/open_report", scope=READ, section=SECTION)
def open_report(call: Call) -> Answer:
    return _report(call, "opened")


@route("GET", "contacts/<contact_id:int>/click_report", scope=READ, section=SECTION)
def click_report(call: Call) -> Answer:
    return _report(call, "clicked")


def landed(account_id: int, wanted: Given) -> int:
    """The id of the contact that the call makes or changes. Raises CallError."""
    row = wanted.row
    if not row.email:
        known = Contact.objects.filter(account_id=account_id, uid=row.uid).first() if row.uid else None
        if known is None:
            raise invalid(email="can't be blank")
        row = row._replace(email=known.email)
    with connection.cursor() as cursor:
        (result,) = upsert_contacts(cursor, account_id=account_id, rows=[row])
    if result.contact_id is None:
        raise _why(result)
    if wanted.off_do_not_mail:
        lift_do_not_mail(account_id=account_id, email=row.email)
    return result.contact_id


def changed(account_id: int, contact_id: int, wanted: Given) -> None:
    """Change the contact of an id, its address too. Raises CallError."""
    before = found(account_id, contact_id)
    try:
        change_contact(account_id=account_id, contact_id=contact_id, row=wanted.row)
    except Taken as error:
        raise invalid(**{error.field: "has already been taken"}) from None
    except AddressError as error:
        raise invalid(email=f"is invalid: {error.reason}") from None
    if wanted.off_do_not_mail:
        lift_do_not_mail(account_id=account_id, email=wanted.row.email or before.email)


def _why(result: Landed) -> Exception:
    if "uid" in result.reason:
        return refused(uid="has already been taken")
    return refused(email=f"is invalid: {result.reason}")


def _move(account_id: int, contact_id: int, wanted: Given) -> None:
    """`subscribe: false` turns the lists of list_ids into ones to leave."""
    for list_id in wanted.join if wanted.subscribe is not False else ():
        subscribe(account_id=account_id, list_id=list_id, contact_ids=[contact_id], reason=WAY)
    leave(account_id, contact_id, [*wanted.leave, *(wanted.join if wanted.subscribe is False else ())], wanted)


def leave(account_id: int, contact_id: int, list_ids: list[int], wanted: Given) -> None:
    more = {"campaign": wanted.leave_campaign} if wanted.leave_campaign else None
    for list_id in list_ids:
        unsubscribe(account_id=account_id, list_id=list_id, contact_ids=[contact_id], reason=WAY, more=more)


def _report(call: Call, kind: str) -> Answer:
    """What a person, and no machine, did; newest first, by the event log's (account, contact) index."""
    one = found(call.account_id, call.path["contact_id"])
    page, per = call.page()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT position, at, send_id, data, count(*) OVER () FROM event "
            "WHERE account_id = %s AND contact_id = %s AND kind = %s AND data->>'verdict' = 'human' "
            "ORDER BY position DESC LIMIT %s OFFSET %s",
            [call.account_id, one.id, kind, per, (page - 1) * per],
        )
        rows = cursor.fetchall()
    shown = [_reported(one, *row[:4]) for row in rows]
    return paged(shown, total=rows[0][4] if rows else 0, per=per, root="records")


def _reported(one: Contact, position: int, at: Any, send_id: int | None, raw: Any) -> dict[str, Any]:
    data = json.loads(raw) if isinstance(raw, str) else raw or {}
    return {
        "id": position, "account_id": one.account_id, "contact_id": one.id, "campaign_id": data.get("campaign"),
        "send_id": send_id, "browser": data.get("ua"), "ip_address": data.get("ip"), "url": data.get("url"),
        "recorded_at": moment(at), "created_at": moment(at),
        "contact": {"email": one.email, "first_name": one.first_name or None, "last_name": one.last_name or None},
    }  # fmt: skip
