"""What moves a campaign and what is looked at before and meanwhile, for programs: checks, audience, tests, sending, progress."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Field, Query, Router, Status

from standfast.components.campaigns import actions, preflight, states
from standfast.components.campaigns.endpoints.campaigns import (
    READ,
    WRITE,
    CampaignOut,
    campaign_of,
    locked,
    not_ready,
    shown,
)
from standfast.components.campaigns.history import moves
from standfast.components.campaigns.models import Campaign, Hold
from standfast.components.campaigns.options import options
from standfast.components.campaigns.progress import progress_of
from standfast.components.campaigns.reasons import skipped_lines
from standfast.components.delivery import api as delivery
from standfast.platform.rest.operation import Given, Request, Schema, operation
from standfast.platform.rest.preconditions import GUARDED, IF_MATCH
from standfast.platform.rest.problems import FieldFault, conflict, unprocessable
from standfast.platform.rest.values import Moment, Text
from standfast.protocols.address import AddressError, parse_address

router = Router(tags=["Sending campaigns"])
_EXACT = "Judge everybody one by one, however many; takes seconds for a million."
Email = Annotated[Text, Field(max_length=320)]


class Skipped(Schema):
    reason: str
    text: str
    people: int


class AudienceOut(Schema):
    total: int = Field(description="People who would get it now.")
    skipped: list[Skipped]
    is_estimate: bool = Field(description="Told from a sample, in two or three digits.")


class Finding(Schema):
    severity: str = Field(description="error (it cannot be sent) or warning")
    step: str = Field(description="Where it is mended: details, people, content or schedule.")
    what: str
    remedy: str
    line: int | None = Field(description="Of the content's source, from 1.")


class ChecksOut(Schema):
    may_send: bool
    findings: list[Finding]
    audience: AudienceOut | None
    links: int


class TestIn(Given):
    emails: list[Email] = Field(min_length=1, max_length=delivery.TEST_RECIPIENTS_MAX)
    as_contact: Email = Field(
        "", description="A contact's address: its fields are filled in. Left out, the newest contact."
    )


class TestOut(Schema):
    sent: int


class ScheduleIn(Given):
    send_at: Moment = Field(description="A later time; without an offset it is UTC.", examples=["2027-03-01T09:00:00Z"])


class UncertainOut(Schema):
    sent_again: int


class HoldOut(Schema):
    reason: str
    detail: str
    held_at: dt.datetime


class ProgressOut(Schema):
    state: str
    total: int = Field(description="Recipients; 0 until the audience was counted out.")
    done: int = Field(description="Ended, one way or another.")
    open: int
    recipients: dict[str, int] = Field(description="By what became of the message.")
    skipped: list[Skipped]
    hold: HoldOut | None = Field(description="Why it stands still.")
    ask_again_seconds: int


class MoveOut(Schema):
    at: dt.datetime
    title: str
    detail: str


@operation(
    router,
    "GET",
    "/campaigns/{campaign_id}/checks",
    scope=READ,
    response=ChecksOut,
    summary="What keeps a campaign from leaving",
)
def checks(request: Request, campaign_id: int, exact: bool = Query(False, description=_EXACT)) -> dict[str, Any]:
    """The pre-flight that is made again when it is sent: sender, audience and content, each finding with its remedy."""
    found = preflight.check(campaign_of(request, campaign_id), exact=exact)
    findings = [
        {
            "severity": each.severity,
            "step": each.step,
            "what": each.what,
            "remedy": each.remedy,
            "line": each.line or None,
        }
        for each in sorted(found.findings, key=lambda finding: finding.severity != "error")
    ]
    audience = _audience(found.audience) if found.audience else None
    return {"may_send": found.may_send, "findings": findings, "audience": audience, "links": found.links}


@operation(
    router,
    "GET",
    "/campaigns/{campaign_id}/audience",
    scope=READ,
    response=AudienceOut,
    summary="How many people would get it, and why others do not",
)
def audience(request: Request, campaign_id: int, exact: bool = Query(False, description=_EXACT)) -> dict[str, Any]:
    found = campaign_of(request, campaign_id)
    count = delivery.count_audience if exact else delivery.estimate_audience
    if not found.list_ids:
        return _audience(delivery.Audience(0, {}))
    counted = count(
        account_id=found.account_id, list_ids=found.list_ids, suppressed_list_ids=found.suppressed_list_ids,
        secure_list_ids=found.secure_list_ids, brand_id=found.brand_id,
    )  # fmt: skip
    return _audience(counted)


@operation(
    router,
    "POST",
    "/campaigns/{campaign_id}/test",
    scope=WRITE,
    response={202: TestOut},
    summary="Send it as it is now to a few addresses",
)
def test(request: Request, campaign_id: int, body: TestIn) -> Status[dict[str, int]]:
    found = campaign_of(request, campaign_id)
    emails = [_address(text, f"body.emails.{number}") for number, text in enumerate(body.emails)]
    try:
        contact = actions.seen_as(account_id=found.account_id, email=body.as_contact.strip())
    except ValueError as error:
        raise unprocessable(
            FieldFault("body.as_contact", str(error), "send the address of one, or leave it out")
        ) from None
    try:
        sent = actions.test_send(
            account_id=found.account_id, campaign_id=found.pk, emails=list(dict.fromkeys(emails)), contact=contact
        )
    except actions.NotReady as error:
        raise not_ready(error) from None
    except ValueError as error:
        raise unprocessable(FieldFault("body.emails", str(error), "send other addresses, or fewer")) from None
    return Status(202, {"sent": sent})


@operation(
    router,
    "POST",
    "/campaigns/{campaign_id}/send",
    scope=WRITE,
    response={200: CampaignOut, **GUARDED},
    summary="Send it now, whatever was planned",
)
def send(request: Request, response: HttpResponse, campaign_id: int, if_match: str | None = IF_MATCH) -> dict[str, Any]:
    """422 with everything that keeps it from leaving. With If-Match what leaves is what was looked at."""

    def now(**which: Any) -> Campaign:
        return actions.schedule(at=None, **which)

    return shown(response, _act(request, campaign_id, if_match, now))


@operation(
    router,
    "POST",
    "/campaigns/{campaign_id}/schedule",
    scope=WRITE,
    response={200: CampaignOut, **GUARDED},
    summary="Send a draft at a later time",
)
def schedule(
    request: Request, response: HttpResponse, campaign_id: int, body: ScheduleIn, if_match: str | None = IF_MATCH
) -> dict[str, Any]:
    at = _later(body.send_at)

    def then(**which: Any) -> Campaign:
        return actions.schedule(at=at, **which)

    return shown(response, _act(request, campaign_id, if_match, then))


_MOVES: tuple[tuple[str, str, Callable[..., Campaign]], ...] = (
    ("unschedule", "Make it a draft again", actions.unschedule),
    ("pause", "Stop what has not left, within a second", actions.pause),
    ("resume", "Go on after a pause or a hold", actions.resume),
    ("cancel", "End it; what has not left stays here", actions.cancel),
)


def _register(name: str, summary: str, move: Callable[..., Campaign]) -> None:
    where = f"/campaigns/{{campaign_id}}/{name}"
    more: dict[str, Any] = {"response": {200: CampaignOut, **GUARDED}, "summary": summary}

    @operation(router, "POST", where, scope=WRITE, **more)
    def moved(
        request: Request, response: HttpResponse, campaign_id: int, if_match: str | None = IF_MATCH
    ) -> dict[str, Any]:
        return shown(response, _act(request, campaign_id, if_match, move))


for _each in _MOVES:
    _register(*_each)


@operation(
    router,
    "POST",
    "/campaigns/{campaign_id}/resend-uncertain",
    scope=WRITE,
    response={200: UncertainOut, **GUARDED},
    summary="Send again what nobody knows the fate of",
)
def resend_uncertain(request: Request, campaign_id: int, if_match: str | None = IF_MATCH) -> dict[str, int]:
    """Under the old Message-IDs; who has it already may get it twice. A decision for a person."""
    return {"sent_again": _act(request, campaign_id, if_match, actions.resend_uncertain)}


@operation(
    router, "GET", "/campaigns/{campaign_id}/progress", scope=READ, response=ProgressOut, summary="How far it is"
)
def progress(request: Request, campaign_id: int) -> dict[str, Any]:
    found = campaign_of(request, campaign_id)
    now = progress_of(found)
    held = Hold.objects.filter(account_id=found.account_id, campaign=found, released_at=None).order_by("-pk").first()
    return {
        "state": found.state, "total": now.total, "done": now.done, "open": now.open, "recipients": dict(now.books),
        "skipped": _skipped(found.skipped), "ask_again_seconds": now.every_seconds,
        "hold": {"reason": held.reason, "detail": held.detail, "held_at": held.held_at} if held else None,
    }  # fmt: skip


@operation(
    router,
    "GET",
    "/campaigns/{campaign_id}/history",
    scope=READ,
    response=list[MoveOut],
    summary="Its moves, the newest first",
)
def history(request: Request, campaign_id: int) -> list[dict[str, Any]]:
    found = campaign_of(request, campaign_id)
    told = moves(account_id=found.account_id, campaign_id=found.pk)
    return [{"at": each.at, "title": each.title, "detail": each.detail} for each in told]


def _act(request: Request, campaign_id: int, if_match: str | None, act: Callable[..., Any]) -> Any:
    """Do one thing with a campaign. Raises Problem: 404, 412, 409 with what is possible instead, 422 with what is missing."""
    found = locked(request, campaign_id, if_match)
    try:
        return act(account_id=found.account_id, campaign_id=found.pk, by=states.By(key=request.auth.name))
    except states.IllegalMove as error:
        raise conflict(str(error), possible=options(found)) from None
    except actions.NotReady as error:
        raise not_ready(error) from None


def _audience(counted: delivery.Audience) -> dict[str, Any]:
    return {"total": counted.total, "skipped": _skipped(counted.skipped), "is_estimate": counted.is_estimate}


def _skipped(counts: dict[str, int]) -> list[dict[str, Any]]:
    ordered = sorted(counts.items(), key=lambda each: -each[1])
    return [{"reason": reason, "text": skipped_lines({reason: n})[0][0], "people": n} for reason, n in ordered]


def _address(text: str, field: str) -> str:
    try:
        return parse_address(text).email
    except AddressError as error:
        raise unprocessable(
            FieldFault(field, f"is no address: {error.reason}", "send one such as ann@shop.example")
        ) from None


def _later(at: dt.datetime) -> dt.datetime:
    """Raises Problem where it has passed."""
    if at <= states.now():
        raise unprocessable(FieldFault("body.send_at", "has passed", "choose a later time, or use `send`"))
    return at
