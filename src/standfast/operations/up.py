"""All of operations on one machine, for a trial or a small house: controller, the map's vantages, two page servers, the desk.

A part that ends is started again. For the real thing each vantage runs where it watches from, and the page where nothing of
what it reports on runs (docs/operations.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from standfast.operations.map import Map

RESTART_SECONDS = (0.2, 1.0, 3.0, 5.0)
STEADY_SECONDS = 10.0
STOP_SECONDS = 8.0


def commands(the_map: Map, path: Path) -> dict[str, list[str]]:
    """Name -> command of every process."""
    here = [sys.executable, "-m"]
    folder = str(the_map.file(str(the_map.status_page.get("folder", "page"))))
    ports = the_map.status_page.get("ports", [8111, 8112])
    host = str(the_map.status_page.get("host", "127.0.0.1"))
    wanted = {"controller": [*here, "standfast.operations.controller", "--map", str(path)]}
    for vantage in the_map.vantages:
        wanted[f"vantage {vantage.id}"] = [
            *here, "standfast.operations.monitoring.vantage", "--map", str(path), "--name", vantage.id,
        ]  # fmt: skip
    for port in ports:
        wanted[f"page {port}"] = [
            *here, "standfast.operations.status_page.serve", "--folder", folder, "--host", host, "--port", str(port),
        ]  # fmt: skip
    wanted["desk"] = [*here, "standfast.operations.desk", "--map", str(path)]
    return wanted


def up(the_map: Map, path: Path) -> int:
    """Run until Ctrl-C or SIGTERM. Returns the exit status."""
    return asyncio.run(_up(the_map, path))


async def _up(the_map: Map, path: Path) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    keepers = [asyncio.create_task(_keep(name, command, stopping)) for name, command in commands(the_map, path).items()]
    print(f"{len(keepers)} processes. Page: {the_map.page.url}  Stop with Ctrl-C.")
    await asyncio.gather(*keepers)
    return 0


async def _keep(name: str, command: list[str], stopping: asyncio.Event) -> None:
    """Start a process, and start it again whenever it ends before the stop."""
    loop = asyncio.get_running_loop()
    failures = 0
    while not stopping.is_set():
        began = loop.time()
        process = await asyncio.create_subprocess_exec(*command, start_new_session=True)
        ended = asyncio.create_task(process.wait())
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.is_set():
            await _end(process, ended)
            stop.cancel()
            return
        stop.cancel()
        failures = 0 if loop.time() - began > STEADY_SECONDS else min(failures + 1, len(RESTART_SECONDS) - 1)
        sys.stderr.write(f"{name} ended with status {process.returncode}; it is started again\n")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), RESTART_SECONDS[failures])


async def _end(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(ended), STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await ended
