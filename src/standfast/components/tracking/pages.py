"""The pages of reports: all sends side by side, one in full, its recipients one by one, and everything as CSV."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from standfast.components.accounts.api import Role, account_page, may, stream
from standfast.components.delivery import api as delivery
from standfast.components.tracking import recipients, reports
from standfast.components.tracking.exports import LEDGER_COLUMNS, Report, columns, csv_of, ledger_values, rows
from standfast.components.tracking.recipients import LABELS, Show

PAGE = 25
PARTS = {"figures": "tracking/_figures.html", "detail": "tracking/_detail.html"}
NUMBER_MAX = 2**31 - 1


@account_page
@require_GET
def list_reports(request: HttpRequest, account_id: int) -> HttpResponse:
    """Campaigns' sends, the newest first, with their figures."""
    before, after = _number(request, "before"), _number(request, "after")
    found = reports.sends(account_id=account_id)
    if after is not None:
        page = list(reversed(found.filter(pk__gt=after).order_by("pk")[: PAGE + 1]))
        more, page = len(page) > PAGE, page[-PAGE:]
        newer, older = more, True
    else:
        page = list((found.filter(pk__lt=before) if before is not None else found).order_by("-pk")[: PAGE + 1])
        newer, older, page = before is not None, len(page) > PAGE, page[:PAGE]
    figures = reports.by_send(account_id=account_id, send_ids=[send.pk for send in page])
    lines = [(send, figures.get(send.pk, reports.SendFigures())) for send in page]
    newer_query = f"?after={page[0].pk}" if page and newer else ""
    older_query = f"?before={page[-1].pk}" if page and older else ""
    return render(request, "tracking/list.html", {"lines": lines, "newer": newer_query, "older": older_query})


@account_page
@require_GET
def show(request: HttpRequest, account_id: int, send_id: int) -> HttpResponse:
    """One send's report. `?machines=1` adds what machines did."""
    summary = _summary(request, account_id, send_id)
    context = {"summary": summary, "may_resend": may(request, Role.ADMIN), "exports": _exports(summary)}
    return render(request, "tracking/report.html", context)


@account_page
@require_GET
def summary_part(request: HttpRequest, account_id: int, send_id: int) -> HttpResponse:
    """The whole summary, or one part of it: what a live page asks for every few seconds."""
    template = PARTS.get(request.GET.get("part", ""), "tracking/_summary.html")
    return render(request, template, {"summary": _summary(request, account_id, send_id)})


def _summary(request: HttpRequest, account_id: int, send_id: int) -> reports.Summary:
    found = reports.summary(account_id=account_id, send_id=send_id, machines=request.GET.get("machines") == "1")
    if found is None:
        raise Http404("This account has no such send.")
    return found


def _exports(summary: reports.Summary) -> list[tuple[str, str, str]]:
    """(report, what it says, how many rows are to be expected) for the menu."""
    labels = {
        Report.DELIVERED: "Delivered", Report.OPEN: "Openings", Report.CLICK: "Clicks", Report.LINK: "Clicks by link",
        Report.BOUNCE: "Bounces", Report.HARD_BOUNCE: "Hard bounces", Report.SOFT_BOUNCE: "Soft bounces",
        Report.UNSUBSCRIBE: "Unsubscribes", Report.COMPLAINT: "Spam complaints",
    }  # fmt: skip
    more = "?machines=1" if summary.machines else ""
    return [(str(report), label, more) for report, label in labels.items()]


@account_page
@require_GET
def recipients_page(request: HttpRequest, account_id: int, send_id: int) -> HttpResponse:
    """Recipients one by one, filtered and searched; pages by the recipient's number."""
    summary = _summary(request, account_id, send_id)
    chosen, q = _chosen(request)
    found = recipients.page(
        account_id=account_id, send_id=send_id, show=chosen, q=q, after=_number(request, "after"),
        before=_number(request, "before"),
    )  # fmt: skip
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    kept = query.urlencode()
    context: dict[str, Any] = {
        "summary": summary, "page": found, "q": q, "chosen": chosen, "choices": list(LABELS.items()), "kept": kept,
        "newer": f"?{kept}&before={found.before}" if found.before is not None else "",
        "older": f"?{kept}&after={found.after}" if found.after is not None else "",
        "may_resend": may(request, Role.ADMIN), "note": _searched(found),
        "none_text": "Nobody among those looked through. “Next” goes on." if found.after else "No recipient fits this choice.",
    }  # fmt: skip
    return render(request, "tracking/recipients.html", context)


def _searched(found: recipients.Page) -> str:
    """Which part of very many was looked through."""
    if found.searched is None:
        return ""
    first, last = (f"{number:,}".replace(",", "\u00a0") for number in found.searched)
    return f"Searched: recipients {first} to {last}"


@account_page
@require_GET
def recipients_csv(request: HttpRequest, account_id: int, send_id: int) -> HttpResponseBase:
    """The same as CSV, all of them."""
    _exists(account_id, send_id)
    chosen, q = _chosen(request)

    def lines() -> Any:
        found = recipients.every(account_id=account_id, send_id=send_id, show=chosen, q=q)
        return csv_of(LEDGER_COLUMNS, map(ledger_values, found))

    return _download(stream(request, lines, content_type="text/csv; charset=utf-8"), f"send-{send_id}-recipients")


@account_page
@require_GET
def export(request: HttpRequest, account_id: int, send_id: int, report: str) -> HttpResponseBase:
    """One of the nine reports as CSV. `?unique=true` keeps first openings and clicks, `?machines=1` adds machines' ones."""
    try:
        wanted = Report(report)
    except ValueError:
        raise Http404(f"There is no report “{report}”.") from None
    _exists(account_id, send_id)
    unique, machines = request.GET.get("unique") in {"1", "true"}, request.GET.get("machines") == "1"

    def lines() -> Any:
        found = rows(account_id=account_id, send_id=send_id, report=wanted, unique=unique, machines=machines)
        return csv_of(columns(wanted), found)

    return _download(stream(request, lines, content_type="text/csv; charset=utf-8"), f"send-{send_id}-{wanted}")


@account_page(post=Role.ADMIN)
@require_POST
def resend_uncertain(request: HttpRequest, account_id: int, send_id: int) -> HttpResponse:
    """Send the messages again of which nobody knows whether they arrived: an administrator's decision."""
    _exists(account_id, send_id)
    count = delivery.resend_uncertain(account_id=account_id, send_id=send_id)
    if count:
        messages.success(request, f"{count} uncertain message{'s are' if count > 1 else ' is'} sent again.")
    else:
        messages.warning(request, "Nothing is uncertain any more: nothing was sent.")
    return redirect("reports:show", account_id, send_id)


def _exists(account_id: int, send_id: int) -> None:
    if not delivery.Send.objects.filter(account_id=account_id, pk=send_id).exists():
        raise Http404("This account has no such send.")


def _chosen(request: HttpRequest) -> tuple[Show, str]:
    name = request.GET.get("show", "")
    return Show(name) if name in set(Show) else Show.ALL, request.GET.get("q", "").replace("\0", "").strip()


def _number(request: HttpRequest, name: str) -> int | None:
    """A number of the query; None for what is none or too large for the database."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= NUMBER_MAX else None


def _download(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
