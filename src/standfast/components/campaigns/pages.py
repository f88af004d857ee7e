"""Pages of campaigns: all of them, a new one, one with its progress or report, and what can be done with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from standfast.components.accounts.api import Account, Role, account_page, may
from standfast.components.audience.api import List, SecureList, brands_of
from standfast.components.campaigns import actions, states
from standfast.components.campaigns.drafts import create_draft
from standfast.components.campaigns.forms import DetailsForm
from standfast.components.campaigns.history import moves
from standfast.components.campaigns.models import Campaign, CampaignState, Hold
from standfast.components.campaigns.options import may_delete
from standfast.components.campaigns.progress import progress_of
from standfast.components.campaigns.reasons import skipped_lines
from standfast.components.campaigns.steps import STEPS, zone_of
from standfast.components.delivery import api as delivery
from standfast.components.tracking import api as tracking

S = CampaignState
PAGE = 50
TWICE_SECONDS = 4
TABS = (
    ("", "All", None),
    ("draft", "Drafts", (S.DRAFT,)),
    ("live", "Under way", (S.SCHEDULED, S.FREEZING, S.SENDING, S.PAUSED, S.HELD)),
    ("sent", "Sent", (S.SENT,)),
    ("cancelled", "Cancelled", (S.CANCELLED,)),
)


@account_page
@require_GET
def list_campaigns(request: HttpRequest, account_id: int) -> HttpResponse:
    q, tab = request.GET.get("q", "").replace("\0", "").strip(), request.GET.get("state", "")
    found = Campaign.objects.filter(account_id=account_id)
    chosen = next((states_ for name, _, states_ in TABS if name == tab), None)
    if chosen:
        found = found.filter(state__in=chosen)
    if q:
        found = found.filter(Q(name__icontains=q) | Q(subject__icontains=q))
    ordered = found.select_related("send", "content").defer("send__sources", "content__source", "content__text_source")
    page = Paginator(ordered.order_by("-created_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    results = tracking.by_send(account_id=account_id, send_ids=[campaign.send_id for campaign in page])
    rows = [(campaign, results.get(campaign.send_id or 0)) for campaign in page]
    context = {"rows": rows, "page": page, "q": q, "tab": tab, "tabs": TABS, "may_write": may(request, Role.MEMBER)}
    return render(request, "campaigns/list.html", context)


@account_page(role=Role.MEMBER)
def new(request: HttpRequest, account_id: int) -> HttpResponse:
    """The first step of a campaign that does not exist yet: it exists from the moment it has a name."""
    account: Account = request.account  # type: ignore[attr-defined]
    if request.method == "POST":
        form = DetailsForm(
            request.POST, instance=Campaign(account_id=account_id), brands=brands_of(account_id=account_id)
        )
        if form.is_valid():
            return redirect("campaigns:people", account_id, _create(account_id, form, request.user.pk).pk)
    else:
        form = DetailsForm(initial=_usual(account), brands=brands_of(account_id=account_id))
    domains = delivery.SendingDomain.objects.filter(account_id=account_id).order_by("domain")
    steps = [{"label": label, "current": name == "details", "done": False, "url": ""} for name, label in STEPS]
    context = {"form": form, "steps": steps, "domains": [each.domain for each in domains[:20]], "campaign": None}
    return render(request, "campaigns/details.html", context)


def _usual(account: Account) -> dict[str, Any]:
    """What the last campaign had; for the first one a guess."""
    last = Campaign.objects.filter(account_id=account.pk).exclude(from_email="").order_by("-pk").first()
    if last is not None:
        usual = ("from_name", "from_email", "reply_to", "address", "language", "brand_id")
        return {name: getattr(last, name) for name in usual}
    domain = delivery.SendingDomain.objects.filter(account_id=account.pk).order_by("pk").first()
    return {"from_name": account.name, "from_email": f"hello@{domain.domain}" if domain else "", "language": "en"}


def _create(account_id: int, form: DetailsForm, user_id: int | None) -> Campaign:
    """A new draft; the same again within a moment is a second click."""
    Account.objects.select_for_update().get(pk=account_id)
    since = timezone.now() - dt.timedelta(seconds=TWICE_SECONDS)
    same = Campaign.objects.filter(account_id=account_id, created_by_id=user_id, created_at__gte=since, state=S.DRAFT)
    twice = same.filter(**form.cleaned_data).first()
    if twice is not None:
        return twice
    return create_draft(account_id=account_id, values=form.cleaned_data, by_user_id=user_id)


@account_page
@require_GET
def show(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    """A draft's next step, a running campaign's progress, a sent one's report."""
    campaign = _get(request, account_id, campaign_id)
    if campaign.state == S.DRAFT and may(request, Role.MEMBER):
        return redirect(f"campaigns:{_next_step(campaign)}", account_id, campaign_id)
    zone = zone_of(request.account)  # type: ignore[attr-defined]
    progress = progress_of(campaign)
    context = {
        "campaign": campaign, "progress": progress, "poll_url": _poll_url(campaign, progress.next_query),
        "history": moves(account_id=account_id, campaign_id=campaign_id), "zone": zone.key,
        "local": campaign.send_at.astimezone(zone).replace(tzinfo=None) if campaign.send_at else None,
        "utc": campaign.send_at.astimezone(dt.UTC).replace(tzinfo=None) if campaign.send_at else None,
        "skipped": skipped_lines(campaign.skipped), "skipped_sum": sum(campaign.skipped.values()),
        "hold": Hold.objects.filter(account_id=account_id, campaign=campaign, released_at=None).order_by("-pk").first(),
        "lists": list(List.objects.filter(account_id=account_id, pk__in=campaign.list_ids).values_list("name", flat=True)),
        "secure": list(SecureList.objects.filter(account_id=account_id, pk__in=campaign.secure_list_ids)
                       .values_list("name", flat=True)),
        "may_write": may(request, Role.MEMBER), "may_delete": may_delete(campaign),
        "ledger_url": _tracking_url("recipients", campaign), "report": _report(campaign), "in_inbox": _in_inbox(account_id),
    }  # fmt: skip
    return render(request, "campaigns/show.html", context)


def _next_step(campaign: Campaign) -> str:
    if not campaign.from_email:
        return "details"
    return "people" if not campaign.list_ids else "content" if campaign.content_id is None else "schedule"


def _get(request: HttpRequest, account_id: int, campaign_id: int) -> Campaign:
    found = Campaign.objects.select_related("send", "content", "brand").defer(
        "send__sources", "content__source", "content__text_source"
    )
    campaign = get_object_or_404(found, account_id=account_id, pk=campaign_id)
    campaign.account = request.account  # type: ignore[attr-defined]
    return campaign


def _poll_url(campaign: Campaign, query: str) -> str:
    return f"{reverse('campaigns:progress', args=[campaign.account_id, campaign.pk])}?{query}"


def _tracking_url(name: str, campaign: Campaign) -> str:
    """A page of tracking about the campaign's send; empty while there is none."""
    return reverse(f"reports:{name}", args=[campaign.account_id, campaign.send_id]) if campaign.send_id else ""


def _in_inbox(account_id: int) -> bool:
    """Whether the account's mail stays in the bundled inbox."""
    return delivery.Route.objects.filter(account_id=account_id, to_inbox=True).exists()


def _report(campaign: Campaign) -> tracking.Summary | None:
    """What tracking/_summary.html shows of the campaign's send."""
    return tracking.summary(account_id=campaign.account_id, send_id=campaign.send_id) if campaign.send_id else None


@account_page
@require_GET
def progress(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    """The moving part of a running campaign's page; the whole page comes anew when the state changed."""
    campaign = _get(request, account_id, campaign_id)
    now = progress_of(campaign, request.GET)
    if request.GET.get("state", campaign.state) != campaign.state:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(
        request,
        "campaigns/_progress.html",
        {"campaign": campaign, "progress": now, "poll_url": _poll_url(campaign, now.next_query)},
    )


def _act(request: HttpRequest, account_id: int, campaign_id: int, act: Callable[..., Any], done: str) -> HttpResponse:
    """Do one thing, say so, and show the campaign; a refusal says why and changes nothing."""
    get_object_or_404(Campaign.objects.only("pk"), account_id=account_id, pk=campaign_id)
    try:
        result = act(account_id=account_id, campaign_id=campaign_id, by=states.By(request.user.pk))
    except (states.IllegalMove, actions.NotReady) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done.format(result))
    return redirect("campaigns:show", account_id, campaign_id)


@account_page(role=Role.MEMBER)
@require_POST
def send(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    """Now, whatever was planned; pressed twice it is sent once."""
    campaign = get_object_or_404(Campaign, account_id=account_id, pk=campaign_id)
    if campaign.state in {S.FREEZING, S.SENDING, S.SENT}:
        messages.info(request, "It is on its way already.")
        return redirect("campaigns:show", account_id, campaign_id)

    def now(**who: Any) -> Campaign:
        return actions.schedule(at=None, **who)

    return _act(request, account_id, campaign_id, now, "On its way.")


@account_page(role=Role.MEMBER)
@require_POST
def pause(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    return _act(request, account_id, campaign_id, actions.pause, "Paused. Nothing more leaves until you go on.")


@account_page(role=Role.MEMBER)
@require_POST
def resume(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    return _act(request, account_id, campaign_id, actions.resume, "It goes on.")


@account_page(role=Role.MEMBER)
@require_POST
def cancel(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    return _act(request, account_id, campaign_id, actions.cancel, "Cancelled. What had not left stays here.")


@account_page(role=Role.MEMBER)
@require_POST
def unschedule(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    return _act(
        request, account_id, campaign_id, actions.unschedule, "A draft again: nothing leaves until you send it."
    )


@account_page(role=Role.MEMBER)
@require_POST
def resend_uncertain(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    return _act(request, account_id, campaign_id, actions.resend_uncertain, "Sent again: {} messages.")


@account_page(role=Role.MEMBER)
@require_POST
def duplicate(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    Account.objects.select_for_update().get(pk=account_id)
    old = get_object_or_404(Campaign.objects.only("name"), account_id=account_id, pk=campaign_id)
    since = timezone.now() - dt.timedelta(seconds=TWICE_SECONDS)
    copy = Campaign.objects.filter(
        account_id=account_id, created_by_id=request.user.pk, created_at__gte=since, name=f"Copy of {old.name}"[:255]
    ).first()
    copy = copy or actions.duplicate(account_id=account_id, campaign_id=campaign_id, by_user_id=request.user.pk)
    messages.success(request, f"This is “{copy.name}”, a draft with the same settings.")
    return redirect("campaigns:details", account_id, copy.pk)


@account_page(role=Role.MEMBER)
@require_POST
def delete(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    """Only what was never sent: the books of a send stay."""
    try:
        gone = actions.delete(account_id=account_id, campaign_id=campaign_id)
    except Campaign.DoesNotExist:
        messages.success(request, "It was deleted already.")
    except states.IllegalMove as error:
        messages.error(request, str(error))
        return redirect("campaigns:show", account_id, campaign_id)
    else:
        messages.success(request, f"“{gone.name}” is deleted.")
    return redirect("campaigns:list", account_id)
