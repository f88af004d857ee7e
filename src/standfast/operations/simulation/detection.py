"""Seconds from a fault to its finding, measured: real peers that break, real probes, five vantages, real reports, real time.

Each kind of failure has `COPIES` peers of its own that break at random moments of a round; all kinds are measured at once.
The figure is the time from the fault to the detector's finding in the controller, judged every half second as it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from standfast.operations import map as maps
from standfast.operations.clock import SystemClock
from standfast.operations.monitoring.collector import Collector
from standfast.operations.monitoring.detector import Detector
from standfast.operations.monitoring.report import CheckDown, CheckUp
from standfast.operations.monitoring.vantage import watch
from standfast.operations.simulation.certificates import Authority
from standfast.operations.simulation.ground import small_map
from standfast.operations.simulation.peers import HTTP_200, HTTP_503, NameServer, Service, free_port

COPIES = 3
JUDGE_SECONDS = 0.5
LIMIT_SECONDS = 10.0
PATIENCE_SECONDS = 40.0
NAME = "www.example.test"
BUDGET_MS = 500

# The eleven kinds of failure, TLS with both of its ways: what is probed, and what the peer becomes.
KINDS = {
    "connection refused": ("http", "refused"),
    "accepts, then hangs": ("http", "hang"),
    "connection reset": ("http", "reset"),
    "DNS: SERVFAIL": ("dns", "servfail"),
    "DNS: NXDOMAIN": ("dns", "nxdomain"),
    "DNS: NOERROR, empty": ("dns", "empty"),
    "DNS: wrong address": ("dns", "wrong"),
    "DNS: lame name server": ("dns", "lame"),
    "TLS: expired": ("tls", "expired"),
    "TLS: wrong name": ("tls", "name"),
    "HTTP 5xx": ("http", "5xx"),
    "slower than its budget": ("http", "slow"),
}


@dataclass(slots=True)
class _Target:
    """A peer with the check that watches it. fail and heal change it; fell: when it failed, while that is not found."""

    kind: str
    check: dict[str, Any]
    fail: Callable[[], Awaitable[None]]
    heal: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]
    fell: float | None = None
    up: asyncio.Event = field(default_factory=asyncio.Event)
    found: asyncio.Event = field(default_factory=asyncio.Event)


def measure(*, trials: int) -> int:
    """Print the table; exit status 1 when a kind missed the limit or was not found."""
    samples, missed = asyncio.run(_measure(trials))
    print(f"| failure | n | p50 | p99 | max |   seconds from fault to finding, {COPIES * trials} trials of each")
    print("|---|---|---|---|---|")
    for kind, seconds in samples.items():
        seconds.sort()
        p50, p99 = seconds[len(seconds) // 2], seconds[min(int(len(seconds) * 0.99), len(seconds) - 1)]
        print(f"| {kind} | {len(seconds)} | {p50:.1f} | {p99:.1f} | {seconds[-1]:.1f} |")
    for line in missed:
        print(line)
    return 1 if missed or any(seconds[-1] > LIMIT_SECONDS for seconds in samples.values()) else 0


async def _measure(trials: int) -> tuple[dict[str, list[float]], list[str]]:
    samples: dict[str, list[float]] = {kind: [] for kind in KINDS}
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        targets = [await _target(kind, copy, authority) for kind in KINDS for copy in range(COPIES)]
        the_map = _map(targets, Path(folder))
        detector = Detector(the_map, SystemClock())
        collector = Collector(the_map, detector.receive)
        await collector.start("127.0.0.1", the_map.controller["port"])
        tasks = [asyncio.create_task(watch(the_map, vantage.id)) for vantage in the_map.vantages]
        tasks.append(asyncio.create_task(_judge(detector, {one.check["id"]: one for one in targets}, samples)))
        await asyncio.sleep(5)
        for _ in range(trials):
            missed += [line for line in await asyncio.gather(*map(_trial, targets)) if line]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await collector.stop()
        for target in targets:
            await target.close()
    return samples, missed


async def _trial(target: _Target) -> str:
    """Break at a random moment, wait for the finding, mend, wait until it is seen. Returns what went wrong."""
    await asyncio.sleep(random.uniform(0, 4))  # noqa: S311
    target.found.clear()
    target.up.clear()
    target.fell = time.monotonic()
    await target.fail()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await target.found.wait()
    except TimeoutError:
        target.fell = None
        await target.heal()
        return f"{target.kind}: not found within {PATIENCE_SECONDS:g} s"
    await target.heal()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await target.up.wait()
            return ""
    return f"{target.kind}: its recovery was not found within {PATIENCE_SECONDS:g} s"


async def _judge(detector: Detector, targets: dict[str, _Target], samples: dict[str, list[float]]) -> None:
    while True:
        for finding in detector.judge():
            if isinstance(finding, CheckDown):
                target = targets[finding.check]
                if target.fell is None:
                    print(f"a false finding: {finding}")
                else:
                    samples[target.kind].append(time.monotonic() - target.fell)
                target.fell = None
                target.found.set()
            elif isinstance(finding, CheckUp):
                targets[finding.check].up.set()
        await asyncio.sleep(JUDGE_SECONDS)


async def _target(kind: str, copy: int, authority: Authority) -> _Target:
    probed, mode = KINDS[kind]
    check = {"id": f"{list(KINDS).index(kind)}-{copy}", "kind": probed, "working": True, "name": kind}
    if probed == "dns":
        server = NameServer(NAME + ".", "192.0.2.1")
        await server.become("good")
        check["spec"] = {"server": "127.0.0.1", "port": server.port, "name": NAME + ".", "expect": ["192.0.2.1"]}
        return _Target(kind, check, lambda: server.become(mode), lambda: server.become("good"), server.close)
    service = Service(HTTP_200, other={"5xx": HTTP_503})
    service.slow_seconds = BUDGET_MS / 1000 + 0.2
    if probed == "http":
        await service.become("good")
        check["spec"] = {"url": f"http://127.0.0.1:{service.port}/healthz", "budget_ms": BUDGET_MS}
        return _Target(kind, check, lambda: service.become(mode), lambda: service.become("good"), service.close)
    good = authority.context(NAME)
    bad = authority.context(NAME, days=-1) if mode == "expired" else authority.context("elsewhere.test")
    await service.become("good", good)
    check["spec"] = {
        "host": NAME, "address": "127.0.0.1", "port": service.port, "ca_file": str(authority.ca_file),
    }  # fmt: skip
    return _Target(
        kind, check, lambda: service.become("good", bad), lambda: service.become("good", good), service.close
    )


def _map(targets: list[_Target], folder: Path) -> maps.Map:
    made = small_map(checks=0, controller={"port": free_port()})
    table = made.model_dump(mode="json", exclude={"folder", "checks"})
    for vantage in made.vantages:
        (folder / vantage.key_file).write_text(f"the secret of vantage {vantage.id}")
    return maps.parse({**table, "checks": [target.check for target in targets]}, path=folder / "map.toml")
