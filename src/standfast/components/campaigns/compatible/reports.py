"""Reports of campaigns in the reference product's interface, by page and streamed (marketing-cloud.md sections 2.6 and 2.9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from standfast.components.campaigns.compatible.campaigns import campaign_of, row, rows
from standfast.components.campaigns.models import Campaign
from standfast.components.delivery.api import Send
from standfast.components.tracking.api import Report, by_send, report_columns, report_page, report_total
from standfast.platform.rest.answers import Answer, paged
from standfast.platform.rest.call import Call, CallError
from standfast.platform.rest.finding import span
from standfast.platform.rest.routes import Handler, route
from standfast.platform.rest.streaming import streamed_answer

STREAMED_AT_ONCE = 500
COLUMNS = (
    "id", "account_id", "name", "subject", "preheader", "from_name", "from_email", "reply_to", "address",
    "language", "content_id", "list_ids", "suppressed_list_ids", "suppressed_secure_list_ids", "brand_id",
    "status", "send_at", "created_at", "updated_at", "sent_at", "sent", "delivered", "opened", "clicked",
    "bounced", "hard_bounced", "soft_bounced", "unsubscribed", "complained",
)  # fmt: skip


def _report(report: Report) -> Handler:
    def by_page(call: Call) -> Answer:
        send, unique = _send_of(call), call.flag("unique")
        page, per = call.page()
        if send is None:
            return Answer([], root="records")
        mine: dict[str, Any] = {"account_id": call.account_id, "report": report, "unique": unique}
        found = list(report_page(send=send, skip=(page - 1) * per, take=per, **mine))
        return paged(found, total=report_total(send_id=send.pk, **mine), per=per, root="records")

    return by_page


def _stream(report: Report) -> Handler:
    def streamed(call: Call) -> Answer:
        send, unique = _send_of(call), call.flag("unique")
        skip, take = span(call)

        def found() -> Iterator[dict[str, Any]]:
            if send is not None:
                yield from report_page(
                    account_id=call.account_id, send=send, report=report, unique=unique, skip=skip, take=take
                )

        return streamed_answer(
            account_id=call.account_id, form=call.path["format"], columns=report_columns(report), rows=found
        )

    return streamed


def _send_of(call: Call) -> Send | None:
    """What the campaign was sent as; None before. Raises CallError (404)."""
    campaign = campaign_of(call)
    return Send.objects.filter(account_id=call.account_id, pk=campaign.send_id or 0).defer("sources").first()


for _each in Report:
    for _name in (f"{_each}_report", *(("opened_report",) if _each is Report.OPEN else ())):
        _path = f"campaigns/<campaign_id:int>/{_name}"
        route("GET", _path, scope="reports:read", section="2.6")(_report(_each))
        route("GET", _path, scope="reports:read", section="2.9", host="stream")(_stream(_each))


@route("GET", "reports", scope="reports:read", section="2.9")
def reports(call: Call) -> Answer:
    """One row a campaign that was sent, newest first."""
    page, per = call.page()
    found = Campaign.objects.filter(account_id=call.account_id, send__isnull=False).order_by("-pk")
    total = found.count()
    return paged(rows(list(found[(page - 1) * per : page * per])), total=total, per=per, root="reports")


@route("GET", "reports/<campaign_id:int>", scope="reports:read", section="2.9")
def report(call: Call) -> Answer:
    """The row of a campaign, by the campaign's id."""
    campaign = campaign_of(call)
    if campaign.send_id is None:
        raise CallError(404, {"error": "This campaign was not sent; there is no report on it."})
    return Answer(rows([campaign])[0], root="report")


@route("GET", "campaigns", scope="campaigns:read", section="2.9", host="stream")
def campaigns(call: Call) -> Answer:
    """Every campaign, newest first."""
    return _campaigns(call, sent=False)


@route("GET", "reports", scope="reports:read", section="2.9", host="stream")
def sent_campaigns(call: Call) -> Answer:
    """Every campaign that was sent."""
    return _campaigns(call, sent=True)


def _campaigns(call: Call, *, sent: bool) -> Answer:
    skip, take = span(call)

    def found() -> Iterator[dict[str, Any]]:
        mine = Campaign.objects.filter(account_id=call.account_id).order_by("-pk")
        mine = mine.filter(send__isnull=False) if sent else mine
        mine = mine[skip : None if take is None else skip + take]
        waiting: list[Campaign] = []
        for campaign in mine.iterator(chunk_size=STREAMED_AT_ONCE):
            waiting.append(campaign)
            if len(waiting) >= STREAMED_AT_ONCE:
                yield from _with_figures(call.account_id, waiting)
                waiting = []
        yield from _with_figures(call.account_id, waiting)

    return streamed_answer(account_id=call.account_id, form=call.path["format"], columns=COLUMNS, rows=found)


def _with_figures(account_id: int, found: list[Campaign]) -> Iterator[dict[str, Any]]:
    figures = by_send(account_id=account_id, send_ids=[each.send_id for each in found])
    for each in found:
        yield row(each, figures.get(each.send_id or 0))
