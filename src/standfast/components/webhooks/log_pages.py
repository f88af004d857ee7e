"""Pages of an endpoint's delivery log: what was told and what came of it, and telling it again."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from standfast.components.accounts.api import Role, account_page, may
from standfast.components.webhooks import delivery_log
from standfast.components.webhooks.endpoints_of import EndpointInvalid, send_again
from standfast.components.webhooks.forms import POSITION_MAX, AgainForm, NewSecretForm
from standfast.components.webhooks.models import DeliveryState, Endpoint
from standfast.components.webhooks.pages import endpoint_or_404


@account_page
@require_GET
def show(request: HttpRequest, account_id: int, endpoint_id: int) -> HttpResponse:
    """An endpoint: how it does, what it was told."""
    return _show(request, endpoint_or_404(account_id, endpoint_id), None)


def _show(request: HttpRequest, endpoint: Endpoint, form: AgainForm | None) -> HttpResponse:
    state = request.GET.get("state", "")
    state = state if state in DeliveryState.values else ""
    page = delivery_log.page(endpoint, state=state, before=_number(request, "before"), after=_number(request, "after"))
    span = {"first": page.lines[-1].position, "last": page.lines[0].position} if page.lines else {}
    context: dict[str, Any] = {
        "endpoint": endpoint, "host": urlsplit(endpoint.url).netloc, "page": page, "state": state,
        "states": DeliveryState.choices, "health": delivery_log.health(account_id=endpoint.account_id).get(endpoint.pk),
        "counted_max": delivery_log.COUNTED_MAX, "again": form or AgainForm(initial=span), "new_secret": NewSecretForm(),
        "newer": _query(state, after=page.newer), "older": _query(state, before=page.older),
        "is_admin": may(request, Role.ADMIN), "may_write": may(request, Role.MEMBER),
    }  # fmt: skip
    return render(request, "webhooks/show.html", context)


@require_POST
@account_page
def again(request: HttpRequest, account_id: int, endpoint_id: int) -> HttpResponse:
    """Tell a span of the log again."""
    endpoint = endpoint_or_404(account_id, endpoint_id)
    form = AgainForm(request.POST)
    if not form.is_valid():
        return _show(request, endpoint, form)
    try:
        count = send_again(endpoint, first=form.cleaned_data["first"], last=form.cleaned_data["last"])
    except EndpointInvalid as error:
        form.add_error(error.field, str(error))
        return _show(request, endpoint, form)
    _say(request, endpoint, count)
    return redirect("webhooks:show", account_id, endpoint_id)


@account_page
@require_GET
def delivery(request: HttpRequest, account_id: int, endpoint_id: int, position: int) -> HttpResponse:
    """One delivery: its attempts and its body."""
    endpoint = endpoint_or_404(account_id, endpoint_id)
    told = delivery_log.told(endpoint, position) if position <= POSITION_MAX else None
    if told is None:
        raise Http404("This endpoint was not told that.")
    context = {"endpoint": endpoint, "host": urlsplit(endpoint.url).netloc, "told": told,
               "may_write": may(request, Role.MEMBER)}  # fmt: skip
    return render(request, "webhooks/delivery.html", context)


@require_POST
@account_page
def deliver_again(request: HttpRequest, account_id: int, endpoint_id: int, position: int) -> HttpResponse:
    endpoint = endpoint_or_404(account_id, endpoint_id)
    if not 0 < position <= POSITION_MAX:
        raise Http404
    count = send_again(endpoint, first=position, last=position)
    _say(request, endpoint, count)
    if not count:
        return redirect("webhooks:show", account_id, endpoint_id)
    return redirect("webhooks:delivery", account_id, endpoint_id, position)


def _say(request: HttpRequest, endpoint: Endpoint, count: int) -> None:
    if not count:
        messages.warning(request, "Nothing was sent: the log has no event there that this endpoint wants.")
        return
    what = "It is" if count == 1 else f"{count:,} events are".replace(",", "\u00a0")
    when = "sent again now" if endpoint.state == "active" else "sent again when you go on"
    messages.success(request, f"{what} {when}, under the same webhook-id as before.")


def _query(state: str, **cursor: int | None) -> str:
    given = {name: value for name, value in cursor.items() if value is not None}
    return "?" + urlencode(({"state": state} if state else {}) | given) if given else ""


def _number(request: HttpRequest, name: str) -> int | None:
    """A position of the query; None for what is none."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= POSITION_MAX else None
