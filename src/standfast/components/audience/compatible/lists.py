"""Lists, their counts, and imports from a file."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, connection, transaction

from standfast.components.audience import list_counts
from standfast.components.audience.brands import find_brand
from standfast.components.audience.compatible.shapes import unwrapped
from standfast.components.audience.models import List
from standfast.components.audience.subscribing import delete_list
from standfast.platform.rest.answers import Answer, moment, paged
from standfast.platform.rest.call import Call, CallError, invalid, missing
from standfast.platform.rest.routes import route

READ, WRITE, SECTION = "contacts:read", "contacts:write", "2.3"
REQUIRED = ("name", "address", "language")
TEXTS = (*REQUIRED, "from_name", "from_email", "reply_to_email", "display_name", "description", "post_url")
REFRESH_AT_ONCE = 100_000


def list_row(one: List, *, counts: bool = True) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(one, name) for name in ("id", "account_id", "name", "address", "language")}
    row |= {name: getattr(one, name) or None for name in ("from_name", "from_email", "reply_to_email")}
    row |= {"add_to_unsubscribe_page": one.add_to_unsubscribe_page, "post_url": one.post_url or None,
            "list_type": "normal", "folder_id": None, "brand_id": one.brand_id, "crm_entity_id": None,
            "display_name": one.display_name or None, "description": one.description or None}  # fmt: skip
    if counts:
        people = one.subscribers + one.unsubscribes
        row |= {"contacts_count": people, "subscribers": one.subscribers, "unsubscribes": one.unsubscribes,
                "soft_bounces": one.soft_bounces, "hard_bounces": one.hard_bounces, "complaints_count": one.complaints,
                "total_contacts_count": people, "total_revenue": 0.0}  # fmt: skip
    return row | {
        "refreshed_at": moment(one.refreshed_at), "created_at": moment(one.created_at), "updated_at": moment(one.updated_at)
    }  # fmt: skip


def list_of(call: Call) -> List:
    """The list that the call's path names. Raises CallError."""
    one = List.objects.filter(account_id=call.account_id, pk=int(call.path["list_id"])).first()
    if one is None:
        raise missing("List is not present!")
    return one


def counted(one: List) -> dict[str, Any]:
    list_counts.take_soon(account_id=one.account_id, list_ids=list_counts.freshen([one]))
    return list_row(one)


@route("GET", "lists", scope=READ, section=SECTION)
def lists(call: Call) -> Answer:
    """With `no_counts=true` no row tells how many people it has."""
    page, per = call.page()
    every = List.objects.filter(account_id=call.account_id)
    rows = list(every.order_by("id")[(page - 1) * per : page * per])
    with_counts = not call.flag("no_counts")
    if with_counts:
        list_counts.take_soon(account_id=call.account_id, list_ids=list_counts.freshen(rows))
    return paged([list_row(one, counts=with_counts) for one in rows], total=every.count(), per=per, root="lists")


@route("POST", "lists", scope=WRITE, section=SECTION)
def create(call: Call) -> Answer:
    body = unwrapped(call, "list")
    blank = {name: ["can't be blank"] for name in REQUIRED if not body.text(name).strip()}
    if blank:
        raise CallError(422, blank)
    one = List(account_id=call.account_id)
    _fill(one, body)
    return Answer(list_row(one), 201, root="list")


@route("GET", "lists/<list_id:int>", scope=READ, section=SECTION)
def show(call: Call) -> Answer:
    return Answer(counted(list_of(call)), root="list")


@route("PUT", "lists/<list_id:int>", scope=WRITE, section=SECTION)
def update(call: Call) -> Answer:
    one = list_of(call)
    body = unwrapped(call, "list")
    for name in REQUIRED:
        if body.value(name) is not None and not body.text(name).strip():
            raise invalid(**{name: "can't be blank"})
    _fill(one, body)
    return Answer(counted(one), root="list")


@route("DELETE", "lists/<list_id:int>", scope=WRITE, section=SECTION)
def delete(call: Call) -> Answer:
    delete_list(account_id=call.account_id, list_id=list_of(call).pk)
    return Answer(None)


@route("GET", "lists/<list_id:int>/refresh_count", scope=READ, section=SECTION)
def refresh_count(call: Call) -> Answer:
    """A list of up to a hundred thousand people is counted at once, a larger one by a job soon."""
    one = list_of(call)
    if list_counts.is_small(account_id=call.account_id, list_id=one.pk, most=REFRESH_AT_ONCE):
        with connection.cursor() as cursor:
            list_counts.count_list(cursor, account_id=call.account_id, list_id=one.pk)
        one.refresh_from_db()
    else:
        list_counts.take_soon(account_id=call.account_id, list_ids=[one.pk])
    return Answer(list_row(one), root="list")


@route("PUT", "lists/<list_id:int>/ftp_import", scope=WRITE, section=SECTION)
def ftp_import(call: Call) -> Answer:
    list_of(call)
    raise no_such_file(unwrapped(call, "list"))


def no_such_file(body: Call) -> CallError:
    """The account's folder of the FTP server, which is not built yet, holds no file."""
    name = body.text("ftp_file")
    return invalid(ftp_file=f"is not in the account's FTP folder: {name}" if name else "can't be blank")


def _fill(one: List, body: Call) -> None:
    for name in TEXTS:
        if body.value(name) is not None:
            setattr(one, name, body.text(name).strip())
    if body.value("brand_id") is not None:
        number = body.number("brand_id")
        brand = None if number is None else find_brand(account_id=one.account_id, brand_id=number)
        if number is not None and brand is None:
            raise invalid(brand_id="is not a brand of this account")
        one.brand = brand
    one.add_to_unsubscribe_page = body.flag("add_to_unsubscribe_page", bool(one.pk) and one.add_to_unsubscribe_page)
    if not one.pk:
        one.subscribers = one.unsubscribes = one.soft_bounces = one.hard_bounces = one.complaints = 0
        for name in TEXTS:
            if not isinstance(getattr(one, name), str):
                setattr(one, name, "")
    try:
        with transaction.atomic():
            one.save()
    except IntegrityError:
        raise invalid(name="has already been taken") from None
