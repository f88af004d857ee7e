"""Tags, and putting them on a person."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from standfast.components.audience.compatible.contact_body import tag_ids
from standfast.components.audience.compatible.shapes import named_by, unwrapped
from standfast.components.audience.editing import change_contact
from standfast.components.audience.models import Tag
from standfast.components.audience.upsert import ContactRow
from standfast.platform.rest.answers import Answer, moment
from standfast.platform.rest.call import Call, invalid, missing
from standfast.platform.rest.finding import numbered_page
from standfast.platform.rest.routes import route

READ, WRITE, SECTION = "contacts:read", "contacts:write", "2.4"


def _row(tag: Tag) -> dict[str, Any]:
    at = moment(tag.created_at)
    return {"id": tag.pk, "name": tag.name, "account_id": tag.account_id, "folder_id": None, "created_at": at,
            "updated_at": at}  # fmt: skip


@route("GET", "tags", scope=READ, section=SECTION)
def tags(call: Call) -> Answer:
    every = Tag.objects.filter(account_id=call.account_id)
    if name := call.text("name"):
        every = every.filter(name=name)
    return numbered_page(call, every.order_by("id"), _row, root="tags")


@route("POST", "tags", scope=WRITE, section=SECTION)
def create(call: Call) -> Answer:
    name = unwrapped(call, "tag").text("name").strip()
    if not name:
        raise invalid(name="can't be blank")
    try:
        with transaction.atomic():
            tag = Tag.objects.create(account_id=call.account_id, name=name)
    except IntegrityError:
        raise invalid(name="has already been taken") from None
    return Answer(_row(tag), 201, root="tag")


@route("DELETE", "tags/<tag_id:int>", scope=WRITE, section=SECTION)
def delete(call: Call) -> Answer:
    gone, _ = Tag.objects.filter(account_id=call.account_id, pk=int(call.path["tag_id"])).delete()
    if not gone:
        raise missing("Tag is not present!")
    return Answer(None)


@route("PUT", "add_remove_tags", scope=WRITE, section=SECTION)
def add_remove(call: Call) -> Answer:
    """Tags that do not exist are ignored."""
    body = unwrapped(call, "tags")
    one = named_by(body)
    if one is None:
        raise missing("Contact is not present!")
    row = ContactRow("", tag_ids=tag_ids(body, "add_tags"), drop_tag_ids=tag_ids(body, "remove_tags"))
    change_contact(account_id=call.account_id, contact_id=one.id, row=row)
    one.refresh_from_db()
    worn = Tag.objects.filter(account_id=call.account_id, pk__in=one.tag_ids).order_by("name")
    shown = [{"name": tag.name, "created_at": moment(tag.created_at)} for tag in worn]
    return Answer({"id": one.id, "email": one.email, "tags": shown}, root="contact")
