"""The first page of an account: what runs, what needs somebody, how the last campaigns went; for a new account what to do first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from standfast.components.accounts.api import Account, Role, account_page, may
from standfast.components.audience.api import Contact, Import, how_many
from standfast.components.campaigns.api import Campaign, CampaignState, Hold, progress_of
from standfast.components.content.api import Content
from standfast.components.delivery import api as delivery
from standfast.components.tracking.api import SendCounter, SendFigures, by_send

S = CampaignState
RUNNING = (S.FREEZING, S.SENDING, S.PAUSED)
RUNNING_MAX = 5
RECENT_MAX = 5
GROWTH_DAYS = 30


@dataclass(frozen=True)
class Attention:
    """Something that waits for a person."""

    kind: str  # red or amber
    title: str
    text: str
    url: str
    label: str


@dataclass(frozen=True)
class Todo:
    """A first step."""

    done: bool
    title: str
    about: str
    url: str
    label: str


@account_page
@require_GET
def dashboard(request: HttpRequest, account_id: int) -> HttpResponse:
    account: Account = request.account  # type: ignore[attr-defined]
    recent = _recent(account_id)
    todos = [] if recent else _first_steps(account)
    context = {
        "running": _running(account_id), "scheduled": _scheduled(account_id), "recent": recent, "todos": todos,
        "attention": _attention(account, new=bool(todos)), "may_write": may(request, Role.MEMBER),
        "next_step": _next(todos),
    }  # fmt: skip
    return render(request, "dashboard/page.html", context)


@account_page
@require_GET
def running(request: HttpRequest, account_id: int) -> HttpResponse:
    """The running campaigns again, for the page that shows them; the page comes anew when one has begun or ended."""
    found = _running(account_id)
    shown = request.GET.get("shown", "")
    if shown != _which(found):
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "dashboard/_running.html", {"running": found})


@account_page
@require_GET
def first_steps(request: HttpRequest, account_id: int) -> HttpResponse:
    """The first steps again, so that ticks appear by themselves."""
    if Campaign.objects.filter(account_id=account_id, state=S.SENT).exists():
        return HttpResponse(headers={"HX-Refresh": "true"})
    todos = _first_steps(request.account)  # type: ignore[attr-defined]
    context = {"todos": todos, "next_step": _next(todos), "may_write": may(request, Role.MEMBER)}
    return render(request, "dashboard/_first_steps.html", context)


@account_page
@require_GET
def growth(request: HttpRequest, account_id: int) -> HttpResponse:
    """People by day; asked for after the page, as it reads a month of contacts (index audience_contact_came)."""
    zone = timezone.get_current_timezone()
    since = timezone.localdate() - dt.timedelta(days=GROWTH_DAYS - 1)
    rows = dict(
        Contact.objects.filter(account_id=account_id, created_at__gte=dt.datetime.combine(since, dt.time(), zone))
        .annotate(day=TruncDate("created_at", tzinfo=zone)).values_list("day").annotate(n=Count("*")).order_by()
    )  # fmt: skip
    days = [since + dt.timedelta(days=n) for n in range(GROWTH_DAYS)]
    chart = {
        "labels": [f"{day:%-d %b}" for day in days],
        "series": [{"name": "New people", "values": [rows.get(day, 0) for day in days]}],
    }
    total, about = how_many(account_id=account_id)
    context = {"total": total, "about": about, "new": sum(rows.values()), "chart": chart}
    return render(request, "dashboard/_growth.html", context)


def _campaigns(account_id: int) -> Any:
    found = Campaign.objects.filter(account_id=account_id).select_related("send", "content")
    return found.defer("send__sources", "content__source", "content__text_source")


def _running(account_id: int) -> list[tuple[Campaign, Any]]:
    found = _campaigns(account_id).filter(state__in=RUNNING).order_by("-started_at")[:RUNNING_MAX]
    return [(campaign, progress_of(campaign)) for campaign in found]


def _which(running: list[tuple[Campaign, Any]]) -> str:
    return ".".join(f"{campaign.pk}-{campaign.state}" for campaign, _ in running)


def _scheduled(account_id: int) -> list[Campaign]:
    return list(_campaigns(account_id).filter(state=S.SCHEDULED).order_by("send_at")[:RECENT_MAX])


def _recent(account_id: int) -> list[tuple[Campaign, Any]]:
    found = list(_campaigns(account_id).filter(state=S.SENT).order_by("-finished_at")[:RECENT_MAX])
    results = by_send(account_id=account_id, send_ids=[campaign.send_id for campaign in found])
    return [(campaign, results.get(campaign.send_id, SendFigures())) for campaign in found]


def _attention(account: Account, *, new: bool) -> list[Attention]:
    """`new`: the first steps are shown, and say what the account still lacks."""
    lacks = [] if new else [*_domains(account.pk), *_address(account)]
    return [*_held(account.pk), *_uncertain(account.pk), *lacks, *_imports(account.pk)]


def _held(account_id: int) -> list[Attention]:
    holds = Hold.objects.filter(account_id=account_id, released_at=None, campaign__state=S.HELD)
    return [
        Attention("red", f"“{_short(hold.campaign.name)}” is held.", hold.detail[:300],
                  _url("campaigns:show", account_id, hold.campaign_id), "Look at it")
        for hold in holds.select_related("campaign").order_by("-pk")[:3]
    ]  # fmt: skip


def _uncertain(account_id: int) -> list[Attention]:
    month_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    sent = Campaign.objects.filter(account_id=account_id, state=S.SENT, finished_at__gte=month_ago, send__isnull=False)
    by_send = {
        send_id: (pk, name) for pk, name, send_id in sent.values_list("pk", "name", "send_id").order_by("-pk")[:50]
    }
    counts = SendCounter.objects.filter(account_id=account_id, send_id__in=by_send, name="uncertain", value__gt=0)
    found = []
    for send_id, value in counts.values_list("send_id", "value")[:3]:
        pk, name = by_send[send_id]
        title = f"{value:,} ".replace(",", "\u00a0") + ("message" if value == 1 else "messages")
        title += f" of “{_short(name)}” {'is' if value == 1 else 'are'} uncertain."
        found.append(Attention("amber", title, "Whether it arrived cannot be known. You decide whether to send again.",
                               _url("campaigns:show", account_id, pk), "Look at it"))  # fmt: skip
    return found


def _domains(account_id: int) -> list[Attention]:
    url = _url("delivery:domains", account_id)
    domains = list(delivery.SendingDomain.objects.filter(account_id=account_id).only("domain", "verified_at"))
    route = delivery.Route.objects.filter(account_id=account_id).only("to_inbox").first()
    if not domains:
        return [
            Attention(
                "amber",
                "There is no sending domain yet.",
                "Mail is signed for the domain it comes from.",
                url,
                "Add one",
            )
        ]
    unseen = [each.domain for each in domains if not each.verified_at]
    if unseen and route is not None and not route.to_inbox:
        text = "Gmail, Yahoo and Microsoft refuse bulk mail without them."
        return [Attention("amber", f"The DNS records of {unseen[0]} have not been seen.", text, url, "See the records")]
    return []


def _imports(account_id: int) -> list[Attention]:
    week_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=7)
    failed = Import.objects.filter(account_id=account_id, state="failed", created_at__gte=week_ago).order_by("-pk")
    return [
        Attention("red", f"The import of {_short(one.file_name)} failed.", one.problem[:300],
                  _url("audience:import", account_id, one.pk), "Look at it")
        for one in failed.only("file_name", "problem")[:2]
    ]  # fmt: skip


def _address(account: Account) -> list[Attention]:
    if account.address.strip():
        return []
    text = "Every marketing e-mail must show one; campaigns without it do not leave."
    return [
        Attention(
            "amber", "The account has no postal address.", text, _url("accounts:settings", account.pk), "Enter it"
        )
    ]


def _first_steps(account: Account) -> list[Todo]:
    account_id = account.pk
    people = Contact.objects.filter(account_id=account_id).exists()
    written = Content.objects.filter(account_id=account_id).exists()
    left = (
        Campaign.objects.filter(account_id=account_id).exclude(state__in=(S.DRAFT, S.SCHEDULED, S.CANCELLED)).exists()
    )
    domain = delivery.SendingDomain.objects.filter(account_id=account_id).exists()
    who = "delivery:domains" if not domain else "accounts:settings"
    return [
        Todo(people, "Bring your people", "A CSV file of any size. You see what would happen before anything is saved.",
             _url("audience:imports", account_id), "Import people"),
        Todo(written, "Write an e-mail", "Begin with one of four letters and see it as your readers will.",
             _url("content:new", account_id), "Write one"),
        Todo(domain and bool(account.address.strip()), "Say who it comes from",
             "The domain your mail is signed for, and the postal address that the law asks for.", _url(who, account_id),
             "Enter the address" if domain else "Add a domain"),
        Todo(left, "Send it", "It lands in the bundled inbox first, where nothing leaves this installation.",
             _url("campaigns:new", account_id), "New campaign"),
    ]  # fmt: skip


def _next(todos: list[Todo]) -> Todo | None:
    return next((todo for todo in todos if not todo.done), None)


def _short(name: str) -> str:
    return name if len(name) <= 80 else name[:79] + "…"


def _url(name: str, *args: int) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
