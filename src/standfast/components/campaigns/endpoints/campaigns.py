"""Campaigns, for programs: made, changed, listed, deleted. What moves them stands in `sending.py`."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Field, Query, Router, Status

from standfast.components.campaigns import actions, states
from standfast.components.campaigns.drafts import (
    BOTH,
    LISTS,
    RATE_MAX,
    SETTINGS,
    change_draft,
    create_draft,
    normalised,
    version_of,
)
from standfast.components.campaigns.models import Campaign, CampaignState
from standfast.components.campaigns.options import options
from standfast.platform.rest.finding import ID_MAX, Paging, one_of, page_of, page_shape
from standfast.platform.rest.operation import Given, Request, Schema, operation, storable, unless_said
from standfast.platform.rest.preconditions import GUARDED, IF_MATCH, require_match, show_version
from standfast.platform.rest.problems import FieldFault, Problem, conflict, not_found, unprocessable
from standfast.platform.rest.values import Id, Line, Name, Text

router = Router(tags=["Campaigns"])
READ, WRITE = "campaigns:read", "campaigns:write"
LISTS_MAX = 500
SHOWN = (*SETTINGS, "state", "send_at", "send_id", "skipped", "created_at", "updated_at", "started_at", "finished_at")
Email = Annotated[Text, Field(max_length=254)]
Ids = Annotated[list[Id], Field(max_length=LISTS_MAX)]
Language = Annotated[Text, Field(min_length=2, max_length=8)]
Rate = Annotated[int, Field(ge=1, le=RATE_MAX)]


class CampaignIn(Given):
    """A draft may have gaps: its checks say what is missing before it can be sent."""

    name: Name = Field(examples=["Spring"])
    subject: Line = Field("", description="Left empty, the content's.")
    preheader: Line = Field("", description="Left empty, the content's.")
    from_name: Line = ""
    from_email: Email = Field("", description="An address of one of the sending domains.")
    reply_to: Email = Field("", description="Left empty, the From address.")
    address: Line = Field("", description="The postal address; left empty, the account's.")
    language: Language = "en"
    content_id: Id | None = None
    list_ids: Ids = Field([], description="Whose subscribers get it.")
    suppressed_list_ids: Ids = Field([], description="Whose subscribers do not, though they are on another.")
    secure_list_ids: Ids = Field([], description="Secure lists whose people do not get it.")
    brand_id: Id | None = Field(None, description="Whose do-not-mail is heeded, instead of the general one.")
    rate_per_minute: Rate | None = Field(None, description="Messages at most; null: as fast as they are taken.")


class CampaignChange(Given):
    """What is left out stays as it is."""

    name: Name = unless_said()
    subject: Line = unless_said()
    preheader: Line = unless_said()
    from_name: Line = unless_said()
    from_email: Email = unless_said()
    reply_to: Email = unless_said()
    address: Line = unless_said()
    language: Language = unless_said()
    content_id: Id | None = unless_said()
    list_ids: Ids = unless_said()
    suppressed_list_ids: Ids = unless_said()
    secure_list_ids: Ids = unless_said()
    brand_id: Id | None = unless_said()
    rate_per_minute: Rate | None = unless_said()


class CampaignOut(Schema):
    id: int
    name: str
    state: str = Field(description=f"One of {', '.join(CampaignState.values)}.")
    options: list[str] = Field(description="What can be done with it as it stands.")
    subject: str
    preheader: str
    from_name: str
    from_email: str
    reply_to: str
    address: str
    language: str
    content_id: int | None
    list_ids: list[int]
    suppressed_list_ids: list[int]
    secure_list_ids: list[int]
    brand_id: int | None
    rate_per_minute: int | None
    send_at: dt.datetime | None
    skipped: dict[str, int] = Field(description="People left out when the audience was counted out, by reason.")
    created_at: dt.datetime
    updated_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


@operation(router, "GET", "/campaigns", scope=READ, response=page_shape(CampaignOut), summary="List campaigns")
def campaigns(
    request: Request,
    paging: Query[Paging],
    state: list[CampaignState] = Query([], max_length=8, description="Only these; may be given several times."),  # noqa: B008
    name: str | None = Query(None, max_length=255, description="Any part of the name."),
) -> dict[str, Any]:
    found = Campaign.objects.filter(account_id=request.account_id)
    if state:
        found = found.filter(state__in=state)
    if name:
        found = found.filter(name__icontains=storable(name, "query.name"))
    return page_of(found, paging, show=_row)


@operation(router, "POST", "/campaigns", scope=WRITE, response={201: CampaignOut}, summary="Make a draft")
def create_campaign(request: Request, response: HttpResponse, body: CampaignIn) -> Status[dict[str, Any]]:
    account_id = request.account_id
    values = _settings(account_id, body.model_dump())
    return Status(201, shown(response, create_draft(account_id=account_id, values=values)))


@operation(router, "GET", "/campaigns/{campaign_id}", scope=READ, response=CampaignOut, summary="One campaign")
def campaign(request: Request, response: HttpResponse, campaign_id: int) -> dict[str, Any]:
    return shown(response, campaign_of(request, campaign_id))


@operation(
    router,
    "PATCH",
    "/campaigns/{campaign_id}",
    scope=WRITE,
    response={200: CampaignOut, **GUARDED},
    summary="Change a draft",
)
def change_campaign(
    request: Request, response: HttpResponse, campaign_id: int, body: CampaignChange, if_match: str | None = IF_MATCH
) -> dict[str, Any]:
    """409 for one that is no draft any more: make it one again (unschedule), or duplicate it."""
    found = locked(request, campaign_id, if_match)
    values = _settings(found.account_id, body.model_dump(exclude_unset=True), found)
    try:
        change_draft(found, values)
    except states.IllegalMove as error:
        raise conflict(str(error), possible=options(found)) from None
    return shown(response, found)


@operation(
    router,
    "DELETE",
    "/campaigns/{campaign_id}",
    scope=WRITE,
    response={204: None, **GUARDED},
    summary="Delete a campaign that was never sent",
)
def end_campaign(request: Request, campaign_id: int, if_match: str | None = IF_MATCH) -> HttpResponse:
    found = locked(request, campaign_id, if_match)
    try:
        actions.delete(account_id=found.account_id, campaign_id=found.pk)
    except states.IllegalMove as error:
        raise conflict(str(error), possible=options(found)) from None
    return HttpResponse(status=204)


@operation(
    router,
    "POST",
    "/campaigns/{campaign_id}/duplicate",
    scope=WRITE,
    response={201: CampaignOut},
    summary="A new draft with the same settings",
)
def duplicate_campaign(request: Request, response: HttpResponse, campaign_id: int) -> Status[dict[str, Any]]:
    old = campaign_of(request, campaign_id)
    return Status(201, shown(response, actions.duplicate(account_id=old.account_id, campaign_id=old.pk)))


def shown(response: HttpResponse, campaign: Campaign) -> dict[str, Any]:
    """A campaign as an answer, its version in the ETag."""
    show_version(response, version_of(campaign, SHOWN))
    return _row(campaign)


def campaign_of(request: Request, campaign_id: int) -> Campaign:
    """The campaign with its account, content and send. Raises Problem (404)."""
    mine = Campaign.objects.filter(account_id=request.account_id)
    mine = mine.select_related("account", "content", "send").defer("send__sources")
    return one_of(mine, campaign_id, "campaign")


def locked(request: Request, campaign_id: int, if_match: str | None) -> Campaign:
    """The campaign, locked, as the version that the caller has seen. Raises Problem (404, 412)."""
    try:
        found = states.locked(account_id=request.account_id, campaign_id=campaign_id if campaign_id < ID_MAX else 0)
    except Campaign.DoesNotExist:
        raise not_found("campaign") from None
    require_match(if_match, version_of(found, SHOWN))
    return found


def _row(campaign: Campaign) -> dict[str, Any]:
    values = {name: getattr(campaign, name) for name in SHOWN if name != "send_id"}
    return {**values, "id": campaign.pk, "options": options(campaign)}


def _settings(account_id: int, given: dict[str, Any], campaign: Campaign | None = None) -> dict[str, Any]:
    """The settings as they are kept. Raises Problem (422) that names each that cannot be."""
    values, faults = normalised(account_id=account_id, values=given)
    chosen, left_out = (set(values.get(name, getattr(campaign, name, ()))) for name in LISTS)
    found = [FieldFault(f"body.{each.name}", each.what, each.remedy) for each in faults]
    if chosen & left_out and not found and values.keys() & set(LISTS):
        found.append(FieldFault("body.suppressed_list_ids", BOTH, "take it from one of the two"))
    if found:
        raise unprocessable(*found)
    return values


def not_ready(error: actions.NotReady) -> Problem:
    """422 with everything that keeps a campaign from leaving."""
    errors = [each for each in error.found.findings if each.severity == "error"]
    faults = [FieldFault(f"campaign.{each.step}", each.what, each.remedy) for each in errors]
    return unprocessable(*faults, detail="This campaign cannot be sent yet.")
