"""Transactional campaigns and `emails/deliver` of the reference product's interface (marketing-cloud.md section 2.8)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from standfast.components.audience.api import Contact, find_brand
from standfast.components.content.api import Content
from standfast.components.transactional.campaigns import NameTaken, create_campaign
from standfast.components.transactional.models import TransactionalCampaign
from standfast.components.transactional.submitting import Recipient, Refused, Templated, deliver
from standfast.platform.rest.answers import EASTERN, Answer, moment
from standfast.platform.rest.call import Call, CallError, invalid
from standfast.platform.rest.finding import numbered_page
from standfast.platform.rest.routes import route

SECTION = "2.8"
ECHOED = (
    "name",
    "subject",
    "preheader",
    "from_name",
    "from_email",
    "reply_to",
    "email_preview_link",
    "address",
    "language",
)
PART_CHARS_MAX = 2_000_000
TAGS_MAX = 100
KEY_CHARS_MAX = 60


def row(campaign: TransactionalCampaign) -> dict[str, Any]:
    """A campaign as a row: what was sent when it was made, with its id."""
    return {
        "id": campaign.pk,
        "account_id": campaign.account_id,
        **{name: getattr(campaign, name) for name in ECHOED},
        "content_id": campaign.content_id,
        "brand_id": campaign.brand_id,
        "add_ctags": campaign.tags,
        "status": "transactional",
        "created_at": moment(campaign.created_at),
        "updated_at": moment(campaign.updated_at),
    }


@route("GET", "transactional_campaigns", scope="transactional:read", section=SECTION)
def listed(call: Call) -> Answer:
    """The account's transactional campaigns, newest first."""
    found = TransactionalCampaign.objects.filter(account_id=call.account_id).order_by("-pk")
    return numbered_page(call, found, row, root="campaigns")


@route("POST", "transactional_campaigns", scope="transactional:write", section=SECTION)
def created(call: Call) -> Answer:
    """201 and the campaign; 422 where a field is missing, too long, or the name taken."""
    call = call.wrapped("campaign")
    name = " ".join(call.text("name").split())
    if not name:
        raise invalid(name="can't be blank")
    content_id = call.number("content_id")
    if content_id is not None and not Content.objects.filter(account_id=call.account_id, pk=content_id).exists():
        raise invalid(content_id="is not a content of this account")
    values: dict[str, Any] = {each: call.text(each) for each in ECHOED if each not in ("name", "language")}
    values["language"] = call.text("language", "en", most=16) or "en"
    values["brand_id"] = call.number("brand_id")
    if values["brand_id"] is not None and find_brand(account_id=call.account_id, brand_id=values["brand_id"]) is None:
        raise invalid(brand_id="is not a brand of this account")
    tags = call.texts("add_ctags")
    if len(tags) > TAGS_MAX or any(len(tag) > 50 for tag in tags):
        raise invalid(add_ctags=f"must be at most {TAGS_MAX} tags of at most 50 characters")
    try:
        made = create_campaign(account_id=call.account_id, name=name, content_id=content_id, tags=tags, **values)
    except NameTaken:
        raise invalid(name="has already been taken") from None
    return Answer(row(made), status=201, root="campaign")


@route("POST", "emails/deliver", scope="transactional:write", section=SECTION)
def delivered(call: Call) -> Answer:
    """Take one message: 201 when it is in the ledger. 422 says which field cannot be taken, 404 that there is no such campaign."""
    call = call.wrapped("email")
    campaign_id = call.number("campaign_id")
    if campaign_id is None:
        raise invalid(campaign_id="can't be blank")
    campaign = TransactionalCampaign.objects.filter(account_id=call.account_id, pk=campaign_id).first()
    if campaign is None:
        raise CallError(404, {"error": "There is no such transactional campaign."})
    content = call.table("content")
    message = Templated(
        recipient=_recipient(call),
        tags=_tags(call),
        content_id=None if content else call.number("content_id"),
        html=_part(content, "html_part"),
        text=_part(content, "text_part"),
        subject=call.text("subject"),
        from_name=call.text("from_name"),
        from_email=call.text("from_email"),
        reply_to=call.text("reply_to"),
        address=call.text("address"),
        bcc=call.text("bcc"),
        ignore_do_not_mail=call.flag("ignore_dnm"),
        due_at=_due(call),
        key=_key(call),
        brand_id=call.number("brand_id"),
        brand=call.text("brand_name") or call.text("brand"),
    )
    try:
        [taken] = deliver(campaign, [message])
    except Refused as refused:
        raise invalid(**{refused.field: refused.text}) from None
    text = "email was taken before" if taken.again else "email was sent successfully"
    return Answer({"message": text}, status=201)


def _recipient(call: Call) -> Recipient:
    """Of `contact`, also with `contact_id` beside or within it; a contact who is known keeps what the call does not say."""
    contact_id = call.number("contact_id", call.number("contact[id]"))
    email = call.text("contact[email]", call.text("email"))
    if not email and contact_id is not None:
        known = Contact.objects.filter(account_id=call.account_id, id=contact_id).only("email").first()
        if known is None:
            raise CallError(404, {"message": "Contact is not present!"})
        email = known.email
    if not email:
        raise invalid(contact="needs an email, or give contact_id")
    fields = call.table("contact[custom_field]") or call.table("contact[custom_fields]")
    for name, value in fields.items():
        if isinstance(value, dict | list):
            raise invalid(custom_field=f"{name[:50]} must be a text, a number, true, false or null")
    return Recipient(
        email,
        first_name=call.text("contact[first_name]") or None,
        last_name=call.text("contact[last_name]") or None,
        fields=fields or None,
    )


def _tags(call: Call) -> Mapping[str, Any]:
    tags = call.table("tags")
    if "\\u0000" in json.dumps(tags):
        raise invalid(tags="hold a character that cannot be stored")
    return tags


def _part(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise invalid(content=f"{name} must be text")
    if len(value) > PART_CHARS_MAX:
        raise invalid(content=f"{name} is too long (maximum is {PART_CHARS_MAX:,} characters)")
    if "\x00" in value:
        raise invalid(content=f"{name} holds a character that cannot be stored")
    return value


def _due(call: Call) -> dt.datetime | None:
    """The next time that clocks in the East show this hour (1 to 12, the earlier of morning and evening) and minute."""
    hour, minute = call.number("send_time[hour]"), call.number("send_time[minute]", 0)
    if hour is None:
        return None
    if not 1 <= hour <= 12 or minute is None or not 0 <= minute <= 59:
        raise invalid(send_time="has an hour from 1 to 12 and a minute from 0 to 59")
    now = dt.datetime.now(EASTERN)
    day = now.replace(second=0, microsecond=0)
    times = [
        (day + dt.timedelta(days=days)).replace(hour=hour % 12 + half, minute=minute)
        for days in (0, 1)
        for half in (0, 12)
    ]
    return next(at for at in times if at >= now.replace(second=0, microsecond=0)).astimezone(dt.UTC)


def _key(call: Call) -> str:
    """What a program may name a message by, so that asking again does not send twice (not in the reference product)."""
    key = call.text("message_id")
    return key if len(key) <= KEY_CHARS_MAX else hashlib.sha256(key.encode()).hexdigest()[:KEY_CHARS_MAX]
