"""An account's pages of how its mail leaves: the domains it is sent from, and the relay."""

from __future__ import annotations

import asyncio
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from standfast.components.accounts.api import Role, account_page, may
from standfast.components.delivery import domains as sending
from standfast.components.delivery.forms import DomainForm, RelayForm
from standfast.components.delivery.models import SendingDomain
from standfast.components.delivery.probe import Probe, probe
from standfast.components.delivery.relay import route_of
from standfast.platform import sealing


@account_page(post=Role.ADMIN)
def domains(request: HttpRequest, account_id: int) -> HttpResponse:
    """The domains of the account; an administrator adds one."""
    form = DomainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = _add(form, account_id)
        if made is not None:
            return redirect("delivery:domain", account_id=account_id, domain_id=made.pk)
    listed = SendingDomain.objects.filter(account_id=account_id).order_by("domain")
    return render(
        request, "delivery/domains.html", {"form": form, "domains": listed, "is_admin": may(request, Role.ADMIN)}
    )


def _add(form: DomainForm, account_id: int) -> SendingDomain | None:
    try:
        return sending.add_domain(account_id=account_id, domain=form.cleaned_data["domain"])
    except sending.DomainRefused as error:
        form.add_error("domain", str(error))
        return None


@account_page
def domain(request: HttpRequest, account_id: int, domain_id: int) -> HttpResponse:
    """A domain's records: to copy, and whether they are found."""
    found = get_object_or_404(SendingDomain, account_id=account_id, pk=domain_id)
    context = {
        "domain": found,
        "records": _records(found),
        "trial": found.is_trial,
        "is_admin": may(request, Role.ADMIN),
    }
    return render(request, "delivery/domain.html", context)


def _records(domain: SendingDomain) -> list[dict[str, Any]]:
    return [
        {**record, "label": record["key"].upper(), "why": record["why"].partition(": ")[2]}
        for record in sending.records_found(domain)
    ]


@require_POST
@account_page
def check_domain(request: HttpRequest, account_id: int, domain_id: int) -> HttpResponse:
    """Look the records up now."""
    found = get_object_or_404(SendingDomain, account_id=account_id, pk=domain_id)
    results = sending.check_domain(found, bounce_domain=sending.bounce_domain())
    missing = sum(result != "ok" for result in results.values())
    if missing:
        seen = len(results) - missing
        messages.warning(request, f"{seen} of {len(results)} records found. New records may take hours to be seen.")
    else:
        messages.success(request, "All records are found.")
    return redirect("delivery:domain", account_id=account_id, domain_id=domain_id)


@require_POST
@account_page(role=Role.ADMIN)
def delete_domain(request: HttpRequest, account_id: int, domain_id: int) -> HttpResponse:
    """Delete a domain with its key, unless mail is on its way from it."""
    found = get_object_or_404(SendingDomain, account_id=account_id, pk=domain_id)
    try:
        sending.delete_domain(found)
    except sending.DomainInUse as error:
        messages.error(request, str(error))
        return redirect("delivery:domain", account_id=account_id, domain_id=domain_id)
    messages.success(request, f"{found.domain} is deleted.")
    return redirect("delivery:domains", account_id=account_id)


def _relay_form(request: HttpRequest, account_id: int) -> RelayForm:
    return RelayForm(request.POST or None, instance=route_of(account_id=account_id))


@sensitive_post_parameters("password")
@account_page(post=Role.ADMIN)
def relay(request: HttpRequest, account_id: int) -> HttpResponse:
    """Where the account's mail goes, and how often it is tried."""
    form = _relay_form(request, account_id)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "The relay is saved. Mail that has not left yet goes this way.")
        return redirect("delivery:relay", account_id=account_id)
    is_admin = may(request, Role.ADMIN)
    if not is_admin:
        for field in form.fields.values():
            field.disabled = True
    return render(request, "delivery/relay.html", {"form": form, "is_admin": is_admin})


@require_POST
@sensitive_post_parameters("password")
@account_page(role=Role.ADMIN)
def test_relay(request: HttpRequest, account_id: int) -> HttpResponse:
    """A part of the relay's page: whether what stands in the form works. Nothing is sent or saved."""
    form = _relay_form(request, account_id)
    if not form.is_valid():
        wrong = "; ".join(f"{form.fields[name].label}: {errors[0]}" for name, errors in form.errors.items())
        return render(request, "delivery/probe.html", {"probe": Probe(False, "This cannot be tried yet.", wrong)})
    try:
        found = asyncio.run(probe(form.way()))
    except sealing.SealError as error:
        found = Probe(False, "The saved password cannot be read.", "Type it again.", str(error))
    return render(request, "delivery/probe.html", {"probe": found})
