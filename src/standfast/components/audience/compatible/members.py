"""The people of a list."""

from __future__ import annotations

from typing import Any

from django.db import connection

from standfast.components.audience import list_counts
from standfast.components.audience.compatible.contact_body import given
from standfast.components.audience.compatible.contacts import READ, SECTION, WAY, WRITE, changed, landed, leave
from standfast.components.audience.compatible.lists import list_of
from standfast.components.audience.compatible.shapes import STATUS, contact_row, customs_of, found
from standfast.components.audience.models import Contact, Subscription, SubscriptionStatus
from standfast.components.audience.queries import QUERIES
from standfast.components.audience.searching import COUNT_MAX, count_up_to
from standfast.components.audience.subscribing import remove_from_lists, subscribe
from standfast.platform.rest.answers import Answer, moment, paged
from standfast.platform.rest.call import Call, missing
from standfast.platform.rest.routes import route


@route("GET", "lists/<list_id:int>/contacts", scope=READ, section=SECTION)
def members(call: Call) -> Answer:
    one = list_of(call)
    page, per = call.page()
    skip = (page - 1) * per
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES.members.sql, {"account_id": call.account_id, "list_id": one.pk, "per": per, "skip": skip}
        )
        places = cursor.fetchall()
    total = count_up_to("audience_subscription", "account_id = %s AND list_id = %s", [call.account_id, one.pk])
    if total > COUNT_MAX:
        # what is kept may be some minutes old; while a page is full there is another to ask for
        total = max(one.subscribers + one.unsubscribes, total, skip + len(places) + (len(places) == per))
        list_counts.take_soon(account_id=call.account_id, list_ids=list_counts.freshen([one]))
    people = Contact.objects.filter(account_id=call.account_id, id__in=[row[0] for row in places])
    known = {person.id: person for person in people}
    customs = customs_of(call.account_id)
    rows = [
        {**contact_row(known[contact_id], customs), "subscription": _place(status, at)}
        for contact_id, status, at in places
        if contact_id in known
    ]
    return paged(rows, total=total, per=per, root="contacts")


@route("GET", "lists/<list_id:int>/contacts/new", scope=READ, section=SECTION)
def blank(call: Call) -> Answer:
    list_of(call)
    names = ("id", "email", "first_name", "last_name", "phone", "fax", "uid", "created_at", "updated_at")
    row: dict[str, Any] = {field.key: field.default_value or None for field in customs_of(call.account_id)}
    return Answer({**row, **dict.fromkeys(names), "account_id": call.account_id}, root="contact")


@route("GET", "lists/<list_id:int>/contacts/<contact_id:int>", scope=READ, section=SECTION)
def show(call: Call) -> Answer:
    place = _member(call)
    one = found(call.account_id, place.contact_id)
    return Answer(_row(one, place), root="contact")


@route("POST", "lists/<list_id:int>/contacts", scope=WRITE, section=SECTION)
def join(call: Call) -> Answer:
    """Make or change the person by the address, and subscribe, unless `subscribe` is false."""
    return _joined(call, landed(call.account_id, wanted := given(call)), wanted, otherwise=True)


@route("PUT", "lists/<list_id:int>/contacts/<contact_id:int>", scope=WRITE, section=SECTION)
def update(call: Call) -> Answer:
    """Change the person; `subscribe` true or false moves, nothing leaves the place as it is."""
    wanted = given(call)
    contact_id = _member(call).contact_id
    changed(call.account_id, contact_id, wanted)
    return _joined(call, contact_id, wanted, otherwise=None)


@route("DELETE", "lists/<list_id:int>/contacts/<contact_id:int>", scope=WRITE, section=SECTION)
def take_off(call: Call) -> Answer:
    place = _member(call)
    remove_from_lists(account_id=call.account_id, list_ids=[place.list_id], contact_ids=[place.contact_id])
    return Answer(None)


def _joined(call: Call, contact_id: int, wanted: Any, *, otherwise: bool | None) -> Answer:
    one = list_of(call)
    wish = otherwise if wanted.subscribe is None else wanted.subscribe
    joining = [*wanted.join, *([one.pk] if wish else [])]
    for list_id in dict.fromkeys(joining):
        subscribe(account_id=call.account_id, list_id=list_id, contact_ids=[contact_id], reason=WAY)
    leave(call.account_id, contact_id, [*wanted.leave, *([one.pk] if wish is False else [])], wanted)
    place = Subscription.objects.filter(account_id=call.account_id, list_id=one.pk, contact_id=contact_id).first()
    return Answer(_row(found(call.account_id, contact_id), place, wanted.customs), 201, root="contact")


def _row(one: Contact, place: Subscription | None, customs: Any = None) -> dict[str, Any]:
    row = contact_row(one, customs_of(one.account_id) if customs is None else customs)
    shown = _place(place.status, place.since_at) if place else None
    subscribed = place is not None and place.status == SubscriptionStatus.SUBSCRIBED
    return {**row, "subscribed": subscribed, "subscription": shown}


def _place(status: str, at: Any) -> dict[str, Any]:
    since = moment(at)
    return {"status": STATUS[status], "subscribed_at": since if status == "subscribed" else None, "updated_at": since}


def _member(call: Call) -> Subscription:
    place = Subscription.objects.filter(
        account_id=call.account_id, list_id=int(call.path["list_id"]), contact_id=int(call.path["contact_id"])
    ).first()
    if place is None:
        raise missing("Contact is not present!")
    return place
