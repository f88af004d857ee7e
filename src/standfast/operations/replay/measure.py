"""`standfast replay figures`: failover and drift measured against real name servers, each figure beside its limit.

What clients see (F2) and failover without the platform (F6) come from the replays; the race in processes of their own and
the kills (F4) from `pytest src/standfast/operations/failover/tests/test_races_and_kills.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from statistics import median

import dns.asyncquery
import dns.message
import dns.query
import dns.rdatatype
import dns.tsigkeyring
import dns.update
from aiohttp import web

from standfast.operations.clock import SystemClock
from standfast.operations.failover.authority import EmptySet
from standfast.operations.failover.controller import Controller
from standfast.operations.failover.drift import Watcher
from standfast.operations.failover.history import Failover
from standfast.operations.failover.plan import Change, NeedsApproval, judge
from standfast.operations.failover.update import authorities
from standfast.operations.incidents.entries import Kind
from standfast.operations.log import Log
from standfast.operations.map import Pool
from standfast.operations.replay import name_servers
from standfast.operations.replay.scenarios.providers import RECORD, ZONE, Providers, providers
from standfast.operations.replay.scoreboard import Figure, Scoreboard

MOVES = 50
RIVALS = 30
LOOK_SECONDS = 10.0  # the pace of comparison that the map has unless told otherwise
FIND_SECONDS = 60.0
DECLARED = f"""'':
  - {{type: NS, ttl: 3600, values: [ns1.{ZONE}, ns2.{ZONE}]}}
  - {{type: MX, ttl: 30, value: {{exchange: www.{ZONE}, preference: 10}}}}
ns1: {{type: A, ttl: 5, value: 127.0.0.1}}
ns2: {{type: A, ttl: 5, value: 127.0.0.1}}
www: {{type: A, ttl: 5, value: 127.0.1.1}}
"""


def replay(*, say: Callable[[str], None] = lambda _: None) -> Scoreboard:
    """About two minutes. Raises ToolMissing, ServerFailed."""
    with tempfile.TemporaryDirectory(prefix="standfast-replay-") as made:
        figures = asyncio.run(_measure(Path(made), say))
    return Scoreboard("figures", "Failover and drift, measured", "", tuple(figures))


async def _measure(folder: Path, say: Callable[[str], None]) -> list[Figure]:
    figures: list[Figure] = []
    with providers(folder / "race") as both:
        say("thirty controllers race")
        figures += await _race(both)
    with providers(folder / "moves") as both:
        say("moving traffic to and fro")
        figures += await _moves(both, Log(folder / "moves.sqlite"))
        say("with one provider that hangs, and one that is dead")
        figures += await _one_down(both, Log(folder / "down.sqlite"))
    say("an authority that is dead, behind a resolver that serves what it knows")
    figures.append(_serve_stale(folder / "stale"))
    figures.append(_guard())
    say("unannounced changes of seven kinds, and failovers of our own meanwhile")
    figures += await _drift(folder / "drift")
    return figures


async def _moves(both: Providers, log: Log) -> list[Figure]:
    """From the decision's begin to the last provider's confirmation."""
    controller, took = both.controller(log), []
    for number in range(MOVES):
        begun = time.monotonic()
        await controller.move("www", "primary" if number % 2 else "standby", why="measured", by="Alice")
        took.append(time.monotonic() - begun)
    behind = sum(bool(entry.data["behind"]) for entry in log.after(kind=Kind.FAILOVER_DONE))
    return [
        Figure("F1", f"Order to changed at both providers, median of {MOVES}", round(median(took), 3), "s", 2),
        Figure("F1-max", f"Order to changed at both providers, slowest of {MOVES}", round(max(took), 3), "s", 2),
        Figure("F1-behind", "  of them, not at both within that time", behind, "", 0),
    ]


class _Together(Controller):
    """Decides, and goes on when all rivals have decided."""

    barrier: asyncio.Barrier

    async def _carry(self, pool: Pool, failover: Failover) -> None:
        if not failover.outcomes:
            await self.barrier.wait()
        await super()._carry(pool, failover)


async def _race(both: Providers) -> list[Figure]:
    """Thirty controllers, each with a log and a standby address of its own, decide on the same generation."""
    barrier, rivals = asyncio.Barrier(RIVALS), []
    for number in range(RIVALS):
        pools = tuple(pool.model_copy(update={"standby": (f"127.0.2.{number + 1}",)}) for pool in both.map.pools)
        rival = _Together(both.map.model_copy(update={"pools": pools}), Log(None), SystemClock(), authorities(both.map))
        rival.barrier = barrier
        rivals.append(rival)
    seen: list[tuple[str, ...]] = []
    watching = asyncio.create_task(_ask_on(both, seen))
    begun = time.monotonic()
    await asyncio.gather(*(rival.move("www", "standby", why="race", by="quorum") for rival in rivals))
    while any(rival.pending() for rival in rivals):
        await asyncio.gather(*(rival.catch_up() for rival in rivals))
    took = time.monotonic() - begun
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    winners = sum(not rival.history.latest["www"].lost for rival in rivals)
    same = len(set(both.answers())) == 1
    empty = sum(not answer for answer in seen)
    return [
        Figure("F4", f"Winners beyond one, of {RIVALS} that race", abs(winners - 1), "", 0),
        Figure("F4-same", "Until all know and both providers agree", round(took, 2) if same else None, "s", 5),
        Figure("F4-empty", f"Empty answers meanwhile, of {len(seen)}", empty, "", 0),
    ]


async def _ask_on(both: Providers, seen: list[tuple[str, ...]]) -> None:
    while True:
        seen += await asyncio.to_thread(both.answers)
        await asyncio.sleep(0.005)


async def _one_down(both: Providers, log: Log) -> list[Figure]:
    controller = both.controller(log)
    await controller.move("www", "primary", why="from a known state", by="Alice")
    both.servers[1].pause()
    begun = time.monotonic()
    await controller.move("www", "standby", why="measured", by="Alice")
    hung = time.monotonic() - begun
    both.servers[1].resume()
    await controller.catch_up()
    both.servers[1].kill()
    await controller.move("www", "primary", why="measured", by="Alice")
    other = both.answers()[0]
    before = await _serial(both, after=both.servers[1].start)
    begun = time.monotonic()
    await controller.catch_up()
    caught = time.monotonic() - begun
    for _ in range(3):
        await controller.catch_up()
    applied = await _serial(both) - before
    wrong = int(other != ("127.0.1.1",)) + int(both.answers() != [("127.0.1.1",)] * 2)
    return [
        Figure("F1-hung", "Order carried out while one provider hangs", round(hung, 3), "s", 2),
        Figure("F5", "Providers not right after one was dead and came back", wrong, "", 0),
        Figure("F5-caught", "Back to caught up", round(caught, 3), "s", 5),
        Figure("F5-once", "Changes applied beyond one at the one that was dead", applied - 1, "", 0),
    ]


async def _serial(both: Providers, *, after: Callable[[], None] = lambda: None) -> int:
    """The second provider's SOA serial; it goes up by one with every change that is applied."""
    await asyncio.to_thread(after)
    server = both.servers[1]
    answer = await dns.asyncquery.udp(dns.message.make_query(ZONE, "SOA"), server.address, port=server.port, timeout=5)
    return next(int(rrset[0].serial) for rrset in answer.answer if rrset.rdtype == dns.rdatatype.SOA)


def _serve_stale(folder: Path) -> Figure:
    """Both providers killed, the record's TTL over: how long a client waits for the resolver's answer."""
    with providers(folder) as both:
        servers = [(server.address, server.port) for server in both.servers]
        resolver = name_servers.unbound(folder / "unbound", {ZONE: servers})
        with name_servers.running(resolver):
            query = dns.message.make_query(RECORD, "A")
            dns.query.udp(query, resolver.address, port=resolver.port, timeout=5)
            for server in both.servers:
                server.kill()
            time.sleep(6)  # the TTL is five seconds
            begun = time.monotonic()
            answer = dns.query.udp(query, resolver.address, port=resolver.port, timeout=10)
            took = round(time.monotonic() - begun, 2) if answer.answer else None
    return Figure("F3", "Authority dead: answered from the resolver's memory after", took, "s", 2)


def _guard() -> Figure:
    """Plans that have to be stopped and were not."""
    zone = {(f"h{number}.{ZONE}", "A"): ("192.0.2.1",) for number in range(20)} | {(ZONE, "NS"): (f"ns1.{ZONE}",)}
    moved = [Change(f"h{number}.{ZONE}", "A", ("192.0.2.2",)) for number in range(7)]
    passed = sum(
        not isinstance(judge(ZONE, zone, plan), NeedsApproval)
        for plan in (moved, [Change(ZONE, "NS", ("ns1.elsewhere.test.",))], [Change(ZONE, "NS", ())])
    )
    with contextlib.suppress(EmptySet):
        judge(ZONE, zone, [Change(f"h1.{ZONE}", "A", ())], approved_by="Alice")
        passed += 1
    return Figure("F8", "Plans over the limits, of 4, that went through", passed, "", 0)


async def _drift(folder: Path) -> list[Figure]:
    """Changes at odd moments of the watcher's pace; D8: our own failovers under the same watcher."""
    async with _edge() as (port, headers):
        edge = {"provider": "north", "url": f"http://127.0.0.1:{port}/", "headers": {"X-Edge": "ours"}}
        with providers(folder, declared={"directory": "dns", "edges": [edge]}) as both:
            (folder / "dns").mkdir()
            (folder / "dns" / f"{ZONE}yaml").write_text(DECLARED)
            for server in both.servers:
                await _change(both, server, (ZONE, "30", "MX", f"10 {RECORD}"))
            log = Log(folder / "drift.sqlite")
            watcher = Watcher(both.map, log, SystemClock())
            watching = asyncio.create_task(_watch(watcher))
            ours = await _own_changes(both, log)
            found = await _foreign_changes(both, log, headers)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    worst = None if None in found.values() else max(value for value in found.values() if value is not None)
    rows = [Figure("D7", f"Unannounced change to evidence, slowest of {len(found)} kinds", worst, "s", 30)]
    rows += [Figure(f"D7-{kind}", f"  {kind}", value, "s", 30) for kind, value in found.items()]
    return [Figure("D8", "Drifts raised by 10 failovers of our own", ours, "", 0), *rows]


async def _watch(watcher: Watcher) -> None:
    while True:
        await watcher.look()
        await asyncio.sleep(LOOK_SECONDS)


async def _own_changes(both: Providers, log: Log) -> int:
    """Failovers under a watcher that looks all the time as well."""
    eager = Watcher(both.map, log, SystemClock())
    over = asyncio.Event()

    async def look() -> None:
        while not over.is_set():
            await eager.look()

    looking = asyncio.create_task(look())
    controller = both.controller(log)
    for number in range(10):
        await controller.move("www", "primary" if number % 2 else "standby", why="measured", by="Alice")
        await asyncio.sleep(0.2)
    over.set()
    await looking
    return len(log.after(kind=Kind.DRIFT_FOUND))


async def _foreign_changes(both: Providers, log: Log, headers: dict[str, str]) -> dict[str, float | None]:
    """Kind of change to the seconds until its evidence was in the log."""
    north, south = both.servers
    changes: dict[str, tuple[str, str, Callable[[], object]]] = {
        "address": ("north", f"{RECORD} A", lambda: _change(both, north, (RECORD, "5", "A", "203.0.113.9"))),
        "record removed": ("south", f"{ZONE} MX", lambda: _change(both, south, (ZONE, "MX"))),
        "record added": ("north", f"new.{ZONE} TXT", lambda: _change(both, north, (f"new.{ZONE}", "30", "TXT", "x"))),
        "TTL": ("north", f"{ZONE} MX", lambda: _change(both, north, (ZONE, "9000", "MX", f"10 {RECORD}"))),
        "name servers": ("north", f"{ZONE} NS", lambda: _change(both, north, (ZONE, "NS", f"ns2.{ZONE}"))),
        "edge answer": ("north", "X-Edge", lambda: headers.update({"X-Edge": "theirs"})),
        "unreadable": ("south", f"zone {ZONE}", south.kill),
    }
    made: dict[str, float] = {}
    for kind, (_, _, make) in changes.items():
        done = make()
        if asyncio.iscoroutine(done):
            await done
        made[kind] = time.time()
        await asyncio.sleep(1.7)  # at another moment of the watcher's pace each
    deadline = time.time() + FIND_SECONDS
    found: dict[str, float | None] = dict.fromkeys(changes)
    while time.time() < deadline and None in found.values():
        for entry in log.after(kind=Kind.DRIFT_FOUND):
            for kind, (provider, subject, _) in changes.items():
                if found[kind] is None and entry.data["provider"] == provider and subject in entry.data["subject"]:
                    found[kind] = round(max(entry.at.timestamp() - made[kind], 0), 2)
        await asyncio.sleep(0.2)
    return found


async def _change(both: Providers, server: name_servers.NameServer, step: tuple[str, ...]) -> None:
    """The provider changes its own zone: (name, ttl, type, value) is set, (name, type[, value]) deleted."""
    keyring = dns.tsigkeyring.from_text({both.key.name: both.key.secret})
    message = dns.update.UpdateMessage(ZONE, keyring=keyring, keyalgorithm="hmac-sha256")
    if len(step) < 4:
        message.delete(*step)
    else:
        message.replace(step[0], int(step[1]), *step[2:])
    await dns.asyncquery.tcp(message, server.address, port=server.port, timeout=5)


@contextlib.asynccontextmanager
async def _edge() -> AsyncIterator[tuple[int, dict[str, str]]]:
    """An edge whose header can be changed behind our back."""
    headers = {"X-Edge": "ours"}

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="ok", headers=headers)

    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    port = name_servers.free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield port, headers
    finally:
        await runner.cleanup()
