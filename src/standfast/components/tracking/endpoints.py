"""Reports of campaigns, for programs: figures, over time, links, recipients, exports. Only the exports read the event log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

from django.http import StreamingHttpResponse
from ninja import Field, Query, Router

from standfast.components.delivery.api import Send
from standfast.components.tracking import exports, recipients, reports
from standfast.components.tracking.exports import Report
from standfast.components.tracking.models import LinkCounter
from standfast.components.tracking.recipients import Show
from standfast.platform import tenancy
from standfast.platform.rest.finding import ID_MAX, Paging, cursor_of, id_after, page, page_shape
from standfast.platform.rest.operation import Request, Schema, operation, storable
from standfast.platform.rest.problems import Problem

router = Router(tags=["Reports"])
SCOPE = "reports:read"
NUMBER_MAX = 2**31 - 1
_ONE = "/campaigns/{campaign_id}/report"


class Form(StrEnum):
    CSV = "csv"
    JSON_LINES = "jsonl"


_TYPES = {Form.CSV: "text/csv; charset=utf-8", Form.JSON_LINES: "application/jsonl; charset=utf-8"}


class Did(Schema):
    opened: int = Field(description="Recipients who opened or clicked.")
    clicked: int = Field(description="Recipients who clicked.")
    opens: int
    clicks: int


class Count(Schema):
    name: str
    text: str
    count: int


class Bounced(Schema):
    total: int
    hard: int
    soft: int
    by_class: list[Count]


class ReportOut(Schema):
    """Where no unit is said, recipients. Every recipient is in one of delivered, bounced, uncertain, failed, skipped and open."""

    campaign_id: int
    name: str
    subject: str
    state: str = Field(description="Of its sending: ready, paused, cancelled or finished.")
    created_at: dt.datetime
    finished_at: dt.datetime | None
    recipients: int
    delivered: int
    bounced: Bounced
    uncertain: int = Field(description="Nobody knows whether the message arrived.")
    failed: int = Field(description="The message could not be made.")
    skipped: int = Field(description="Deleted or put on do-not-mail after the audience was counted out.")
    open: int = Field(description="Without an end so far.")
    deferrals: int = Field(description="Answers “try again later”.")
    people: Did
    machines: Did = Field(description="What security scanners and prefetching mail programs did.")
    unsubscribed: int
    complained: int


class ReportRow(Schema):
    """Figures of people alone."""

    campaign_id: int
    name: str
    subject: str
    state: str
    created_at: dt.datetime
    recipients: int
    delivered: int
    opened: int
    clicked: int
    bounced: int
    bounced_hard: int
    unsubscribed: int
    complained: int


class Hour(Schema):
    hour_at: dt.datetime = Field(description="When the hour begins, UTC.")
    delivered: int
    opens: int
    clicks: int
    machine_opens: int
    machine_clicks: int


class Link(Schema):
    link: int = Field(description="Its number in the content, from 1.")
    url: str
    clicks: int = Field(description="By people.")
    people: int = Field(description="Recipients who clicked it.")
    machine_clicks: int


class RecipientOut(Schema):
    number: int
    contact_id: int
    email: str
    status: str
    attempts: int
    code: int | None
    reply: str | None
    updated_at: dt.datetime | None
    next_attempt_at: dt.datetime | None
    opened_at: dt.datetime | None
    opens: int
    clicked_at: dt.datetime | None
    clicks: int
    machine_opened_at: dt.datetime | None
    machine_clicked_at: dt.datetime | None
    unsubscribed_at: dt.datetime | None
    complained_at: dt.datetime | None
    bounced_at: dt.datetime | None


class RecipientPage(Schema):
    data: list[RecipientOut]
    next: str | None = Field(
        None, description="Null at the end. A page may be short, even empty, and still lead on: ask until it is null."
    )


@operation(
    router,
    "GET",
    "/reports",
    scope=SCOPE,
    response=page_shape(ReportRow),
    summary="Campaigns that were sent, newest first",
)
def list_reports(request: Request, paging: Query[Paging]) -> dict[str, Any]:
    account_id = request.account_id
    before = id_after(paging.cursor) or ID_MAX
    sends = list(reports.sends(account_id=account_id).filter(pk__lt=before).order_by("-pk")[: paging.limit + 1])
    figures = reports.by_send(account_id=account_id, send_ids=[send.pk for send in sends])

    def row(send: Any) -> dict[str, Any]:
        return {
            "campaign_id": send.campaign_id, "name": send.title or "", "subject": send.subject or "", "state": send.state,
            "created_at": send.created_at, "recipients": send.total,
            **figures.get(send.pk, reports.SendFigures())._asdict(),
        }  # fmt: skip

    return page(sends, paging, lambda send: send.pk, row)


@operation(router, "GET", _ONE, scope=SCOPE, response=ReportOut, summary="Figures of a campaign")
def report(request: Request, campaign_id: int) -> dict[str, Any]:
    found = reports.summary(account_id=request.account_id, send_id=_send(request, campaign_id))
    assert found is not None
    classes = (
        (name, found.counters[f"bounce:{name}"]) for name in reports.BOUNCE_LABELS if f"bounce:{name}" in found.counters
    )
    return {
        "campaign_id": campaign_id, "name": found.title, "subject": found.subject, "state": found.state,
        "created_at": found.created_at, "finished_at": found.finished_at, "recipients": found.total,
        "delivered": found.delivered, "uncertain": found.uncertain, "failed": found.failed, "skipped": found.skipped,
        "open": found.open, "deferrals": found.deferrals, "unsubscribed": found.unsubscribed, "complained": found.complained,
        "bounced": {
            "total": found.bounced, "hard": found.bounced_hard, "soft": found.bounced_soft,
            "by_class": [
                {"name": name, "text": reports.BOUNCE_LABELS[name], "count": count} for name, count in classes if count > 0
            ],
        },
        "people": {"opened": found.opened, "clicked": found.clicked, "opens": found.opens, "clicks": found.clicks},
        "machines": {
            "opened": found.machine_opened, "clicked": found.machine_clicked, "opens": found.machine_opens,
            "clicks": found.machine_clicks,
        },
    }  # fmt: skip


@operation(
    router,
    "GET",
    f"{_ONE}/hours",
    scope=SCOPE,
    response=page_shape(Hour),
    summary="Over time: the hours in which something happened",
)
def over_time(request: Request, campaign_id: int, paging: Query[Paging]) -> dict[str, Any]:
    after = dt.datetime.fromtimestamp(id_after(paging.cursor, most=2**33), dt.UTC)
    send_id = _send(request, campaign_id)
    found = reports.hours(account_id=request.account_id, send_id=send_id, after=after, limit=paging.limit + 1)
    return page(found, paging, lambda hour: int(hour[0].timestamp()), lambda hour: {"hour_at": hour[0], **hour[1]})


@operation(router, "GET", f"{_ONE}/links", scope=SCOPE, response=page_shape(Link), summary="Clicks by link")
def list_links(request: Request, campaign_id: int, paging: Query[Paging]) -> dict[str, Any]:
    send_id, after = _send(request, campaign_id), min(id_after(paging.cursor), NUMBER_MAX)
    found = reports.links(account_id=request.account_id, send_id=send_id, after=after, limit=paging.limit + 1)
    return page(found, paging, lambda one: one.link, _link)


@operation(router, "GET", f"{_ONE}/recipients", scope=SCOPE, response=RecipientPage, summary="Recipients one by one")
def list_recipients(
    request: Request,
    campaign_id: int,
    *,
    status: Show = Query(Show.ALL, description="What became of the message, or what they did."),  # noqa: B008
    q: str = Query("", max_length=recipients.PART_CHARS_MAX, description="An address, or a part of one."),
    paging: Query[Paging],
) -> dict[str, Any]:
    found = recipients.page(
        account_id=request.account_id, send_id=_send(request, campaign_id), show=status, q=storable(q, "query.q"),
        after=min(id_after(paging.cursor), NUMBER_MAX) or None, limit=paging.limit,
    )  # fmt: skip
    return {
        "data": [_recipient(row) for row in found.rows],
        "next": cursor_of(found.after) if found.after is not None else None,
    }


_STREAM: dict[str, Any] = {
    "scope": SCOPE,
    "response": {200: None},
    "description": "A stream of rows, times in UTC; how many there will be is not known before.",
}
_FORMS = {"description": "OK", "content": {_TYPES[form].partition(";")[0]: {} for form in Form}}


@operation(
    router,
    "GET",
    f"{_ONE}/exports/recipients",
    summary="Every recipient, as CSV or JSON lines",
    openapi_extra={"responses": {200: _FORMS}},
    **_STREAM,
)
def export_recipients(request: Request, campaign_id: int, format: Form = Form.CSV) -> StreamingHttpResponse:
    account_id, send_id = request.account_id, _send(request, campaign_id)

    def rows() -> Iterator[list[Any]]:
        return map(exports.ledger_values, recipients.every(account_id=account_id, send_id=send_id))

    name = f"campaign-{campaign_id}-recipients"
    return _stream(account_id, format, name, exports.LEDGER_COLUMNS, rows)


@operation(
    router,
    "GET",
    f"{_ONE}/exports/{{report}}",
    summary="One of the nine reports row by row, as CSV or JSON lines",
    openapi_extra={"responses": {200: _FORMS}},
    **_STREAM,
)
def export_report(
    request: Request,
    campaign_id: int,
    *,
    report: Report,
    format: Form = Form.CSV,
    unique: bool = Query(False, description="Only the first opening or click of a recipient; of `link`, of each link."),
    machines: bool = Query(False, description="Machines' openings and clicks too."),
) -> StreamingHttpResponse:
    account_id, send_id = request.account_id, _send(request, campaign_id)

    def rows() -> Iterator[list[Any]]:
        return exports.rows(account_id=account_id, send_id=send_id, report=report, unique=unique, machines=machines)

    return _stream(account_id, format, f"campaign-{campaign_id}-{report}", exports.columns(report), rows)


def _stream(
    account_id: int, form: Form, name: str, columns: list[str], rows: Callable[[], Iterator[list[Any]]]
) -> StreamingHttpResponse:
    """The call's transaction has ended when its answer is sent: the rows are read in one of their own."""
    written = exports.csv_of if form is Form.CSV else exports.json_lines_of

    def pieces() -> Iterator[str]:
        with tenancy.account_scope(account_id):
            yield from written(columns, rows())

    response = StreamingHttpResponse(pieces(), content_type=_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


def _send(request: Request, campaign_id: int) -> int:
    """What the campaign was sent as. Raises Problem (404)."""
    mine = Send.objects.filter(account_id=request.account_id, campaign_id=campaign_id)
    found = mine.order_by("pk").values_list("pk", flat=True).first() if 0 < campaign_id < ID_MAX else None
    if found is None:
        detail = "This account has no such campaign, or it was not sent yet. Its progress says how far it is."
        raise Problem(404, "Not found", detail=detail)
    return int(found)


def _link(one: LinkCounter) -> dict[str, Any]:
    return {
        "link": one.link, "url": one.url, "clicks": one.clicks, "people": one.contacts,
        "machine_clicks": one.machine_clicks,
    }  # fmt: skip


def _recipient(row: recipients.Row) -> dict[str, Any]:
    values = row._asdict()
    values["number"], values["status"] = values.pop("seq"), row.state
    return {**values, "opens": row.opens or 0, "clicks": row.clicks or 0}
