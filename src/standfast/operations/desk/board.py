"""What is: the matrix, the checks with each vantage's view, drift and failover; and the orders that go with them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from standfast.operations.desk import ground
from standfast.operations.incidents.orders import OrderError
from standfast.operations.status_page import subscribing
from standfast.operations.status_page.edition import lasting
from standfast.operations.status_page.pages import LABELS, matrix
from standfast.operations.status_page.uptime import NO_BREAK

LOG_SHOWN = 200


@ground.page
def board(request: HttpRequest) -> HttpResponse:
    """The first page: how things stand now."""
    state, edition = ground.state(), ground.edition()
    indicator, words = state.indicator()
    context = {
        "indicator": indicator,
        "words": words.replace(" %", NO_BREAK + "%"),
        "matrix": matrix(edition),
        "clusters": ground.the_map().clusters,
        "open": state.active,
        "labels": LABELS,
        "vantages": [{"name": one.name, "absent": state.vantages.get(one.id)} for one in ground.the_map().vantages],
        "blind": edition.moment(state.blind_since) if state.blind_since else "",
        "down": [_down(name) for name in state.checks_down],
        "up": len(ground.the_map().checks) - len(state.checks_down),
        "last": edition.moment(state.updated_at, seconds=True) if state.updated_at else "",
    }
    return render(request, "desk/board.html", context)


def _down(name: str) -> dict[str, Any]:
    """A check that is down: since when, and what each vantage saw then."""
    state, edition = ground.state(), ground.edition()
    entry = state.checks_down[name]
    check = next((one for one in ground.the_map().checks if one.id == name), None)
    return {
        "name": check.name if check else name,
        "since": edition.moment(entry.at, seconds=True),
        "for": lasting((timezone.now() - entry.at).total_seconds()),
        "votes": entry.data.get("votes", []),
    }


@ground.page
def checks(request: HttpRequest) -> HttpResponse:
    """Every check with its state."""
    state = ground.state()
    rows = [
        {"id": one.id, "name": one.name, "kind": one.kind, "working": one.working, "provider": one.provider,
         "down": one.id in state.checks_down}
        for one in ground.the_map().checks
    ]  # fmt: skip
    return render(request, "desk/checks.html", {"rows": sorted(rows, key=lambda row: not row["down"])})


@ground.page
def changes(request: HttpRequest) -> HttpResponse:
    """Drift, and announcing a change of our own before it is made."""
    if request.method == "POST":
        answer = ground.ordered(
            request,
            lambda: ground.orders().announce_change(
                summary=request.POST.get("summary", ""),
                provider=request.POST.get("provider") or None,
                by=ground.by(request),
            ),
            done="Announced: what follows at this provider counts as ours.",
            to="/changes",
        )
        if answer is not None:
            return answer
    state, edition = ground.state(), ground.edition()
    drifts = [
        {"row": one, "at": edition.moment(one.found_at, seconds=True),
         "gone": edition.moment(one.gone_at, seconds=True) if one.gone_at else ""}
        for one in reversed(state.drifts.values())
    ]  # fmt: skip
    announced = [{"row": one, "at": edition.moment(one["at"])} for one in reversed(state.changes.values())]
    context = {"drifts": drifts[:100], "announced": announced[:50], "providers": ground.the_map().providers}
    return render(request, "desk/changes.html", {**context, "typed": request.POST})


@ground.page
def failover(request: HttpRequest) -> HttpResponse:
    """Where each pool stands; a move is ordered on the page and confirmed on a second one."""
    if request.method == "POST":
        pool, target = request.POST.get("pool", ""), request.POST.get("target", "")
        if "sure" not in request.POST:
            chosen = next((one for one in ground.the_map().pools if one.id == pool), None)
            if chosen is not None and target in ("primary", "standby"):
                addresses = getattr(chosen, target)
                context = {"pool": chosen, "target": target, "addresses": addresses, "why": request.POST.get("why", "")}
                return render(request, "desk/sure.html", context)

        def order() -> None:
            if "sure" not in request.POST:
                raise OrderError("There is no such pool.")
            ground.orders().order_failover(
                pool=pool, target=target, why=request.POST.get("why", ""), by=ground.by(request),
                approved="approved" in request.POST,
            )  # fmt: skip

        done = f"Ordered: {pool} goes to its {target} addresses as soon as the controller reads it."
        answer = ground.ordered(request, order, done=done, to="/failover")
        if answer is not None:
            return answer
    state, edition = ground.state(), ground.edition()
    pools = [
        {"pool": one, "stands": state.targets.get(one.id, "primary"), "ordered": state.orders.get(one.id),
         "other": "primary" if state.targets.get(one.id) == "standby" else "standby"}
        for one in ground.the_map().pools
    ]  # fmt: skip
    moves = [
        {"row": one, "at": edition.moment(one.at, seconds=True), "providers": list(one.providers.values())}
        for one in reversed(state.failovers.values())
    ]
    return render(request, "desk/failover.html", {"pools": pools, "moves": moves[:50]})


@ground.page
def subscribers(request: HttpRequest) -> HttpResponse:
    """How many, and whom we cannot reach. Addresses are masked: nobody needs them whole here."""
    connection = ground.log().connection
    rows = [dict(row) for row in subscribing.counts(connection)]
    lost = [{**dict(row), "address": _masked(row["address"])} for row in subscribing.quarantined(connection)]
    return render(request, "desk/subscribers.html", {"rows": rows, "lost": lost})


def _masked(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}" if at else address.split("/")[2]


@ground.page
def entries(request: HttpRequest) -> HttpResponse:
    """The last entries of the log, as they stand there."""
    log, edition = ground.log(), ground.edition()
    last = ground.state().position
    rows = [
        {"position": one.position, "at": edition.moment(one.at, seconds=True), "kind": one.kind, "data": dict(one.data)}
        for one in reversed(log.after(max(0, last - LOG_SHOWN)))
    ]
    return render(request, "desk/entries.html", {"rows": rows})
