"""Pages of webhooks: the endpoints and how they do, making and changing one, its secret, a test."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from standfast.components.accounts.api import Role, account_page, may
from standfast.components.webhooks import endpoints_of
from standfast.components.webhooks.delivery_log import health
from standfast.components.webhooks.forms import EndpointForm
from standfast.components.webhooks.models import Endpoint, EndpointState
from standfast.components.webhooks.trying import try_endpoint


@account_page
@require_GET
def list_endpoints(request: HttpRequest, account_id: int) -> HttpResponse:
    """The account's endpoints with their health."""
    of = health(account_id=account_id)
    endpoints = Endpoint.objects.filter(account_id=account_id).defer("secret_sealed").order_by("pk")
    lines = [(endpoint, of[endpoint.pk]) for endpoint in endpoints if endpoint.pk in of]
    context = {"lines": lines, "is_admin": may(request, Role.ADMIN), "full": len(lines) >= endpoints_of.ENDPOINTS_MAX}
    return render(request, "webhooks/list.html", context)


@account_page(role=Role.ADMIN)
def new(request: HttpRequest, account_id: int) -> HttpResponse:
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, _ = endpoints_of.create_endpoint(
                account_id=account_id, url=form.cleaned_data["url"], kinds=form.kinds_chosen,
                description=form.cleaned_data["description"],
            )  # fmt: skip
        except endpoints_of.EndpointInvalid as error:
            form.add_error(error.field, str(error))
        else:
            messages.success(
                request,
                f"From now on it is told {'what you chose' if form.kinds_chosen else 'everything'}. Give its program the secret.",
            )
            return redirect("webhooks:show", account_id, made.pk)
    return render(request, "webhooks/edit.html", {"form": form, "endpoint": None})


@account_page(role=Role.ADMIN)
def change(request: HttpRequest, account_id: int, endpoint_id: int) -> HttpResponse:
    endpoint = endpoint_or_404(account_id, endpoint_id)
    form = EndpointForm(request.POST or None, endpoint=endpoint)
    if request.method == "POST" and form.is_valid():
        try:
            endpoints_of.change_endpoint(
                endpoint, url=form.cleaned_data["url"], kinds=form.kinds_chosen,
                description=form.cleaned_data["description"],
            )  # fmt: skip
        except endpoints_of.EndpointInvalid as error:
            form.add_error(error.field, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("webhooks:show", account_id, endpoint_id)
    host = urlsplit(endpoint.url).netloc
    return render(request, "webhooks/edit.html", {"form": form, "endpoint": endpoint, "host": host})


@require_POST
@account_page
def pause(request: HttpRequest, account_id: int, endpoint_id: int) -> HttpResponse:
    endpoints_of.change_endpoint(endpoint_or_404(account_id, endpoint_id), state=EndpointState.PAUSED)
    messages.success(request, "Paused. What happens meanwhile waits here until you go on.")
    return redirect("webhooks:show", account_id, endpoint_id)


@require_POST
@account_page
def resume(request: HttpRequest, account_id: int, endpoint_id: int) -> HttpResponse:
    endpoints_of.change_endpoint(endpoint_or_404(account_id, endpoint_id), state=EndpointState.ACTIVE)
    messages.success(request, "It goes on. What waited is sent now.")
    return redirect("webhooks:show", account_id, endpoint_id)


@require_POST
@account_page(role=Role.ADMIN)
def delete(request: HttpRequest, account_id: int, endpoint_id: int) -> HttpResponse:
    """With its log; of two clicks the second finds it gone."""
    endpoint = Endpoint.objects.filter(account_id=account_id, pk=endpoint_id).first()
    if endpoint is not None:
        endpoints_of.delete_endpoint(endpoint)
    messages.success(request, "The endpoint is deleted. Nothing is sent to it any more.")
    return redirect("webhooks:list", account_id)


@never_cache
@require_GET
@account_page(role=Role.ADMIN)
def secret(request: HttpRequest, account_id: int, endpoint_id: int) -> HttpResponse:
    """A part of the endpoint's page: its secret to copy; masked again with `?hide=1`."""
    endpoint = endpoint_or_404(account_id, endpoint_id)
    shown = "" if request.GET.get("hide") else endpoints_of.secret_of(endpoint)
    return render(request, "webhooks/_secret.html", {"endpoint": endpoint, "secret": shown, "is_admin": True})


@require_POST
@account_page(role=Role.ADMIN)
def new_secret(request: HttpRequest, account_id: int, endpoint_id: int) -> HttpResponse:
    endpoint, at_once = endpoint_or_404(account_id, endpoint_id), "at_once" in request.POST
    endpoints_of.new_secret_of(endpoint, old_for=dt.timedelta(0) if at_once else endpoints_of.OLD_SECRET_FOR)
    rest = "the old one signs nothing any more" if at_once else "for 24 hours the old one signs too"
    messages.success(request, f"The secret is new. Give it to the program: {rest}.")
    return redirect("webhooks:show", account_id, endpoint_id)


@require_POST
@account_page
def test(request: HttpRequest, account_id: int, endpoint_id: int) -> HttpResponse:
    """A part of the endpoint's page: a test was sent, and this came of it."""
    outcome = try_endpoint(endpoint_or_404(account_id, endpoint_id))
    return render(request, "webhooks/_outcome.html", {"outcome": outcome})


def endpoint_or_404(account_id: int, endpoint_id: int) -> Endpoint:
    found: Endpoint = get_object_or_404(Endpoint, account_id=account_id, pk=endpoint_id)
    return found
