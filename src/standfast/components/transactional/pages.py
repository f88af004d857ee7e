"""Pages of transactional campaigns: all with their figures, making and changing one, how programs hand messages in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from standfast.components.accounts.api import Account, Role, account_page, may
from standfast.components.delivery.api import Send, SendingDomain
from standfast.components.tracking.api import SendFigures, by_send
from standfast.components.transactional.campaigns import NameTaken, change_campaign, create_campaign
from standfast.components.transactional.forms import CampaignForm
from standfast.components.transactional.models import TransactionalCampaign
from standfast.components.transactional.snippets import snippets
from standfast.platform import config

PAGE = 50
DOMAINS_SHOWN = 20


@account_page
@require_GET
def list_campaigns(request: HttpRequest, account_id: int) -> HttpResponse:
    """The account's transactional campaigns, the newest first, with the figures of the roll-ups."""
    q = request.GET.get("q", "").replace("\0", "").strip()
    found = TransactionalCampaign.objects.filter(account_id=account_id).order_by("-pk")
    if q:
        found = found.filter(Q(name__icontains=q) | Q(subject__icontains=q))
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    send_ids = [campaign.send_id for campaign in page]
    totals = dict(Send.objects.filter(account_id=account_id, pk__in=send_ids).values_list("pk", "total"))
    figures = by_send(account_id=account_id, send_ids=send_ids)
    lines = [_line(campaign, totals, figures) for campaign in page]
    context = {"lines": lines, "page": page, "q": q, "may_write": may(request, Role.MEMBER)}
    return render(request, "transactional/list.html", context)


def _line(
    campaign: TransactionalCampaign, totals: dict[int, int], figures: dict[int, SendFigures]
) -> tuple[TransactionalCampaign, int, SendFigures, int]:
    """(campaign, messages, figures, waiting)"""
    total, known = totals.get(campaign.send_id, 0), figures.get(campaign.send_id, SendFigures())
    return campaign, total, known, known.waiting(total)


@account_page(role=Role.MEMBER)
def new(request: HttpRequest, account_id: int) -> HttpResponse:
    form = CampaignForm(
        request.POST or None, instance=TransactionalCampaign(account_id=account_id), initial=_usual(request)
    )
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in form.Meta.fields if name != "content"}
        try:
            made = create_campaign(account_id=account_id, content_id=_content_id(form), **values)
        except NameTaken as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, "It is ready: programs can hand in messages for it.")
            return redirect("transactional:submit", account_id, made.pk)
    return render(request, "transactional/edit.html", {"form": form, "campaign": None, "domains": _domains(account_id)})


@account_page(role=Role.MEMBER)
def change(request: HttpRequest, account_id: int, transactional_id: int) -> HttpResponse:
    campaign = campaign_or_404(account_id, transactional_id)
    name = campaign.name  # of the page's heading, whatever stands in the form
    form = CampaignForm(request.POST or None, instance=campaign)
    if request.method == "POST" and form.is_valid():
        try:
            change_campaign(form.save(commit=False))
        except NameTaken as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, "Saved. Messages that were handed in before stay as they were.")
            return redirect("transactional:show", account_id, transactional_id)
    context = {"form": form, "campaign": campaign, "name": name, "domains": _domains(account_id)}
    return render(request, "transactional/edit.html", context)


@account_page
@require_GET
def how_to_submit(request: HttpRequest, account_id: int, transactional_id: int) -> HttpResponse:
    """Hosts, ports, headers and ready commands."""
    campaign, settings = campaign_or_404(account_id, transactional_id), config.load()
    context = {
        "campaign": campaign, "snippets": snippets(campaign, settings), "settings": settings,
        "total": total_of(campaign), "may_write": may(request, Role.MEMBER),
        "has_domain": SendingDomain.objects.filter(account_id=account_id).exists(),
    }  # fmt: skip
    return render(request, "transactional/submit.html", context)


def _usual(request: HttpRequest) -> dict[str, Any]:
    """What the last one had; for the first one a guess."""
    account: Account = request.account  # type: ignore[attr-defined]
    last = TransactionalCampaign.objects.filter(account_id=account.pk).exclude(from_email="").order_by("-pk").first()
    if last is not None:
        return {name: getattr(last, name) for name in ("from_name", "from_email", "reply_to", "address", "language")}
    domain = SendingDomain.objects.filter(account_id=account.pk).order_by("pk").first()
    return {"from_name": account.name, "from_email": f"service@{domain.domain}" if domain else "", "language": "en"}


def _domains(account_id: int) -> list[str]:
    found = SendingDomain.objects.filter(account_id=account_id).order_by("domain")
    return list(found.values_list("domain", flat=True)[:DOMAINS_SHOWN])


def _content_id(form: CampaignForm) -> int | None:
    content = form.cleaned_data["content"]
    return content.pk if content else None


def campaign_or_404(account_id: int, transactional_id: int) -> TransactionalCampaign:
    found: TransactionalCampaign = get_object_or_404(TransactionalCampaign, account_id=account_id, pk=transactional_id)
    return found


def total_of(campaign: TransactionalCampaign) -> int:
    """How many messages were handed in."""
    sends = Send.objects.filter(account_id=campaign.account_id, pk=campaign.send_id)
    return int(sends.values_list("total", flat=True).first() or 0)
