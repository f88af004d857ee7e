"""Secure lists: suppression by hashes of addresses."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from standfast.components.audience.compatible.lists import READ, SECTION, WRITE, no_such_file
from standfast.components.audience.compatible.shapes import unwrapped
from standfast.components.audience.models import SecureList
from standfast.components.audience.secure_lists import add_entries, delete_secure_list, is_foreign
from standfast.platform.rest.answers import Answer, moment
from standfast.platform.rest.call import Call, invalid, missing
from standfast.platform.rest.finding import numbered_page
from standfast.platform.rest.routes import route


def _row(one: SecureList) -> dict[str, Any]:
    return {
        "id": one.pk, "account_id": one.account_id, "name": one.name, "description": one.description or None,
        "contacts_count": one.size, "list_type": "secure", "created_at": moment(one.created_at),
        "updated_at": moment(one.updated_at),
    }  # fmt: skip


def _found(call: Call) -> SecureList:
    one = SecureList.objects.filter(account_id=call.account_id, pk=int(call.path["list_id"])).first()
    if one is None:
        raise missing("List is not present!")
    return one


@route("GET", "secure_lists", scope=READ, section=SECTION)
def secure_lists(call: Call) -> Answer:
    every = SecureList.objects.filter(account_id=call.account_id)
    return numbered_page(call, every.order_by("id"), _row, root="secure_lists")


@route("POST", "secure_lists", scope=WRITE, section=SECTION)
def create(call: Call) -> Answer:
    one = SecureList(account_id=call.account_id, name="", description="", size=0)
    return Answer(_row(_saved(one, call)), 201, root="secure_list")


@route("GET", "secure_lists/<list_id:int>", scope=READ, section=SECTION)
def show(call: Call) -> Answer:
    return Answer(_row(_found(call)), root="secure_list")


@route("PUT", "secure_lists/<list_id:int>", scope=WRITE, section=SECTION)
def update(call: Call) -> Answer:
    return Answer(_row(_saved(_found(call), call)), root="secure_list")


@route("DELETE", "secure_lists/<list_id:int>", scope=WRITE, section=SECTION)
def delete(call: Call) -> Answer:
    delete_secure_list(account_id=call.account_id, secure_list_id=_found(call).pk)
    return Answer(None)


@route("PUT", "secure_lists/<list_id:int>/import", scope=WRITE, section=SECTION)
def import_entries(call: Call) -> Answer:
    """`list: {hashes: [...]}` in hexadecimal, or `emails`, of which hashes alone are kept; `ftp_file` as for lists."""
    one = _found(call)
    body = _body(call)
    entries = [*_entries(body, "hashes"), *_entries(body, "emails")]
    if not entries:
        raise no_such_file(body)
    if any(map(is_foreign, entries)):
        raise invalid(base="Some of these are hashes that cannot be compared; give MD5 or SHA-256. Nothing was added.")
    done = add_entries(account_id=call.account_id, secure_list_id=one.pk, entries=entries)
    if done.refused == len(entries):
        raise invalid(base="None of these is a hash (MD5 or SHA-256 in hexadecimal) or an address.")
    one.refresh_from_db()
    return Answer({**_row(one), "added": done.added, "refused": done.refused}, root="secure_list")


def _entries(body: Call, name: str) -> list[str]:
    value = body.value(name)
    if isinstance(value, str):
        return value.replace(",", "\n").split("\n")
    return [str(one) for one in value] if isinstance(value, list) else []


def _body(call: Call) -> Call:
    return unwrapped(call, "list" if call.value("list") is not None else "secure_list")


def _saved(one: SecureList, call: Call) -> SecureList:
    body = _body(call)
    if body.value("name") is not None:
        one.name = body.text("name").strip()
    if body.value("description") is not None:
        one.description = body.text("description").strip()
    if not one.name:
        raise invalid(name="can't be blank")
    try:
        with transaction.atomic():
            one.save()
    except IntegrityError:
        raise invalid(name="has already been taken") from None
    return one
