"""One simulated run of a seed, from its weather to a verdict."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field

from standfast.operations.failover.controller import Controller as Failover
from standfast.operations.log import Log
from standfast.operations.map import Map
from standfast.operations.simulation.ground import VANTAGES, small_map
from standfast.operations.simulation.invariants import Run, broken
from standfast.operations.simulation.process import Disk, Process, Receivers
from standfast.operations.simulation.provider import ZONE, Provider
from standfast.operations.simulation.vantage import SimulatedVantage
from standfast.operations.simulation.virtual_loop import VirtualClock, VirtualLoop, run_virtually
from standfast.operations.simulation.weather import CHECKS, Weather, draw

SUBSCRIBERS = ("https://a.example/hook", "https://b.example/hook")
RULES = {"settle_seconds": 3.0, "quiet_seconds": 12.0, "update_seconds": 20.0}


@dataclass(frozen=True, slots=True)
class Verdict:
    """broken: every invariant that did not hold, in words. seconds_to_find: of real outages while nobody was away."""

    seed: int
    broken: tuple[str, ...]
    seconds_to_find: tuple[float, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


def run(seed: int) -> Verdict:
    """Simulate a seed. The same seed gives the same verdict."""
    return run_weather(draw(seed))


def run_weather(weather: Weather, **rules: float) -> Verdict:
    """Simulate this weather, under the map's rules with these changed."""
    loop = VirtualLoop()
    loop.set_exception_handler(lambda *_: None)  # tasks of killed processes end as they end
    return run_virtually(_run(weather, the_map(**rules) if rules else _MAP), loop)


def the_map(**rules: float) -> Map:
    """Three working checks, one of them of a pool that two providers serve. Quick rules, unless others are given."""
    made = small_map(
        checks=len(CHECKS),
        rules=rules or RULES,
        providers=[
            {"id": name, "name": name, "server": "192.0.2.53", "zone": ZONE, "key_name": "k", "key_file": "k"}
            for name in ("one", "two")
        ],
        pools=[{"id": "edge", "record": f"www.{ZONE}", "primary": ["192.0.2.1"], "standby": ["192.0.2.2"]}],
    )
    first = made.checks[0].model_copy(update={"pool": "edge", "side": "primary"})
    return made.model_copy(update={"checks": (first, *made.checks[1:])})


_MAP = the_map()


async def _run(weather: Weather, the_map: Map) -> Verdict:
    disk = Disk(random.Random(f"{weather.seed}-disk"))  # noqa: S311
    receivers = Receivers(weather, random.Random(f"{weather.seed}-receivers"))  # noqa: S311
    pool = the_map.pools[0]
    dice = random.Random(f"{weather.seed}-providers")  # noqa: S311
    providers = [Provider(row.id, pool, weather, dice) for row in the_map.providers]
    process = Process(the_map, weather, disk, receivers, providers)
    _subscribe(process)
    for name in VANTAGES:
        SimulatedVantage(name, weather, process.deliver)
    rivals = [
        asyncio.create_task(_rival(weather, n, the_map, providers), name=f"rival {n}")
        for n in range(len(weather.rivals))
    ]
    await process.run(weather.horizon)
    await process.finish()
    logs = [disk, *[rival.result() for rival in rivals if rival.done() and not rival.cancelled()]]
    found = broken(Run(the_map, weather, disk, process, receivers, providers, SUBSCRIBERS, logs))
    return Verdict(weather.seed, tuple(found.broken), tuple(found.seconds_to_find), found.counts)


def _subscribe(process: Process) -> None:
    from standfast.operations.incidents.ledger import Ledger

    Ledger(process.disk, process.clock)
    for number, url in enumerate(SUBSCRIBERS):
        process.disk.connection.execute(
            "insert into subscriber (id, channel, address, state, created_at) values (?, 'webhook', ?, 'confirmed', '')",
            (f"s{number}", url),
        )


async def _rival(weather: Weather, number: int, the_map: Map, providers: list[Provider]) -> Log:
    """Another controller with a log of its own: moves the pool at its moment, and carries on what it began."""
    when, target = weather.rivals[number]
    log = Log(None, durable=False)
    loop = asyncio.get_running_loop()
    rival = Failover(the_map, log, VirtualClock(loop), providers, nonce=lambda: f"r{number}")
    await asyncio.sleep(when)
    by = "quorum" if target == "standby" else "alice"
    await rival.move("edge", target, why="its own", by=by)  # type: ignore[arg-type]
    with contextlib.suppress(asyncio.CancelledError):
        while loop.time() < weather.horizon + 60:
            await asyncio.sleep(2)
            await rival.catch_up()
    return log
