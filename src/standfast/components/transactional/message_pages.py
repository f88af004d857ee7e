"""Pages of a transactional campaign's messages: all of them, newest first, and the course of one."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from standfast.components.accounts.api import Role, account_page, may
from standfast.components.audience.api import TimelineItem, message_timeline
from standfast.components.delivery.api import Recipient, RecipientStatus, Submitted, submitted, submitted_at
from standfast.components.tracking.api import LABELS, RecipientPage, SendFigures, Show, by_send, newest_recipients
from standfast.components.transactional.pages import campaign_or_404, total_of

NUMBER_MAX = 2**31 - 1
CLOCKS_APART = dt.timedelta(hours=1)  # of machines whose clocks differ a little
CHOICES = [(Show.ALL, "All messages"), *((show, label) for show, label in LABELS.items() if show is not Show.ALL)]
_S = RecipientStatus


@account_page
@require_GET
def list_messages(request: HttpRequest, account_id: int, transactional_id: int) -> HttpResponse:
    """A campaign's figures, and its messages by status and address."""
    campaign = campaign_or_404(account_id, transactional_id)
    total = total_of(campaign)
    show, q = _chosen(request)
    page = newest_recipients(
        account_id=account_id, send_id=campaign.send_id, total=total, show=show, q=q, after=_number(request, "after"),
        before=_number(request, "before"),
    )  # fmt: skip
    taken = submitted_at(account_id=account_id, send_id=campaign.send_id, seqs=[row.seq for row in page.rows])
    figures = by_send(account_id=account_id, send_ids=[campaign.send_id]).get(campaign.send_id, SendFigures())
    context = {
        "campaign": campaign, "total": total, "figures": figures, "waiting": figures.waiting(total), "q": q, "show": show,
        "choices": CHOICES, "lines": [(row, taken.get(row.seq)) for row in page.rows], "now": timezone.now(),
        "note": _searched(page),
        "newer": _query(show, q, after=page.after), "older": _query(show, q, before=page.before),
        "may_write": may(request, Role.MEMBER),
    }  # fmt: skip
    return render(request, "transactional/show.html", context)


@account_page
@require_GET
def show(request: HttpRequest, account_id: int, transactional_id: int, number: int) -> HttpResponse:
    """One message: what was handed in, and its course since."""
    campaign = campaign_or_404(account_id, transactional_id)
    mine = {"account_id": account_id, "send_id": campaign.send_id, "seq": number}
    row = Recipient.objects.filter(**mine).first() if number <= NUMBER_MAX else None
    if row is None:
        raise Http404("This campaign has no such message.")
    given = submitted(**mine)
    since = (given.at if given else campaign.created_at) - CLOCKS_APART
    course = message_timeline(**mine, contact_id=row.contact_id, since=since)
    not_tried = row.status == _S.DEFERRED and not row.attempts
    is_scheduled = not_tried and _is_later(row.next_attempt_at)
    context: dict[str, Any] = {
        "campaign": campaign, "row": row, "given": given, "values": _readable(given), "course": _course(row, given, course),
        "is_scheduled": is_scheduled, "is_deferred": row.status == _S.DEFERRED,
        "state": "scheduled" if is_scheduled else "waiting" if not_tried else _S(row.status).name.lower(),
        "state_label": "" if not_tried else _S(row.status).label,
    }  # fmt: skip
    return render(request, "transactional/message.html", context)


def _is_later(at: dt.datetime | None) -> bool:
    """Whether a message that nobody has tried yet waits for its time, and not for a worker."""
    return at is not None and at > timezone.now()


def _course(row: Recipient, given: Submitted | None, told: list[TimelineItem]) -> list[dict[str, Any]]:
    """As the timeline shows it, from the beginning: accepted, each attempt's outcome, what the person did."""
    items: list[dict[str, Any]] = []
    if given is not None:
        way = "A finished message" if given.size is not None else "From content and tags"
        items.append({"icon": "file-check", "colour": "accent", "title": "Accepted", "at": given.at, "detail": way})
    items += [item._asdict() for item in told]
    if row.status in (_S.PENDING, _S.DEFERRED) and row.next_attempt_at is not None:
        later = _is_later(row.next_attempt_at)
        title = "Next attempt" if row.attempts else "Leaves" if later else "Due"
        items.append({"icon": "clock", "colour": "grey", "title": title, "at": row.next_attempt_at})
    return items


def _readable(given: Submitted | None) -> str:
    """The tags that the message is rendered with, or what a finished message came with."""
    values = dict(given.values) if given else {}
    shown = values.get("tag", {}) if given and given.size is None else values
    return json.dumps(shown, ensure_ascii=False, indent=2) if shown else ""


def _chosen(request: HttpRequest) -> tuple[Show, str]:
    name = request.GET.get("show", "")
    return Show(name) if name in set(Show) else Show.ALL, request.GET.get("q", "").replace("\0", "").strip()


def _query(show: Show, q: str, **cursor: int | None) -> str:
    given = {name: str(value) for name, value in cursor.items() if value is not None}
    kept = {name: value for name, value in (("show", "" if show is Show.ALL else str(show)), ("q", q)) if value}
    return "?" + urlencode(kept | given) if given else ""


def _searched(page: RecipientPage) -> str:
    """Which part of very many was looked through."""
    if page.searched is None:
        return ""
    first, last = (f"{number:,}".replace(",", "\u00a0") for number in page.searched)
    return f"Searched: messages {first} to {last}"


def _number(request: HttpRequest, name: str) -> int | None:
    """A number of the query; None for what is none or too large for the database."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= NUMBER_MAX else None
