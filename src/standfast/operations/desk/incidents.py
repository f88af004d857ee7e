"""Incidents on the desk: list, open one by hand, post, edit, veto, and the postmortem beside its draft."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from standfast.operations.desk import ground
from standfast.operations.incidents.entries import LEGAL, Stage
from standfast.operations.incidents.orders import OrderError
from standfast.operations.incidents.records import Incident
from standfast.operations.incidents.state import AUTOMATIC
from standfast.operations.map import Square
from standfast.operations.status import Status
from standfast.operations.status_page.bodies import as_html
from standfast.operations.status_page.edition import duration, lasting

LISTED = 100


@ground.page
def listing(request: HttpRequest) -> HttpResponse:
    edition = ground.edition()
    rows = [
        {"one": one, "opened": edition.moment(one.opened_at), "lasted": lasting(duration(one, edition.now).total_seconds()),
         "affected": edition.affected(one.squares)[:2]}
        for one in list(reversed(ground.state().incidents.values()))[:LISTED]
    ]  # fmt: skip
    return render(request, "desk/incidents.html", {"rows": rows})


@ground.page
def opened(request: HttpRequest) -> HttpResponse:
    """Write a new incident by hand."""
    ticked: list[Square] = []
    if request.method == "POST":
        ticked = ground.typed_squares(request)

        def order() -> None:
            severity = ground.typed_status(request)
            ground.orders().open_incident(
                title=request.POST.get("title", ""),
                body=request.POST.get("body", ""),
                squares=dict.fromkeys(ticked, severity),
                by=ground.by(request),
                stage=ground.typed_stage(request),
                next_update_minutes=ground.typed_minutes(request),
                notify="notify" in request.POST,
            )

        answer = ground.ordered(request, order, done="Posted.", to="/incidents")
        if answer is not None:
            return answer
    context = {
        "typed": request.POST, "picker": ground.picker(ticked), "outages": ground.OUTAGES,
        "stages": [stage for stage in Stage if stage in LEGAL[None]], "minutes": _usual_minutes(),
    }  # fmt: skip
    return render(request, "desk/open.html", context, status=422 if request.method == "POST" else 200)


@ground.page
def show(request: HttpRequest, key: str) -> HttpResponse:
    """One incident: its posts, and an update."""
    incident = ground.incident_or_404(key)
    ticked = list(incident.squares)
    if request.method == "POST":
        ticked = ground.typed_squares(request)
        answer = ground.ordered(request, lambda: _post(request, incident), done="Posted.", to=f"/incidents/{key}")
        if answer is not None:
            return answer
    return render(
        request, "desk/incident.html", _shown(request, key, ticked), status=422 if request.method == "POST" else 200
    )


def _post(request: HttpRequest, incident: Incident) -> None:
    squares: dict[Square, Status] | None = None
    if request.POST.get("affected") == "chosen":
        squares = dict.fromkeys(ground.typed_squares(request), ground.typed_status(request))
    elif request.POST.get("affected") == "none":
        squares = dict.fromkeys(incident.squares, Status.OPERATIONAL)
    ground.orders().post(
        incident.id,
        stage=ground.typed_stage(request),
        body=request.POST.get("body", ""),
        by=ground.by(request),
        squares=squares,
        next_update_minutes=ground.typed_minutes(request),
        notify="notify" in request.POST,
    )


def _shown(request: HttpRequest, key: str, ticked: list[Square]) -> dict[str, Any]:
    state, edition = ground.state(), ground.edition()
    incident = ground.incident_or_404(key)
    return {
        "incident": incident,
        "opened": edition.moment(incident.opened_at, seconds=True),
        "next_update": edition.moment(incident.next_update_at) if incident.next_update_at else "",
        "affected": edition.affected(incident.squares),
        "posts": [
            {"one": post, "at": edition.moment(post.at, seconds=True), "body": as_html(post.body),
             "automatic": post.author == AUTOMATIC, "edited": edition.moment(post.edited_at) if post.edited_at else ""}
            for post in reversed(incident.posts)
        ],
        "can_veto": next((post for post in incident.posts if post.author == AUTOMATIC and not incident.over), None),
        "stages": [stage for stage in Stage if stage in LEGAL[incident.stage]],
        "down": state.checks_of(incident),
        "drifts": [state.drifts[one] for one in incident.drifts if one in state.drifts],
        "failovers": [state.failovers[one] for one in incident.failovers if one in state.failovers],
        "picker": ground.picker(ticked),
        "outages": ground.OUTAGES,
        "minutes": _usual_minutes(),
        "typed": request.POST,
        "page_url": f"{ground.the_map().page.url}/incidents/{incident.id}.html" if incident.public else "",
    }  # fmt: skip


@ground.page
def edit(request: HttpRequest, key: str, update: str) -> HttpResponse:
    """Another text for a post."""
    incident = ground.incident_or_404(key)
    if request.method == "POST":
        answer = ground.ordered(
            request,
            lambda: ground.orders().edit(update, body=request.POST.get("body", ""), by=ground.by(request)),
            done="Changed. Nobody is told again.",
            to=f"/incidents/{key}",
        )
        if answer is not None:
            return answer
    post = next((one for one in incident.posts if one.update == update), None)
    body = request.POST.get("body", post.body if post else "")
    return render(request, "desk/edit.html", {"incident": incident, "body": body})


@ground.page
def veto(request: HttpRequest, key: str) -> HttpResponse:
    """Take an automatic incident off the page."""
    incident = ground.incident_or_404(key)
    first = next((post for post in incident.posts if post.author == AUTOMATIC), None)

    def order() -> None:
        if first is None:
            raise OrderError("Only an automatic incident can be vetoed.")
        ground.orders().veto(first.update, why=request.POST.get("why", ""), by=ground.by(request))

    if request.method == "POST":
        answer = ground.ordered(request, order, done="Taken off the page.", to=f"/incidents/{key}")
        if answer is not None:
            return answer
    return render(request, "desk/veto.html", {"incident": incident, "typed": request.POST})


@ground.page
def postmortem(request: HttpRequest, key: str) -> HttpResponse:
    """The draft that follows from the log, beside the text that a person makes of it."""
    incident = ground.incident_or_404(key)
    if request.method == "POST":
        do, text, who = request.POST.get("do", ""), request.POST.get("text", ""), ground.by(request)

        def order() -> None:
            if do == "redraft":
                ground.orders().redraft_postmortem(key)
                return
            # In Windows' line ends a form sends text; the draft has none.
            ground.orders().edit_postmortem(key, text=text.replace("\r\n", "\n"), by=who)
            if do == "publish":
                ground.orders().publish_postmortem(key, by=who, notify="notify" in request.POST)

        done = {"redraft": "Drafted again from the log.", "publish": "Published."}.get(do, "Saved.")
        answer = ground.ordered(request, order, done=done, to=f"/incidents/{key}/postmortem")
        if answer is not None:
            return answer
    text = request.POST.get("text") or (incident.edited if incident.edited is not None else incident.draft) or ""
    context = {
        "incident": incident, "text": text, "draft": incident.draft,
        "newer": incident.edited is not None and incident.draft is not None,
        "can_publish": incident.stage in (Stage.RESOLVED, Stage.POSTMORTEM),
    }  # fmt: skip
    return render(request, "desk/postmortem.html", context)


def _usual_minutes() -> int:
    return round(ground.the_map().rules.update_seconds / 60)
