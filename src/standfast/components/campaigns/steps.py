"""The four steps of a campaign that has not left: details, people, content, schedule; and the checks beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.dateparse import parse_date, parse_time
from django.views.decorators.http import require_GET

from standfast.components.accounts.api import Account, Role, account_page, may
from standfast.components.audience.api import COUNT_MAX, Brand, List, SecureList, brands_of, secure_lists_of
from standfast.components.audience.api import list_sizes as list_sizes_of
from standfast.components.campaigns import actions, preflight, states
from standfast.components.campaigns.drafts import DETAILS, PEOPLE, change_draft, version_of
from standfast.components.campaigns.forms import DetailsForm, PeopleForm, ScheduleForm, TestForm, in_zone
from standfast.components.campaigns.models import Campaign, CampaignState
from standfast.components.campaigns.reasons import skipped_lines
from standfast.components.campaigns.sources import campaign_values
from standfast.components.content.api import SAMPLE, Content, contact_values, newest_contact, show
from standfast.components.delivery import api as delivery

STEPS = (("details", "Details"), ("people", "Contacts"), ("content", "Content"), ("schedule", "Schedule"))
CONTENT = ("content_id",)
SCHEDULE = ("send_at", "rate_per_minute")


def zone_of(account: Account) -> ZoneInfo:
    """The account's time zone; UTC where its name is not known here."""
    try:
        return ZoneInfo(account.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def draft_of(request: HttpRequest, account_id: int, campaign_id: int) -> Campaign | HttpResponse:
    """The campaign to edit (locked when something is to be changed), or where to go as it is no draft any more."""
    found = Campaign.objects.filter(account_id=account_id)
    if request.method == "POST":
        found = found.select_for_update(of=("self",))
    campaign = get_object_or_404(found, pk=campaign_id)
    campaign.account = request.account  # type: ignore[attr-defined]
    if campaign.state == CampaignState.DRAFT:
        return campaign
    if request.method == "POST":
        messages.error(request, f"Nothing was changed: this campaign is {campaign.get_state_display().lower()} by now.")
    return redirect("campaigns:show", account_id, campaign_id)


def save_step(request: HttpRequest, campaign: Campaign, values: Mapping[str, Any], *, seen: str) -> list[str]:
    """Save one step's fields, unless somebody changed them since the page was made; then returns what they hold now."""
    fields = list(values)
    stored = version_of(campaign, fields)
    if seen not in ("", stored) and request.POST.get("over") != stored:
        return [f"{_LABELS.get(name) or name.replace('_', ' ').capitalize()}: {_shown(campaign, name)}" for name in fields
                if getattr(campaign, name) != values[name]]  # fmt: skip
    change_draft(campaign, values)
    return []


_LABELS = {
    "list_ids": "Lists", "suppressed_list_ids": "Lists left out", "secure_list_ids": "Secure lists left out",
    "brand_id": "Brand", "content_id": "Content", "send_at": "When (UTC)",
    "rate_per_minute": "At most a minute",
}  # fmt: skip


def _shown(campaign: Campaign, name: str) -> str:
    """A stored value in words."""
    value = getattr(campaign, name)
    if name in PEOPLE:
        kind: Any = SecureList if name == "secure_list_ids" else List
        named = kind.objects.filter(account_id=campaign.account_id, pk__in=value)
        value = ", ".join(named.values_list("name", flat=True)) or "none"
    elif name == "brand_id" and value is not None:
        value = Brand.objects.get(account_id=campaign.account_id, pk=value).name
    elif name == "content_id" and campaign.content is not None:
        value = campaign.content.name
    elif isinstance(value, dt.datetime):
        value = f"{value:%-d %b %Y %H:%M}"
    return "nothing" if value in (None, "") else str(value)


def step_page(
    request: HttpRequest, campaign: Campaign, step: str, context: dict[str, Any], fields: Sequence[str]
) -> HttpResponse:
    """Render a step with what all of them have."""
    checks_url = reverse("campaigns:checks", args=[campaign.account_id, campaign.pk])
    context |= {
        "campaign": campaign, "step": step, "steps": _steps(campaign, step),
        "seen": context.get("seen") or request.POST.get("seen") or version_of(campaign, fields),
        "stored": version_of(campaign, fields), "checks_url": f"{checks_url}?step={step}",
    }  # fmt: skip
    return render(request, f"campaigns/{step}.html", context, status=409 if context.get("stale") else 200)


def _steps(campaign: Campaign, current: str) -> list[dict[str, Any]]:
    done = {
        "details": bool(campaign.name and campaign.from_email), "people": bool(campaign.list_ids),
        "content": campaign.content_id is not None, "schedule": campaign.state != CampaignState.DRAFT,
    }  # fmt: skip
    return [
        {"label": label, "current": name == current, "done": done[name],
         "url": reverse(f"campaigns:{name}", args=[campaign.account_id, campaign.pk])}
        for name, label in STEPS
    ]  # fmt: skip


@account_page(role=Role.MEMBER)
def details(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    campaign = draft_of(request, account_id, campaign_id)
    if isinstance(campaign, HttpResponse):
        return campaign
    stale: list[str] = []
    if request.method == "POST":
        # a copy, as validation writes into the form's instance
        form = DetailsForm(
            request.POST, instance=Campaign(account_id=account_id), brands=brands_of(account_id=account_id)
        )
        if form.is_valid():
            values = {name: form.cleaned_data[name] for name in DETAILS}
            stale = save_step(request, campaign, values, seen=request.POST.get("seen", ""))
            if not stale:
                return _onward(request, campaign, "people")
    else:
        form = DetailsForm(instance=campaign, brands=brands_of(account_id=account_id))
    domains = _domains(account_id)
    return step_page(request, campaign, "details", {"form": form, "stale": stale, "domains": domains}, DETAILS)


def _domains(account_id: int) -> list[str]:
    return list(
        delivery.SendingDomain.objects.filter(account_id=account_id)
        .order_by("domain")
        .values_list("domain", flat=True)[:20]
    )


def _onward(request: HttpRequest, campaign: Campaign, step: str) -> HttpResponse:
    """To the next step, or out of the steps for whoever pressed "Save and close"."""
    if "leave" in request.POST:
        messages.success(request, "Saved.")
        return redirect("campaigns:list", campaign.account_id)
    return redirect(f"campaigns:{step}", campaign.account_id, campaign.pk)


@account_page(role=Role.MEMBER)
def people(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    campaign = draft_of(request, account_id, campaign_id)
    if isinstance(campaign, HttpResponse):
        return campaign
    lists = list(List.objects.filter(account_id=account_id).order_by("name").values_list("pk", "name"))
    secure = secure_lists_of(account_id=account_id)
    stale: list[str] = []
    error = ""
    ticked: dict[str, Sequence[int]] = {name: getattr(campaign, name) for name in PEOPLE}
    if request.method == "POST":
        form = PeopleForm(request.POST, lists=lists, secure_lists=[(pk, name) for pk, name, _ in secure])
        if form.is_valid():
            ticked = {name: sorted(form.cleaned_data[name]) for name in PEOPLE}
            stale = save_step(request, campaign, ticked, seen=request.POST.get("seen", ""))
            if not stale:
                return _onward(request, campaign, "content")
        else:
            error = " ".join(str(text) for texts in form.errors.values() for text in texts)
            ticked = {name: ids_of(request.POST.getlist(name)) for name in PEOPLE}
    context = {
        "rows": [(pk, name, pk in ticked["list_ids"], pk in ticked["suppressed_list_ids"]) for pk, name in lists],
        "secure": [(pk, name, size, pk in ticked["secure_list_ids"]) for pk, name, size in secure],
        "stale": stale, "error": error, "any_left_out": bool(ticked["suppressed_list_ids"] or ticked["secure_list_ids"]),
    }  # fmt: skip
    return step_page(request, campaign, "people", context, PEOPLE)


def ids_of(texts: Sequence[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]


@account_page
@require_GET
def list_sizes(request: HttpRequest, account_id: int) -> HttpResponse:
    """Subscribed people by list, each counted up to a limit, put into the page after it is there."""
    lists = list(List.objects.filter(account_id=account_id).values_list("pk", flat=True))
    counted = list_sizes_of(account_id=account_id, list_ids=lists)
    context = {"sizes": [(pk, counted[pk][0]) for pk in lists], "most": COUNT_MAX}
    return render(request, "campaigns/_list_sizes.html", context)


@account_page
@require_GET
def audience(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    """The count beside the boxes while they are ticked."""
    campaign = get_object_or_404(Campaign.objects.only("pk", "brand_id"), account_id=account_id, pk=campaign_id)
    chosen = {name: ids_of(request.GET.getlist(name)) for name in PEOPLE}
    counted = (
        delivery.estimate_audience(account_id=account_id, brand_id=campaign.brand_id, **chosen)
        if chosen["list_ids"]
        else None
    )
    lines = skipped_lines(counted.skipped) if counted else []
    return render(request, "campaigns/_audience.html", {"audience": counted, "skipped": lines})


@account_page(role=Role.MEMBER)
def content(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    campaign = draft_of(request, account_id, campaign_id)
    if isinstance(campaign, HttpResponse):
        return campaign
    stale: list[str] = []
    error = ""
    if request.method == "POST":
        chosen = ids_of([request.POST.get("content_id", "")])
        known = chosen and Content.objects.filter(account_id=account_id, pk=chosen[0]).exists()
        if known:
            stale = save_step(request, campaign, {"content_id": chosen[0]}, seen=request.POST.get("seen", ""))
            if not stale:
                return _onward(request, campaign, "schedule")
        else:
            error = "Choose a content." if not chosen else "That content was deleted meanwhile. Choose another one."
    contents = (
        Content.objects.filter(account_id=account_id).defer("source", "text_source").order_by("-updated_at")[:100]
    )
    shown = _look(campaign) if campaign.content_id else None
    return step_page(
        request, campaign, "content", {"contents": contents, "stale": stale, "error": error, "shown": shown}, CONTENT
    )


def _look(campaign: Campaign) -> Any:
    """The campaign's content as its newest contact sees it, with the campaign's subject."""
    written = campaign.content
    assert written is not None
    seen = Content(
        account=campaign.account, name=written.name, subject=campaign.subject or written.subject,
        preheader=campaign.preheader or written.preheader, source=written.source, source_kind=written.source_kind,
        text_source=written.text_source, inline_css=written.inline_css,
    )  # fmt: skip
    someone = newest_contact(account_id=campaign.account_id)
    values = contact_values(someone) if someone else SAMPLE
    return show(seen, contact=values, campaign=campaign_values(campaign, seen.subject))


@account_page(role=Role.MEMBER)
def schedule(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    """When and how fast; from here it leaves."""
    campaign = draft_of(request, account_id, campaign_id)
    if isinstance(campaign, HttpResponse):
        return campaign
    zone = zone_of(campaign.account)
    stale: list[str] = []
    if request.method == "POST":
        form = ScheduleForm(request.POST, zone=zone)
        if form.is_valid():
            values = {name: form.cleaned_data[name] for name in SCHEDULE}
            stale = save_step(request, campaign, values, seen=request.POST.get("seen", ""))
            if not stale:
                return _leave(request, campaign) if "send" in request.POST else _onward(request, campaign, "schedule")
    else:
        local = campaign.send_at.astimezone(zone) if campaign.send_at else None
        form = ScheduleForm(zone=zone, initial={
            "when": "at" if local else "now", "date": local and local.date(), "time": local and local.time(),
            "rate_per_minute": campaign.rate_per_minute,
        })  # fmt: skip
    lists = dict(List.objects.filter(account_id=account_id, pk__in=campaign.list_ids).values_list("pk", "name"))
    context = {"form": form, "stale": stale, "zone": zone.key, "lists": list(lists.values())}
    return step_page(request, campaign, "schedule", context, SCHEDULE)


def _leave(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    account_id = campaign.account_id
    try:
        moved = actions.schedule(
            account_id=account_id, campaign_id=campaign.pk, at=campaign.send_at, by=states.By(request.user.pk)
        )
    except (actions.NotReady, states.IllegalMove) as error:
        messages.error(request, str(error))
        return redirect("campaigns:schedule", account_id, campaign.pk)
    if moved.state == CampaignState.SCHEDULED:
        messages.success(request, "Scheduled. It leaves by itself; you can change it until then.")
    return redirect("campaigns:show", account_id, campaign.pk)


@account_page
@require_GET
def wall_clock(request: HttpRequest, account_id: int) -> HttpResponse:
    """What a day and time in the account's zone is in UTC, while it is chosen."""
    zone = zone_of(request.account)  # type: ignore[attr-defined]
    try:
        day, clock = parse_date(request.GET.get("date", "")), parse_time(request.GET.get("time", ""))
    except ValueError:
        day = clock = None
    context: dict[str, Any] = {}
    if day and clock:
        try:
            at = in_zone(day, clock.replace(tzinfo=None), zone)
            context = {
                "at": at,
                "local": at.astimezone(zone).replace(tzinfo=None),
                "utc": at.replace(tzinfo=None),
                "past": at <= dt.datetime.now(dt.UTC),
                "zone": zone.key,
            }
        except django_forms.ValidationError as error:
            context = {"error": error.messages[0]}
    return render(request, "campaigns/_wall_clock.html", context)


@account_page
@require_GET
def checks(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    """The pre-flight beside the steps; asked for after the page, as it compiles the content and counts the audience."""
    campaign = get_object_or_404(Campaign.objects.select_related("content"), account_id=account_id, pk=campaign_id)
    campaign.account = request.account  # type: ignore[attr-defined]
    step = request.GET.get("step", "")
    found = preflight.check(campaign, people=step != "people", exact=False)
    if step == "content" and campaign.content_id is None:
        found.findings = [each for each in found.findings if each.step != step]  # it is being chosen at this moment
    ordered = sorted(found.findings, key=lambda finding: finding.severity != "error")
    findings = [
        {"finding": each, "url": _where(campaign, each), "label": _WORDS.get(each.place) or _WORDS[each.step]}
        for each in ordered
    ]
    return render(
        request,
        "campaigns/_checks.html",
        {
            "campaign": campaign, "found": found, "findings": findings, "may_write": may(request, Role.MEMBER),
            "skipped": skipped_lines(found.audience.skipped) if found.audience else [],
            "skipped_sum": sum(found.audience.skipped.values()) if found.audience else 0,
            "errors": sum(each.severity == "error" for each in found.findings), "step": step,
        },
    )  # fmt: skip


_WORDS = {
    "details": "Details", "people": "Contacts", "content": "Content", "schedule": "Schedule", "domains": "Sending domains",
    "settings": "Account", "editor": "Editor",
}  # fmt: skip


def _where(campaign: Campaign, finding: preflight.Finding) -> str:
    """The page on which a finding is mended."""
    account_id = campaign.account_id
    step = reverse(f"campaigns:{finding.step}", args=[account_id, campaign.pk])
    try:
        if finding.place == "domains":
            return reverse("delivery:domains", args=[account_id])
        if finding.place == "settings":
            return reverse("accounts:settings", args=[account_id])
        if finding.place == "editor" and campaign.content_id:
            return f"{reverse('content:edit', args=[account_id, campaign.content_id])}?back={step}"
    except NoReverseMatch:
        pass
    return step


@account_page(role=Role.MEMBER)
def test(request: HttpRequest, account_id: int, campaign_id: int) -> HttpResponse:
    """Send the campaign as it is now to a few typed addresses."""
    campaign = get_object_or_404(Campaign, account_id=account_id, pk=campaign_id)
    form = TestForm(request.POST or None, initial={"emails": request.user.email})  # type: ignore[union-attr]
    problem = ""
    if request.method == "POST" and form.is_valid():
        try:
            contact = actions.seen_as(account_id=account_id, email=form.cleaned_data["as_contact"])
        except ValueError as error:
            form.add_error("as_contact", str(error))
        else:
            try:
                count = actions.test_send(
                    account_id=account_id, campaign_id=campaign_id, emails=form.cleaned_data["emails"], contact=contact
                )
            except (actions.NotReady, ValueError) as error:
                problem = str(error)
            else:
                messages.success(
                    request, f"The test is on its way to {count} {'address' if count == 1 else 'addresses'}."
                )
                return redirect("campaigns:show", account_id, campaign_id)
    return render(request, "campaigns/test.html", {"campaign": campaign, "form": form, "problem": problem})
