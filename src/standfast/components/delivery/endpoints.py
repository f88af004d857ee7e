"""How the account's mail leaves, for programs: the domains it is sent from, and the route."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Field, Query, Router, Status

from standfast.components.delivery import domains as sending
from standfast.components.delivery import relay
from standfast.components.delivery.models import Route, SendingDomain, TlsMode
from standfast.components.delivery.probe import Probe, probe
from standfast.platform import sealing
from standfast.platform.rest.finding import Paging, one_of, page_of, page_shape
from standfast.platform.rest.operation import Given, Request, Schema, operation, unless_said
from standfast.platform.rest.problems import FieldFault, conflict, unprocessable
from standfast.platform.rest.values import Text

router = Router()
_READ, _WRITE = "account:read", "account:write"
_DOMAINS: dict[str, Any] = {"tags": ["Sending domains"]}
_ROUTE: dict[str, Any] = {"tags": ["Route"]}
_FIELDS = {"password": "send it again: it would go to another server or user", "retry_seconds_max": "send a longer one"}


class DomainIn(Given):
    domain: Annotated[Text, Field(min_length=1, max_length=255)] = Field(examples=["news.shop.example"])


class DomainRow(Schema):
    id: int
    domain: str
    is_trial: bool = Field(description="A .test domain: its mail can only stay in the inbox.")
    verified_at: dt.datetime | None = Field(description="When its DKIM key was last found in DNS; null: not found.")
    checked_at: dt.datetime | None
    created_at: dt.datetime


class Record(Schema):
    key: str = Field(description="dkim, dmarc or spf")
    type: str
    name: str
    value: str
    why: str
    found: str = Field(description="ok, what is wrong with it, or empty where it was not looked for yet.")
    remedy: str


class DomainOut(DomainRow):
    records: list[Record] = Field(description="What to publish where the domain's DNS is kept.")


class RouteChange(Given):
    """What is left out stays as it is. The password has to be sent again where it would go to another server or user."""

    to_inbox: bool = unless_said(description="Keep mail in this installation's inbox: nothing leaves.")
    host: Annotated[Text, Field(max_length=253)] = unless_said(examples=["smtp.provider.example"])
    port: int = unless_said(ge=1, le=65535)
    tls: TlsMode = unless_said()
    username: Annotated[Text, Field(max_length=255)] = unless_said(
        description="Empty: without signing in; the password is forgotten."
    )
    password: Annotated[Text, Field(max_length=512)] = unless_said(description="Kept sealed, never shown.")
    connections: int = unless_said(ge=1, le=relay.CONNECTIONS_MAX)
    retry_seconds: int = unless_said(
        ge=relay.FIRST_WAITS[0], le=relay.FIRST_WAITS[-1], description="First wait; doubles each time."
    )
    retry_seconds_max: int = unless_said(ge=relay.FIRST_WAITS[0], le=relay.LONGEST_WAITS[-1])
    life_seconds: int = unless_said(
        ge=relay.LIVES[0], le=relay.LIVES[-1], description="Given up after this long; then it counts as bounced."
    )


class RouteOut(Schema):
    to_inbox: bool
    host: str
    port: int
    tls: str
    username: str
    has_password: bool
    connections: int
    retry_seconds: int
    retry_seconds_max: int
    life_seconds: int
    updated_at: dt.datetime | None


class ProbeOut(Schema):
    ok: bool
    what: str
    remedy: str
    said: str = Field(description="The mail server's own words, or the network's.")


@operation(
    router,
    "GET",
    "/sending-domains",
    scope=_READ,
    response=page_shape(DomainRow),
    summary="List sending domains",
    **_DOMAINS,
)
def list_domains(request: Request, paging: Query[Paging]) -> dict[str, Any]:
    found = SendingDomain.objects.filter(account_id=request.account_id)
    return page_of(found, paging)


@operation(
    router,
    "POST",
    "/sending-domains",
    scope=_WRITE,
    response={201: DomainOut},
    summary="Add a domain; its DKIM key is made here",
    **_DOMAINS,
)
def add_domain(request: Request, body: DomainIn) -> Status[dict[str, Any]]:
    try:
        name = sending.domain_name(body.domain)
    except sending.DomainRefused as error:
        raise unprocessable(FieldFault("body.domain", str(error), "send one such as news.shop.example")) from None
    try:
        return Status(201, _domain_row(sending.add_domain(account_id=request.account_id, domain=name)))
    except sending.DomainRefused as error:
        raise conflict(str(error)) from None


@operation(
    router,
    "GET",
    "/sending-domains/{domain_id}",
    scope=_READ,
    response=DomainOut,
    summary="A domain with the records to publish",
    **_DOMAINS,
)
def domain(request: Request, domain_id: int) -> dict[str, Any]:
    return _domain_row(_domain(request, domain_id))


@operation(
    router,
    "POST",
    "/sending-domains/{domain_id}/check",
    scope=_WRITE,
    response=DomainOut,
    summary="Look its records up now",
    **_DOMAINS,
)
def check_domain(request: Request, domain_id: int) -> dict[str, Any]:
    """Takes up to some seconds. Mail is sent from it as soon as its DKIM record is found."""
    found = _domain(request, domain_id)
    sending.check_domain(found, bounce_domain=sending.bounce_domain())
    return _domain_row(found)


@operation(
    router,
    "DELETE",
    "/sending-domains/{domain_id}",
    scope=_WRITE,
    response={204: None},
    summary="Delete a domain with its key",
    **_DOMAINS,
)
def end_domain(request: Request, domain_id: int) -> HttpResponse:
    """409 while a campaign is being sent from it."""
    try:
        sending.delete_domain(_domain(request, domain_id))
    except sending.DomainInUse as error:
        raise conflict(str(error)) from None
    return HttpResponse(status=204)


@operation(router, "GET", "/route", scope=_READ, response=RouteOut, summary="Where the mail goes", **_ROUTE)
def route(request: Request) -> dict[str, Any]:
    return _route_row(relay.route_of(account_id=request.account_id))


@operation(router, "PATCH", "/route", scope=_WRITE, response=RouteOut, summary="Change where the mail goes", **_ROUTE)
def change_route(request: Request, body: RouteChange) -> dict[str, Any]:
    """Mail that has not left yet goes this way."""
    found, values = _with(request, body)
    for name in relay.WAYS:
        setattr(found, name, values[name])
    relay.keep_password(found, username=values["username"], password=values["password"])
    found.save()
    return _route_row(found)


@operation(
    router,
    "POST",
    "/route/probe",
    scope=_WRITE,
    response=ProbeOut,
    summary="Try the route, or what it would be after a change",
    **_ROUTE,
)
def probe_route(request: Request, body: RouteChange) -> dict[str, Any]:
    """Connects, encrypts, signs in and leaves; nothing is sent or saved. Takes up to 20 seconds."""
    found, values = _with(request, body)
    try:
        tried = asyncio.run(probe(relay.way_with(found, values)))
    except sealing.SealError as error:
        tried = Probe(False, "The saved password cannot be read.", "Send it again.", str(error))
    return {"ok": tried.ok, "what": tried.what, "remedy": tried.remedy, "said": tried.said}


def _with(request: Request, body: RouteChange) -> tuple[Route, dict[str, Any]]:
    """The stored route, and its settings as they would be. Raises Problem (422)."""
    found = relay.route_of(account_id=request.account_id)
    values = {name: getattr(found, name) for name in relay.WAYS} | {"password": ""}
    values |= body.model_dump(exclude_unset=True)
    try:
        values["host"] = relay.host_of(values["host"])
    except ValueError as error:
        raise unprocessable(FieldFault("body.host", str(error), "send one such as smtp.provider.example")) from None
    if not values["to_inbox"] and not values["host"]:
        raise unprocessable(FieldFault("body.host", "is missing", "send the mail server's, or `to_inbox` true"))
    faults = relay.faults_of(values, before=relay.where_of(found))
    if faults:
        raise unprocessable(*(FieldFault(f"body.{name}", text, _FIELDS[name]) for name, text in faults.items()))
    return found, values


def _route_row(route: Route) -> dict[str, Any]:
    values = {name: getattr(route, name) for name in relay.WAYS}
    return {**values, "has_password": bool(route.password_sealed), "updated_at": route.updated_at}


def _domain(request: Request, domain_id: int) -> SendingDomain:
    mine = SendingDomain.objects.filter(account_id=request.account_id)
    return one_of(mine, domain_id, "sending domain")


def _domain_row(domain: SendingDomain) -> dict[str, Any]:
    names = ("id", "domain", "is_trial", "verified_at", "checked_at", "created_at")
    return {**{name: getattr(domain, name) for name in names}, "records": sending.records_found(domain)}
