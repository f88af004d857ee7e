"""`standfast operations ...`: start its processes, and give orders when the desk is down.

The orders need the operations log's file and nothing else; the controller, when it runs, carries them out.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from standfast.operations.clock import SystemClock
from standfast.operations.incidents.entries import Stage
from standfast.operations.incidents.orders import OrderError, Orders
from standfast.operations.incidents.state import State
from standfast.operations.log import Log, LogError
from standfast.operations.map import Map, MapError, Square, load
from standfast.operations.status import Status

MAP_VARIABLE = "STANDFAST_OPERATIONS_MAP"


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status: 1 when an order was refused, 2 when something is wrong with the map."""
    given = _parser().parse_args(arguments)
    if given.map is None:
        sys.stderr.write(f"Give the map with --map FILE or in {MAP_VARIABLE}.\n")
        return 2
    path = Path(given.map)
    try:
        the_map = load(path)
        process = _PROCESSES.get(given.operation)
        return process(given, the_map, path) if process else _order(given, the_map)
    except MapError as error:
        sys.stderr.write(f"{path}:\n" + "".join(f"  {line}\n" for line in error.problems))
        return 2
    except (OrderError, LogError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="standfast operations", description="Watch, fail over, and tell.")
    parser.add_argument("--map", type=Path, default=os.environ.get(MAP_VARIABLE), metavar="FILE", help="the map")
    what = parser.add_subparsers(dest="operation", required=True, metavar="WHAT")
    what.add_parser("up", help="controller, vantages, page and desk on this machine")
    what.add_parser("controller", help="the controller alone")
    vantage = what.add_parser("vantage", help="one vantage")
    vantage.add_argument("name")
    page = what.add_parser("page", help="one server of the status page")
    page.add_argument("--host", default="127.0.0.1")
    page.add_argument("--port", type=int, default=8111)
    what.add_parser("desk", help="the desk: log in, write, edit, schedule")
    what.add_parser("desk-link", help="print a one-time link that makes the desk's first user")
    what.add_parser("check", help="read the map and say what is wrong with it")
    what.add_parser("verify", help="read the log and say whether an entry was changed or is missing")
    what.add_parser("incidents", help="list incidents and their updates")
    opened = what.add_parser("open", help="open an incident")
    opened.add_argument("title")
    opened.add_argument("--body", required=True)
    _scope(opened)
    post = what.add_parser("post", help="post an update to an incident")
    post.add_argument("incident")
    post.add_argument("--stage", choices=[stage.value for stage in Stage], required=True)
    post.add_argument("--body", required=True, help="the text; - reads it from standard input")
    post.add_argument("--next-minutes", type=int, help="when the next update is promised")
    post.add_argument("--quiet", action="store_true", help="tell no subscriber")
    edit = what.add_parser("edit", help="change the text of an update")
    edit.add_argument("update")
    edit.add_argument("--body", required=True)
    veto = what.add_parser("veto", help="take an automatic incident off the page")
    veto.add_argument("update")
    veto.add_argument("--why", required=True)
    maintenance = what.add_parser("maintenance", help="schedule maintenance")
    maintenance.add_argument("title")
    maintenance.add_argument("--body", required=True)
    maintenance.add_argument("--from", dest="starts_at", required=True, metavar="TIME", help="2026-03-01T22:00+00:00")
    maintenance.add_argument("--to", dest="ends_at", required=True, metavar="TIME")
    _scope(maintenance)
    cancel = what.add_parser("cancel-maintenance", help="cancel maintenance, or end it now")
    cancel.add_argument("maintenance")
    announce = what.add_parser("announce", help="say what we are about to change, so that it is no drift")
    announce.add_argument("summary")
    announce.add_argument("--provider")
    move = what.add_parser("move", help="move traffic to a pool's standby addresses, or back")
    move.add_argument("pool")
    move.add_argument("target", choices=("standby", "primary"))
    move.add_argument("--why", required=True)
    move.add_argument("--approve", action="store_true", help="let it touch more of a zone than the guard allows")
    postmortem = what.add_parser("postmortem", help="print an incident's postmortem, or publish it")
    postmortem.add_argument("incident")
    postmortem.add_argument("--publish", action="store_true")
    return parser


def _scope(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--component", action="append", default=[], help="id; may be repeated; all without it")
    parser.add_argument("--cluster", action="append", default=[], help="id; may be repeated; all without it")
    parser.add_argument(
        "--status", choices=("degraded_performance", "partial_outage", "major_outage"), default="partial_outage"
    )


def _squares(given: argparse.Namespace, the_map: Map) -> dict[Square, Status]:
    components = given.component or [part.id for part in the_map.components]
    clusters = given.cluster or [cluster.id for cluster in the_map.clusters]
    return {Square(part, cluster): Status(given.status) for part in components for cluster in clusters}


def _up(_: argparse.Namespace, the_map: Map, path: Path) -> int:
    from standfast.operations import up

    return up.up(the_map, path)


def _controller(_: argparse.Namespace, __: Map, path: Path) -> int:
    from standfast.operations import controller

    return controller.main(["--map", str(path)])


def _vantage(given: argparse.Namespace, __: Map, path: Path) -> int:
    from standfast.operations.monitoring import vantage

    return vantage.main(["--map", str(path), "--name", given.name])


def _page(given: argparse.Namespace, the_map: Map, __: Path) -> int:
    from standfast.operations.status_page import serve

    folder = the_map.file(str(the_map.status_page.get("folder", "page")))
    return serve.main(["--folder", str(folder), "--host", given.host, "--port", str(given.port)])


def _desk(given: argparse.Namespace, _: Map, path: Path) -> int:
    from standfast.operations.desk import main as desk

    return desk.main(["--map", str(path), *(["--first-link"] if given.operation == "desk-link" else [])])


def _check(_: argparse.Namespace, the_map: Map, path: Path) -> int:
    from standfast.operations.monitoring.probes import problems

    if wrong := problems(the_map.checks):
        raise MapError(path, wrong)
    watched, squares = len(the_map.monitored), len(the_map.squares)
    print(f"{path} is good: {len(the_map.checks)} checks from {len(the_map.vantages)} vantages; "
          f"{watched} of {squares} squares have a working check, {squares - watched} are shown as not yet monitored.")  # fmt: skip
    return 0


_PROCESSES: dict[str, Callable[[argparse.Namespace, Map, Path], int]] = {
    "up": _up,
    "controller": _controller,
    "vantage": _vantage,
    "page": _page,
    "desk": _desk,
    "desk-link": _desk,
    "check": _check,
}


def _order(given: argparse.Namespace, the_map: Map) -> int:
    log = Log(the_map.file(str(the_map.controller.get("log", "operations.sqlite"))))
    orders = Orders(the_map, log, SystemClock())
    by = os.environ.get("SUDO_USER") or getpass.getuser()
    body = sys.stdin.read() if getattr(given, "body", None) == "-" else getattr(given, "body", "")
    match given.operation:
        case "verify":
            return _verify(log)
        case "incidents":
            _list(orders.state)
        case "open":
            print(orders.open_incident(title=given.title, body=body, squares=_squares(given, the_map), by=by))
        case "post":
            stage = Stage(given.stage)
            minutes, notify = given.next_minutes, not given.quiet
            print(
                orders.post(given.incident, stage=stage, body=body, by=by, next_update_minutes=minutes, notify=notify)
            )
        case "edit":
            orders.edit(given.update, body=body, by=by)
        case "veto":
            orders.veto(given.update, why=given.why, by=by)
        case "maintenance":
            print(orders.schedule_maintenance(
                title=given.title, body=body, squares=_squares(given, the_map), by=by,
                starts_at=_time(given.starts_at), ends_at=_time(given.ends_at),
            ))  # fmt: skip
        case "cancel-maintenance":
            orders.cancel_maintenance(given.maintenance, by=by)
        case "announce":
            print(orders.announce_change(summary=given.summary, provider=given.provider, by=by))
        case "move":
            orders.order_failover(pool=given.pool, target=given.target, why=given.why, by=by, approved=given.approve)
        case "postmortem":
            _postmortem(given, orders, by)
    return 0


def _verify(log: Log) -> int:
    broken = log.broken_at()
    if broken is None:
        print(f"The log holds: {len(log.after())} entries, each follows from the one before.")
        return 0
    print(f"The log is broken at entry {broken}: it was changed, or one before it is missing.")
    return 1


def _list(state: State) -> None:
    for incident in state.incidents.values():
        over = "vetoed" if incident.vetoed else incident.status.value
        print(f"{incident.id}  {over:13} {incident.opened_at:%Y-%m-%d %H:%M:%S} UTC  {incident.title}")
        for post in incident.posts:
            first = post.body.splitlines()[0] if post.body else ""
            print(f"    {post.update}  {post.status.value:13} {post.at:%H:%M:%S} {post.author}: {first}")


def _postmortem(given: argparse.Namespace, orders: Orders, by: str) -> None:
    incident = orders.state.incidents.get(given.incident)
    if incident is None:
        raise OrderError(f"There is no incident {given.incident!r}.")
    if given.publish:
        orders.publish_postmortem(given.incident, by=by)
    else:
        print(incident.postmortem or "Not drafted yet: that happens when the incident is resolved.")


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise OrderError(f"{text!r} is not a time such as 2026-03-01T22:00+00:00.") from error
    if moment.tzinfo is None:
        raise OrderError(f"{text!r} has no time zone; write 2026-03-01T22:00+00:00.")
    return moment
