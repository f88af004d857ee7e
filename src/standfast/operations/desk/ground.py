"""What views stand on: the map, the orders over the log (one for each thread), and how a refused order is shown."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from standfast.operations.clock import SystemClock
from standfast.operations.desk import settings
from standfast.operations.incidents.entries import Stage
from standfast.operations.incidents.orders import OrderError, Orders
from standfast.operations.incidents.records import Incident
from standfast.operations.incidents.state import State
from standfast.operations.log import Log, LogError
from standfast.operations.map import Map, Square
from standfast.operations.status import Status
from standfast.operations.status_page import subscribing
from standfast.operations.status_page.edition import Edition

MENU = (
    ("/", "Now"), ("/incidents", "Incidents"), ("/maintenance", "Maintenance"), ("/changes", "Changes"),
    ("/failover", "Failover"), ("/subscribers", "Subscribers"), ("/log", "Log"), ("/team", "People"),
)  # fmt: skip
_here = threading.local()
View = Callable[..., HttpResponse]
OUTAGES = (Status.DEGRADED_PERFORMANCE, Status.PARTIAL_OUTAGE, Status.MAJOR_OUTAGE)


def the_map() -> Map:
    found: Map = settings.MAP
    return found


def orders() -> Orders:
    """This thread's orders, with all that was written meanwhile. Raises LogError."""
    if not hasattr(_here, "orders"):
        log = Log(settings.LOG_PATH)
        subscribing.prepare(log)
        _here.orders = Orders(the_map(), log, SystemClock())
    found: Orders = _here.orders
    found.sync()
    return found


def log() -> Log:
    return orders().log


def state() -> State:
    return orders().state


def edition() -> Edition:
    """For the words that the page uses too."""
    return Edition(the_map(), state(), timezone.now())


def by(request: HttpRequest) -> str:
    """Who orders."""
    return str(request.user.get_username())


def page(view: View) -> View:
    """A page of the desk: for people who are logged in; with the log unreadable it says so."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except LogError as error:
            return render(request, "desk/broken.html", {"error": str(error)}, status=503)

    guarded: View = login_required(answer)
    return guarded


def ordered(request: HttpRequest, order: Callable[[], Any], *, done: str, to: str) -> HttpResponse | None:
    """Give an order: a redirect when it was taken, None with a message when it was refused (show the form again)."""
    try:
        order()
    except OrderError as error:
        messages.error(request, str(error))
        return None
    messages.success(request, done)
    return HttpResponseRedirect(to)


def incident_or_404(key: str) -> Incident:
    found = state().incidents.get(key)
    if found is None:
        raise Http404("There is no such incident.")
    return found


def typed_squares(request: HttpRequest) -> list[Square]:
    """The ticked fields of a matrix: name "square", value "component|cluster". What the map does not have is left out."""
    known = set(the_map().squares)
    found = [Square(*value.split("|")) for value in request.POST.getlist("square") if value.count("|") == 1]
    return [square for square in found if square in known]


def typed_status(request: HttpRequest) -> Status:
    try:
        status = Status(request.POST.get("severity", ""))
    except ValueError as error:
        raise OrderError("Say how bad it is.") from error
    if status not in OUTAGES:
        raise OrderError("Say how bad it is: degraded, partial or major.")
    return status


def typed_stage(request: HttpRequest) -> Stage:
    try:
        return Stage(request.POST.get("stage", ""))
    except ValueError as error:
        raise OrderError("Choose a stage.") from error


def typed_minutes(request: HttpRequest) -> int | None:
    text = request.POST.get("minutes", "").strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 6):
        raise OrderError("The next update is given in minutes.")
    return int(text) if text else None


def typed_time(request: HttpRequest, name: str) -> datetime:
    """A datetime-local field in the page's time zone."""
    try:
        found = datetime.fromisoformat(request.POST.get(name, ""))
    except ValueError as error:
        raise OrderError("Give both times, for example 2026-03-01T22:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(the_map().page.time_zone))


def picker(ticked: Any) -> dict[str, Any]:
    """The matrix as boxes to tick."""
    chosen = {Square(*one) for one in ticked}
    return {
        "clusters": the_map().clusters,
        "rows": [
            {
                "name": part.name,
                "cells": [
                    {"value": f"{part.id}|{cluster.id}", "on": Square(part.id, cluster.id) in chosen,
                     "label": f"{part.name} in {cluster.name}"}
                    for cluster in the_map().clusters
                ],
            }
            for part in the_map().components
        ],
    }  # fmt: skip


def shared(request: HttpRequest) -> dict[str, Any]:
    """Context of every template."""
    return {"page": the_map().page, "here": request.path, "menu": MENU}
