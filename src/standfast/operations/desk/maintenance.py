"""Maintenance on the desk: schedule, change, cancel. It begins and ends by itself."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from standfast.operations.desk import ground


@ground.page
def listing(request: HttpRequest) -> HttpResponse:
    """All, the latest first; and scheduling another."""
    if request.method == "POST":
        answer = ground.ordered(
            request,
            lambda: ground.orders().schedule_maintenance(**_typed(request), by=ground.by(request)),
            done="Scheduled, and on the page.",
            to="/maintenance",
        )
        if answer is not None:
            return answer
    edition = ground.edition()
    rows = [
        {"one": one, "window": edition.window(one), "affected": edition.affected(one.squares)}
        for one in sorted(ground.state().maintenances.values(), key=lambda one: one.starts_at, reverse=True)
    ]
    context = {"rows": rows[:100], "typed": request.POST, "picker": ground.picker(ground.typed_squares(request))}
    return render(request, "desk/maintenance.html", context, status=422 if request.method == "POST" else 200)


@ground.page
def show(request: HttpRequest, key: str) -> HttpResponse:
    """Change one, or cancel it."""
    one = ground.state().maintenances.get(key)
    if one is None:
        raise Http404("There is no such maintenance.")
    if request.method == "POST":
        who = ground.by(request)

        def order() -> None:
            if request.POST.get("do") == "cancel":
                ground.orders().cancel_maintenance(key, by=who)
            else:
                ground.orders().change_maintenance(key, by=who, **_typed(request))

        answer = ground.ordered(request, order, done="Done, and on the page.", to="/maintenance")
        if answer is not None:
            return answer
    edition = ground.edition()
    typed = request.POST or {
        "title": one.title,
        "body": one.body,
        "starts_at": edition.local(one.starts_at).strftime("%Y-%m-%dT%H:%M"),
        "ends_at": edition.local(one.ends_at).strftime("%Y-%m-%dT%H:%M"),
    }
    context = {
        "one": one,
        "typed": typed,
        "picker": ground.picker(one.squares),
        "over": one.state in ("completed", "cancelled"),
    }
    return render(request, "desk/window.html", context, status=422 if request.method == "POST" else 200)


def _typed(request: HttpRequest) -> dict[str, Any]:
    """The form's fields; raises OrderError where a time is none."""
    return {
        "title": request.POST.get("title", ""),
        "body": request.POST.get("body", ""),
        "squares": ground.typed_squares(request),
        "starts_at": ground.typed_time(request, "starts_at"),
        "ends_at": ground.typed_time(request, "ends_at"),
    }
