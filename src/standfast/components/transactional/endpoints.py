"""Transactional campaigns and single messages, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from ninja import Field, Query, Router, Status

from standfast.components.audience.api import find_brand
from standfast.components.delivery.api import Recipient as Row
from standfast.components.delivery.api import RecipientStatus
from standfast.components.transactional.campaigns import NameTaken, create_campaign
from standfast.components.transactional.models import TransactionalCampaign
from standfast.components.transactional.submitting import Recipient, Refused, Templated, deliver
from standfast.platform.rest.finding import Paging, one_of, page_of, page_shape
from standfast.platform.rest.operation import Request, Schema, operation
from standfast.platform.rest.problems import FieldFault, conflict, not_found, unprocessable
from standfast.platform.rest.values import Address, Id, Line, Moment, Name, Text

router = Router(tags=["Transactional mail"])
MESSAGES_MAX = 1000
_READ, _WRITE = "transactional:read", "transactional:write"


class TransactionalCampaignIn(Schema):
    name: Name
    subject: Line = ""
    preheader: Line = ""
    from_name: Line = ""
    from_email: Address = ""
    reply_to: Address = ""
    content_id: Id | None = None
    address: Line = ""
    language: Annotated[Text, Field(max_length=16)] = "en"
    brand_id: Id | None = None


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


class MessageIn(Schema):
    """One message: from the campaign's content or another, or with its own html and text. Liquid reads `tags` as `tag`."""

    email: str = Field(max_length=320, examples=["alice@example.net"])
    first_name: str | None = Field(None, max_length=255)
    last_name: str | None = Field(None, max_length=255)
    tags: dict[str, Any] = Field({}, examples=[{"order": "A-1"}])
    content_id: Id | None = None
    html: str | None = Field(None, max_length=1_000_000)
    text: str | None = Field(None, max_length=1_000_000)
    subject: str = Field("", max_length=255)
    from_name: str = Field("", max_length=255)
    from_email: str = Field("", max_length=320)
    reply_to: str = Field("", max_length=320)
    bcc: str = Field("", max_length=320)
    ignore_do_not_mail: bool = False
    brand_id: Id | None = Field(
        None, description="Whose do-not-mail holds instead of the general; without it, the campaign's."
    )
    send_at: Moment | None = None
    key: str = Field(
        "", max_length=255, description="Your name for the message: the same within a day is the same message."
    )


class Messages(Schema):
    campaign_id: Id
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
    response=page_shape(TransactionalCampaignOut),
    summary="List transactional campaigns",
)
def campaigns(request: Request, paging: Query[Paging]) -> dict[str, Any]:
    found = TransactionalCampaign.objects.filter(account_id=request.account_id)
    return page_of(found, paging)


@operation(
    router,
    "POST",
    "/transactional-campaigns",
    scope=_WRITE,
    response={201: TransactionalCampaignOut},
    summary="Make a transactional campaign",
)
def make_campaign(request: Request, body: TransactionalCampaignIn) -> Status[TransactionalCampaign]:
    from standfast.components.content.api import Content

    account_id = request.account_id
    if body.content_id and not Content.objects.filter(account_id=account_id, pk=body.content_id).exists():
        raise unprocessable(
            FieldFault(
                "body.content_id", "there is no such content in this account", "send an id that GET /contents gives"
            )
        )
    if body.brand_id and find_brand(account_id=account_id, brand_id=body.brand_id) is None:
        raise unprocessable(
            FieldFault("body.brand_id", "there is no such brand in this account", "send an id that GET /brands gives")
        )
    try:
        return Status(201, create_campaign(account_id=account_id, **body.model_dump()))
    except NameTaken as error:
        raise conflict(str(error)) from error


@operation(router, "POST", "/messages", scope=_WRITE, response={202: Taken}, summary="Send transactional messages")
def send(request: Request, body: Messages) -> Status[dict[str, Any]]:
    """All are taken or none. 202 means that they are on disk and will go out, before all bulk."""
    campaign = _campaign(request.account_id, body.campaign_id)
    made = [
        Templated(
            Recipient(one.email, one.first_name, one.last_name), tags=one.tags, content_id=one.content_id, html=one.html,
            text=one.text, subject=one.subject, from_name=one.from_name, from_email=one.from_email, reply_to=one.reply_to,
            bcc=one.bcc, ignore_do_not_mail=one.ignore_do_not_mail, due_at=one.send_at, key=one.key,
            brand_id=one.brand_id,
        )
        for one in body.messages
    ]  # fmt: skip
    try:
        taken = deliver(campaign, made)
    except Refused as refused:
        raise unprocessable(
            FieldFault(f"body.messages.{refused.field}", refused.text, "mend it, or leave the message out")
        ) from refused
    return Status(202, {"data": [{"number": one.seq, "again": one.again} for one in taken]})


@operation(
    router,
    "GET",
    "/transactional-campaigns/{campaign_id}/messages/{number}",
    scope=_READ,
    response=MessageOut,
    summary="What became of a message",
)
def message(request: Request, campaign_id: int, number: int) -> dict[str, Any]:
    account_id = request.account_id
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
    return one_of(TransactionalCampaign.objects.filter(account_id=account_id), campaign_id, "transactional campaign")
