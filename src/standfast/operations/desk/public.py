"""The public's own pages: subscribe, confirm, choose, leave. No login, no cookie; a link's signature is the permission.

A GET changes nothing, because mail scanners follow links; leaving with one click is a POST (RFC 8058).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from standfast.operations.desk import ground, security, settings
from standfast.operations.log import LogError
from standfast.operations.status_page import subscribing
from standfast.operations.status_page.subscribers import Subscriber

ASKED_MAX = 20  # from one address in an hour
ASKED_ALL_MAX = 2000  # by everybody in an hour
HOUR = 3600.0


@csrf_exempt  # the form stands on the status page, another site; all it can do is to have a letter sent
@require_POST
def subscribe(request: HttpRequest) -> HttpResponse:
    """Have a letter or a challenge sent. The answer is the same whether or not the address is known."""
    keys = {f"subscribe from {security.client(request)}": ASKED_MAX, "subscribe": ASKED_ALL_MAX}
    if any(security.too_often(key, most=most, seconds=HOUR) for key, most in keys.items()):
        return _say(request, "Too many requests", "Try again in an hour, or take the feeds: they need no address.", 429)
    security.tried(*keys)
    channel, text = request.POST.get("channel", ""), request.POST.get("address", "")
    try:
        if channel == "webhook":
            address = subscribing.webhook_address(text, allow_private=settings.ALLOW_PRIVATE_WEBHOOKS)
        else:
            channel, address = "email", subscribing.email_address(text)
        components, clusters = _scope(request)
        subscribing.subscribe(
            ground.log(), channel=channel, address=address, components=components, clusters=clusters, now=timezone.now()
        )
    except subscribing.SubscribeError as error:
        return _say(request, "That did not work", str(error), 422)
    except LogError:
        return _broken(request)
    if channel == "webhook":
        text = (
            "A challenge is on its way to the endpoint, with the secret that later deliveries are signed with. "
            "When it answers as described, it is subscribed."
        )
        return _say(request, "Look at your endpoint", text)
    return _say(
        request,
        "Look at your mailbox",
        "A message with a link is on its way. Nothing else is sent until you follow it.",
    )


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The page asks; only its button confirms."""
    try:
        one = subscribing.known(ground.log(), token, purpose="confirm")
        if one is None:
            return _no_link(request)
        if request.method == "POST":
            if subscribing.confirm(ground.log(), token, now=timezone.now()) is None:
                return _no_link(request)
            return _say(
                request,
                "You are subscribed",
                "You will be told of every update, once. Each message has a link to leave.",
            )
    except LogError:
        return _broken(request)
    return render(request, "desk/confirm.html", {"address": masked(one), **_chosen(one)})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """The link in every letter. POST acts, whether from the page's button or a mail program."""
    try:
        one = subscribing.known(ground.log(), token)
        if request.method == "POST":
            subscribing.unsubscribe(ground.log(), token)
            return _say(request, "You are unsubscribed", "Nothing more is sent to this address.")
    except LogError:
        return _broken(request)
    if one is None:
        return _no_link(request)
    return render(request, "desk/unsubscribe.html", {"address": masked(one), "token": token})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, token: str) -> HttpResponse:
    """Which components and clusters."""
    saved = False
    try:
        if request.method == "POST":
            subscribing.choose(ground.log(), token, *_scope(request))
            saved = True
        one = subscribing.known(ground.log(), token)
    except LogError:
        return _broken(request)
    if one is None or one.state not in ("confirmed", "pending"):
        return _no_link(request)
    return render(request, "desk/choose.html", {"address": masked(one), "token": token, "saved": saved, **_chosen(one)})


def masked(one: Subscriber) -> str:
    """Enough to know one's own address by: whoever was forwarded a letter learns no more."""
    if one.channel == "webhook":
        return one.address.split("/")[2]
    local, _, domain = one.address.rpartition("@")
    return f"{local[:1]}…@{domain}"


def _scope(request: HttpRequest) -> tuple[list[str] | None, list[str] | None]:
    return subscribing.scope(ground.the_map(), request.POST.getlist("component"), request.POST.getlist("cluster"))


def _chosen(one: Subscriber) -> dict[str, Any]:
    the_map = ground.the_map()
    rows = {
        "component": [(part.id, part.name, one.components) for part in the_map.components],
        "cluster": [(cluster.id, cluster.name, one.clusters) for cluster in the_map.clusters],
    }
    boxes: dict[str, Any] = {
        f"{name}s": [{"id": key, "name": label, "on": chosen is None or key in chosen} for key, label, chosen in row]
        for name, row in rows.items()
    }
    parts, cells = (
        ", ".join(box["name"] for box in boxes[key] if box["on"]) if chosen is not None else f"all {key}"
        for key, chosen in (("components", one.components), ("clusters", one.clusters))
    )
    return {**boxes, "words": f"{parts} in {cells}"}


def _say(request: HttpRequest, title: str, text: str, status: int = 200) -> HttpResponse:
    return render(request, "desk/said.html", {"title": title, "text": text}, status=status)


def _no_link(request: HttpRequest) -> HttpResponse:
    return _say(
        request, "This link does not work", "It is too old, or not whole. Subscribe again on the status page.", 404
    )


def _broken(request: HttpRequest) -> HttpResponse:
    return _say(request, "Not just now", "We cannot write this down at the moment. Try again in some minutes.", 503)
