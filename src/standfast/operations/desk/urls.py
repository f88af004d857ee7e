"""The desk's addresses."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from standfast.operations.desk import board, incidents, maintenance, people, public
from standfast.operations.desk.settings import BASE_DIR
from standfast.operations.status_page import pages

_STYLES = {
    "page.css": pages.assets()["style.css"],
    "desk.css": (BASE_DIR / "assets" / "desk.css").read_bytes(),
}


def style(request: HttpRequest, name: str) -> HttpResponse:
    """The page's style sheet and the desk's own; there is nothing else to fetch."""
    if name not in _STYLES:
        raise Http404
    return HttpResponse(_STYLES[name], content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=300"})


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"ok\n", content_type="text/plain")


def _not_found(request: HttpRequest, exception: Any) -> HttpResponse:
    return render(
        request,
        "desk/said.html",
        {"title": "There is nothing here", "text": "The address may be mistyped."},
        status=404,
    )


handler404 = _not_found

urlpatterns = [
    path("", board.board),
    path("checks", board.checks),
    path("incidents", incidents.listing),
    path("incidents/open", incidents.opened),
    path("incidents/<str:key>", incidents.show),
    path("incidents/<str:key>/edit/<str:update>", incidents.edit),
    path("incidents/<str:key>/veto", incidents.veto),
    path("incidents/<str:key>/postmortem", incidents.postmortem),
    path("maintenance", maintenance.listing),
    path("maintenance/<str:key>", maintenance.show),
    path("changes", board.changes),
    path("failover", board.failover),
    path("subscribers", board.subscribers),
    path("log", board.entries),
    path("team", people.team),
    path("login", people.sign_in),
    path("logout", people.sign_out),
    path("welcome/<str:token>", people.welcome),
    path("subscribe", public.subscribe),
    path("confirm/<str:token>", public.confirm),
    path("unsubscribe/<str:token>", public.unsubscribe),
    path("choose/<str:token>", public.choose),
    path("style/<str:name>", style),
    path("healthz", healthz),
]
