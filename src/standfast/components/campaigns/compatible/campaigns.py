"""Campaigns of the reference product's interface (marketing-cloud.md section 2.6)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from standfast.components.accounts.api import Membership, Role
from standfast.components.audience.api import List, SecureList, find_brand
from standfast.components.campaigns import actions, states
from standfast.components.campaigns.drafts import TEXTS, create_draft
from standfast.components.campaigns.models import Campaign
from standfast.components.content.api import Content
from standfast.components.tracking.api import SendFigures, by_send
from standfast.platform.rest.answers import EASTERN, Answer, moment, paged
from standfast.platform.rest.call import Call, CallError, invalid
from standfast.platform.rest.routes import route
from standfast.protocols.address import AddressError, parse_address

SECTION = "2.6"
ABSENT = {
    "recurring": "recurring campaigns are not there yet; use send, draft, test or schedule",
    "best_time": "sending at the best time is not there yet; leave send_type out",
    "one_time": "priority by one_time is not there yet; leave send_type out",
}
STATUSES = ("send", "draft", "test", "schedule")
TEST_OWNERS_MAX = 5


def row(campaign: Campaign, figures: SendFigures | None = None) -> dict[str, Any]:
    """A campaign as a row; figures from the roll-ups of its send, people's alone."""
    figures = figures or SendFigures()
    return {
        "id": campaign.pk,
        "account_id": campaign.account_id,
        **{name: getattr(campaign, name) for name in TEXTS},
        "content_id": campaign.content_id,
        "list_ids": campaign.list_ids,
        "suppressed_list_ids": [*campaign.suppressed_list_ids, *campaign.secure_list_ids],
        "suppressed_secure_list_ids": campaign.secure_list_ids,
        "brand_id": campaign.brand_id,
        "status": campaign.state,
        "send_at": moment(campaign.send_at),
        "created_at": moment(campaign.created_at),
        "updated_at": moment(campaign.updated_at),
        "sent_at": moment(campaign.started_at),
        "sent": figures.delivered + figures.bounced,
        "delivered": figures.delivered,
        "opened": figures.opened,
        "clicked": figures.clicked,
        "bounced": figures.bounced,
        "hard_bounced": figures.bounced_hard,
        "soft_bounced": figures.bounced - figures.bounced_hard,
        "unsubscribed": figures.unsubscribed,
        "complained": figures.complained,
    }


def rows(campaigns: list[Campaign]) -> list[dict[str, Any]]:
    """Rows of campaigns of one account, their figures in one query."""
    account_id = campaigns[0].account_id if campaigns else 0
    figures = by_send(account_id=account_id, send_ids=[each.send_id for each in campaigns])
    return [row(each, figures.get(each.send_id or 0)) for each in campaigns]


@route("GET", "campaigns", scope="campaigns:read", section=SECTION)
def listed(call: Call) -> Answer:
    """Campaigns, newest first; also /v2/:id/campaigns with `name`, any part of it."""
    page, per = call.page()
    found = Campaign.objects.filter(account_id=call.account_id)
    if name := call.text("name"):
        found = found.filter(name__icontains=name)
    found = found.order_by("-pk")
    total = found.count()
    return paged(rows(list(found[(page - 1) * per : page * per])), total=total, per=per, root="campaigns")


@route("GET", "campaigns/<campaign_id:int>", scope="campaigns:read", section=SECTION)
def shown(call: Call) -> Answer:
    return Answer(rows([campaign_of(call)])[0], root="campaign")


@route("DELETE", "campaigns/<campaign_id:int>", scope="campaigns:write", section=SECTION)
def deleted(call: Call) -> Answer:
    """Only what has not left: 422 for any other."""
    campaign = campaign_of(call)
    try:
        actions.delete(account_id=call.account_id, campaign_id=campaign.pk)
    except states.IllegalMove as error:
        raise invalid(base=str(error)) from None
    return Answer(None)


def created(call: Call) -> Answer:
    """A campaign; `status` says what becomes of it. Nothing stays of one that cannot be sent: 422 with the reasons."""
    call = call.wrapped("campaign")
    status = call.text("status", "draft").lower()
    _refuse_absent(call, status)
    at = _send_at(call)
    if status == "schedule" and at is None:
        raise invalid(send_at="can't be blank where status is schedule")
    campaign = create_draft(account_id=call.account_id, values={**_values(call), "send_at": at})
    try:
        if status in ("send", "schedule"):
            actions.schedule(
                account_id=call.account_id, campaign_id=campaign.pk, at=at if status == "schedule" else None,
                by=states.By(key=call.holder.name),
            )  # fmt: skip
        elif status == "test":
            _test(call, campaign)
    except actions.NotReady as error:
        reasons = [f"{each.what} {each.remedy}" for each in error.found.findings if each.severity == "error"]
        raise CallError(422, {"base": reasons}) from None
    except ValueError as error:  # IllegalMove is one
        raise invalid(base=str(error)) from None
    campaign.refresh_from_db()
    return Answer(row(campaign), status=201, root="campaign")


def campaign_of(call: Call) -> Campaign:
    """The campaign that the path names. Raises CallError (404)."""
    found = Campaign.objects.filter(account_id=call.account_id, pk=int(call.path["campaign_id"])).first()
    if found is None:
        raise CallError(404, {"error": "There is no such campaign."})
    return found


def _refuse_absent(call: Call, status: str) -> None:
    for name, value in (("status", status), ("send_type", call.text("send_type").lower())):
        if value in ABSENT:
            raise invalid(**{name: ABSENT[value]})
    if status not in STATUSES:
        raise invalid(status=f"is none of {', '.join(STATUSES)}")
    if kind := call.text("send_type"):
        raise invalid(send_type=f"“{kind}” is not known")
    for name in ("segment_ids", "suppressed_segment_ids"):
        if call.ids(name):
            raise invalid(**{name: "segments are not there yet; use lists"})


def _values(call: Call) -> dict[str, Any]:
    values: dict[str, Any] = {name: call.text(name) for name in TEXTS if name != "language"}
    values["name"] = " ".join(values["name"].split())
    if not values["name"]:
        raise invalid(name="can't be blank")
    values["language"] = call.text("language", "en", most=8) or "en"
    for name in ("from_email", "reply_to"):
        if values[name]:
            try:
                values[name] = parse_address(values[name]).email
            except AddressError as error:
                raise invalid(**{name: f"is no address: {error.reason}"}) from None
            if len(values[name]) > 254:
                raise invalid(**{name: "is too long (maximum is 254 characters)"})
    content_id = call.number("content_id")
    if content_id is not None and not Content.objects.filter(account_id=call.account_id, pk=content_id).exists():
        raise invalid(content_id="is not a content of this account")
    values["content_id"] = content_id
    values["brand_id"] = _brand_id(call)
    values["list_ids"] = ids = call.ids("list_ids")
    _all_known("list_ids", ids, _known(List, call, ids))
    return values | _left_out(call)


def _left_out(call: Call) -> dict[str, list[int]]:
    """Lists and secure lists are counted together, and so both may stand in `suppressed_list_ids`; ids of before that may be
    those of one of each, which is refused."""
    ids, secure = call.ids("suppressed_list_ids"), call.ids("suppressed_secure_list_ids")
    lists, found = _known(List, call, ids), _known(SecureList, call, [*ids, *secure])
    _all_known("suppressed_list_ids", ids, lists | found)
    _all_known("suppressed_secure_list_ids", secure, found)
    if both := [each for each in ids if each in lists & found]:
        remedy = "give the secure list in suppressed_secure_list_ids, or choose the list in the application"
        raise invalid(suppressed_list_ids=f"hold {both[0]}, which is a list and a secure list: {remedy}")
    return {
        "suppressed_list_ids": [each for each in ids if each in lists],
        "secure_list_ids": sorted({*secure, *(each for each in ids if each in found - lists)}),
    }


def _known(kind: Any, call: Call, ids: list[int]) -> set[int]:
    return set(kind.objects.filter(account_id=call.account_id, pk__in=ids).values_list("pk", flat=True))


def _all_known(name: str, ids: list[int], known: set[int]) -> None:
    if unknown := [each for each in ids if each not in known]:
        raise invalid(**{name: f"hold {unknown[0]}, which is no list of this account"})


def _brand_id(call: Call) -> int | None:
    number = call.number("brand_id")
    if number is None:
        return None
    if find_brand(account_id=call.account_id, brand_id=number) is None:
        raise invalid(brand_id="is not a brand of this account")
    return number


def _send_at(call: Call) -> dt.datetime | None:
    """`send_at` as an aware time; without an offset it is Eastern. Raises CallError."""
    text = call.text("send_at", most=40).strip()
    if not text:
        return None
    try:
        at = dt.datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=EASTERN)
        return at.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise invalid(send_at="is no time such as 2026-05-25 08:00:00") from None


def _test(call: Call, campaign: Campaign) -> None:
    """To `test_emails`; without them to the owners of the account, as its newest contact sees it."""
    emails = call.texts("test_emails") or _owners(call.account_id)
    for email in emails:
        try:
            parse_address(email)
        except AddressError as error:
            raise invalid(test_emails=f"hold {email!r}, which is no address: {error.reason}") from None
    actions.test_send(
        account_id=call.account_id, campaign_id=campaign.pk, emails=emails,
        contact=actions.seen_as(account_id=call.account_id),
    )  # fmt: skip


def _owners(account_id: int) -> list[str]:
    owners = Membership.objects.filter(account_id=account_id, role=Role.ADMIN).order_by("pk")
    return list(owners.values_list("user__email", flat=True)[:TEST_OWNERS_MAX])
