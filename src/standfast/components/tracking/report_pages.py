"""The nine reports of a campaign by page, in the reference product's names (marketing-cloud.md section 2.6)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import Sum

from standfast.components.delivery.api import Send
from standfast.components.tracking.exports import RESPONSES, Report, columns
from standfast.components.tracking.models import LinkCounter, SendCounter
from standfast.components.tracking.queries import QUERIES
from standfast.components.tracking.recipients import streamed

_R = Report
_BOUNCES = {_R.BOUNCE: None, _R.SOFT_BOUNCE: False, _R.HARD_BOUNCE: True}
_TOTALS = {
    _R.OPEN: "opens",
    _R.CLICK: "clicks",
    _R.LINK: "clicks",
    _R.BOUNCE: "bounced",
    _R.SOFT_BOUNCE: "bounced_soft",
    _R.HARD_BOUNCE: "bounced_hard",
    _R.UNSUBSCRIBE: "unsubscribed",
    _R.COMPLAINT: "complained",
}


def report_total(*, account_id: int, send_id: int, report: Report, unique: bool = False) -> int:
    """How many rows a report has, from the roll-ups. In the account's scope."""
    mine = {"account_id": account_id, "send_id": send_id}
    if unique and report is _R.LINK:
        links = LinkCounter.objects.filter(**mine, link__gt=0)
        return int(links.aggregate(total=Sum("contacts"))["total"] or 0)
    counters = dict(SendCounter.objects.filter(**mine).values_list("name", "value"))
    if report is _R.DELIVERED:
        return max(counters.get("delivered", 0) - counters.get("bounced_later", 0), 0)
    name = _TOTALS[report] + ("_unique" if unique and report in (_R.OPEN, _R.CLICK) else "")
    return max(counters.get(name, 0), 0)


def report_page(
    *, account_id: int, send: Send, report: Report, unique: bool = False, skip: int = 0, take: int | None = None
) -> Iterator[dict[str, Any]]:
    """A report's rows after the first `skip`, at most `take`, people's alone, through a cursor of the server.

    In the account's scope.
    """
    mine: dict[str, Any] = {
        "account_id": account_id, "send_id": send.pk, "skip": skip, "take": take if take is not None else 2**31 - 1,
        "since": send.created_at - dt.timedelta(hours=1),  # clocks of two machines differ a little
    }  # fmt: skip
    for email, contact_id, at, data, uid in streamed(*_question(report, unique, mine)):
        data = json.loads(data or "{}")  # Django's connections leave JSON as text
        row = {"email": email, "account_id": account_id, "campaign_id": send.campaign_id, "contact_id": contact_id}
        if report in RESPONSES:
            row |= {"uid": uid, "browser": data.get("ua"), "ip_address": data.get("ip"), "recorded_at": at}
            yield row if report is _R.OPEN else row | {"url": data.get("url")}
        elif report is _R.DELIVERED:
            yield row | {"created_at": send.created_at, "updated_at": at}
        elif report in _BOUNCES:
            kind = "hard" if data.get("hard") is True else "soft"
            row |= {"uid": uid, "recorded_on": at, "type": kind, "class": data.get("class"), "code": data.get("code")}
            yield row | {"reason": data.get("text")}
        else:
            yield row | {"uid": uid, "recorded_on": at}


def report_columns(report: Report) -> list[str]:
    """The names of a row, for CSV."""
    names = columns(report)
    return names if report in RESPONSES or report is _R.DELIVERED else [names[0], "uid", *names[1:]]


def _question(report: Report, unique: bool, mine: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if report is _R.DELIVERED:
        return _paged(QUERIES.export_delivered.sql), mine
    if report in (_R.UNSUBSCRIBE, _R.COMPLAINT):
        did = "unsubscribed" if report is _R.UNSUBSCRIBE else "complained"
        return _paged(QUERIES.export_responses.sql), mine | {"did": did}
    if report in _BOUNCES:
        return QUERIES.page_bounces.sql, mine | {"hard": _BOUNCES[report]}
    if unique and report is _R.LINK:
        return QUERIES.page_first_links.sql, mine
    mine["kind"] = "opened" if report is _R.OPEN else "clicked"
    return (QUERIES.page_first if unique else QUERIES.page_events).sql, mine


def _paged(query: str) -> str:
    return f"{query.rstrip().rstrip(';')} OFFSET %(skip)s LIMIT %(take)s"
