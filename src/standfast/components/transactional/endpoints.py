"""Transactional campaigns and single messages, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Field, Query, Router

from standfast.components.audience.api import find_brand
from standfast.components.delivery.api import Recipient as Row
from standfast.components.delivery.api import RecipientStatus
from standfast.components.transactional.campaigns import NameTaken, create_campaign
from standfast.components.transactional.models import TransactionalCampaign
from standfast.components.transactional.submitting import Recipient, Refused, Templated, deliver
from standfast.platform.rest.operation import (
    ERRORS,
    ID_MAX,
    PAGE_DEFAULT,
    PAGE_MAX,
    Schema,
    cursor_of,
    id_after,
    operation,
)
from standfast.platform.rest.problems import FieldFault, conflict, not_found, unprocessable

router = Router(tags=["Transactional mail"])
MESSAGES_MAX = 1000
_READ, _WRITE = "transactional:read", "transactional:write"


class TransactionalCampaignIn(Schema):
    name: str = Field(min_length=1, max_length=255)
    subject: str = Field("", max_length=255)
    preheader: str = Field("", max_length=255)
    from_name: str = Field("", max_length=255)
    from_email: str = Field("", max_length=320)
    reply_to: str = Field("", max_length=320)
    content_id: int | None = Field(None, ge=1, lt=ID_MAX)
    address: str = Field("", max_length=255)
    language: str = Field("en", max_length=16)
    brand_id: int | None = Field(None, ge=1, lt=ID_MAX)


class TransactionalCampaignOut(Schema):
    id: int
    name: str
    subject: str
    preheader: str
    from_name: str
    from_email: str
    reply_to: str
    content_id: int | None
    address: str
    language: str
    brand_id: int | None
    created_at: dt.datetime
    updated_at: dt.datetime


class TransactionalCampaignPage(Schema):
    data: list[TransactionalCampaignOut]
    next: str | None


class MessageIn(Schema):
    """One message: from the campaign's content or another, or with its own html and text. Liquid reads `tags` as `tag`."""

    email: str = Field(max_length=320, examples=["alice@example.net"])
    first_name: str | None = Field(None, max_length=255)
    last_name: str | None = Field(None, max_length=255)
    tags: dict[str, Any] = Field({}, examples=[{"order": "A-1"}])
    content_id: int | None = Field(None, ge=1, lt=ID_MAX)
    html: str | None = Field(None, max_length=1_000_000)
    text: str | None = Field(None, max_length=1_000_000)
    subject: str = Field("", max_length=255)
    from_name: str = Field("", max_length=255)
    from_email: str = Field("", max_length=320)
    reply_to: str = Field("", max_length=320)
    bcc: str = Field("", max_length=320)
    ignore_do_not_mail: bool = False
    brand_id: int | None = Field(
        None, ge=1, lt=ID_MAX, description="Whose do-not-mail holds instead of the general; without it, the campaign's."
    )
    send_at: dt.datetime | None = None
    key: str = Field(
        "", max_length=255, description="Your name for the message: the same within a day is the same message."
    )


class Messages(Schema):
    campaign_id: int = Field(ge=1, lt=ID_MAX)
    messages: list[MessageIn] = Field(min_length=1, max_length=MESSAGES_MAX)


class MessageTaken(Schema):
    number: int = Field(description="Its number in the campaign.")
    again: bool = Field(description="It had been taken before.")


class Taken(Schema):
    data: list[MessageTaken]


class MessageOut(Schema):
    number: int
    email: str
    status: str
    attempts: int
    updated_at: dt.datetime | None
    reply: str | None


@operation(
    router,
    "GET",
    "/transactional-campaigns",
    scope=_READ,
    response={200: TransactionalCampaignPage, **ERRORS},
    summary="List transactional campaigns",
)
def campaigns(
    request: HttpRequest, cursor: str | None = None, limit: int = Query(PAGE_DEFAULT, ge=1, le=PAGE_MAX)
) -> dict[str, Any]:
    found = TransactionalCampaign.objects.filter(account_id=request.account_id, pk__gt=id_after(cursor))  # type: ignore[attr-defined]
    rows = list(found.order_by("pk")[: limit + 1])
    return {"data": rows[:limit], "next": cursor_of(rows[limit - 1].pk) if len(rows) > limit else None}


@operation(
    router,
    "POST",
    "/transactional-campaigns",
    scope=_WRITE,
    response={201: TransactionalCampaignOut, **ERRORS},
    summary="Make a transactional campaign",
)
def make_campaign(request: HttpRequest, body: TransactionalCampaignIn) -> tuple[int, TransactionalCampaign]:
    from standfast.components.content.api import Content

    account_id = request.account_id  # type: ignore[attr-defined]
    values = body.model_dump()
    if "\x00" in "".join(value for value in values.values() if isinstance(value, str)) or not body.name.strip():
        raise unprocessable(FieldFault("body", "a text is blank or holds a NUL character"))
    if body.content_id and not Content.objects.filter(account_id=account_id, pk=body.content_id).exists():
        raise unprocessable(FieldFault("body.content_id", "there is no such content in this account"))
    if body.brand_id and find_brand(account_id=account_id, brand_id=body.brand_id) is None:
        raise unprocessable(FieldFault("body.brand_id", "there is no such brand in this account"))
    try:
        return 201, create_campaign(account_id=account_id, **{**values, "name": " ".join(body.name.split())})
    except NameTaken as error:
        raise conflict(str(error)) from error


@operation(
    router, "POST", "/messages", scope=_WRITE, response={202: Taken, **ERRORS}, summary="Send transactional messages"
)
def send(request: HttpRequest, body: Messages) -> tuple[int, dict[str, Any]]:
    """All are taken or none. 202 means that they are on disk and will go out, before all bulk."""
    campaign = _campaign(request.account_id, body.campaign_id)  # type: ignore[attr-defined]
    made = [
        Templated(
            Recipient(one.email, one.first_name, one.last_name), tags=one.tags, content_id=one.content_id, html=one.html,
            text=one.text, subject=one.subject, from_name=one.from_name, from_email=one.from_email, reply_to=one.reply_to,
            bcc=one.bcc, ignore_do_not_mail=one.ignore_do_not_mail, due_at=_aware(one.send_at), key=one.key,
            brand_id=one.brand_id,
        )
        for one in body.messages
    ]  # fmt: skip
    try:
        taken = deliver(campaign, made)
    except Refused as refused:
        raise unprocessable(FieldFault(f"body.messages.{refused.field}", refused.text)) from refused
    return 202, {"data": [{"number": one.seq, "again": one.again} for one in taken]}


@operation(
    router,
    "GET",
    "/transactional-campaigns/{campaign_id}/messages/{number}",
    scope=_READ,
    response={200: MessageOut, **ERRORS},
    summary="What became of a message",
)
def message(request: HttpRequest, campaign_id: int, number: int) -> dict[str, Any]:
    account_id = request.account_id  # type: ignore[attr-defined]
    campaign = _campaign(account_id, campaign_id)
    row = (
        Row.objects.filter(account_id=account_id, send_id=campaign.send_id, seq=number).first()
        if 0 < number < 2**31
        else None
    )
    if row is None:
        raise not_found("message")
    return {
        "number": row.seq, "email": row.email, "status": RecipientStatus(row.status).name.lower(), "attempts": row.attempts,
        "updated_at": row.updated_at, "reply": row.reply,
    }  # fmt: skip


def _campaign(account_id: int, campaign_id: int) -> TransactionalCampaign:
    found = (
        TransactionalCampaign.objects.filter(account_id=account_id, pk=campaign_id).first()
        if 0 < campaign_id < ID_MAX
        else None
    )
    if found is None:
        raise not_found("transactional campaign")
    return found


def _aware(at: dt.datetime | None) -> dt.datetime | None:
    return at.replace(tzinfo=dt.UTC) if at is not None and at.tzinfo is None else at
