"""The inbox's process: the SMTP server, and the readers as a child."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import signal
import sys
from pathlib import Path

import uvloop

from .behaviour import parse_readers
from .plan import parse_plan
from .server import Inbox, serve_inbox
from .store import BODIES_BYTES_MAX, Store

TALLY_NAME = "inbox.json"


def run(
    *,
    host: str = "127.0.0.1",
    port: int = 8025,
    directory: Path,
    plan: str = "accept",
    readers: str = "off",
    tracker_url: str = "http://127.0.0.1:8001",
    exchanger: tuple[str, int] = ("127.0.0.1", 8026),
    bodies_bytes_max: int = BODIES_BYTES_MAX,
) -> None:
    """Serve until SIGTERM or SIGINT; blocks.

    plan: see `plan.parse_plan`; readers: see `behaviour.parse_readers`. Raises SystemExit with a sentence when the
    directory is in use by another inbox, the port is taken, or plan or readers are not understood.
    """
    try:
        parsed = parse_plan(plan)
        with_readers = parse_readers(readers) is not None
    except ValueError as error:
        raise SystemExit(f"inbox: {error}") from error
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SystemExit(f"inbox: another inbox is using {directory}; stop it first") from error

        async def serve() -> None:
            inbox = Inbox(plan=parsed, store=Store(directory, bodies_bytes_max=bodies_bytes_max))
            child = [sys.executable, "-m", "standfast.services.inbox.readers", str(directory), readers, tracker_url]
            child += [exchanger[0], str(exchanger[1])]
            await _serve(host=host, port=port, inbox=inbox, directory=directory, child=child if with_readers else [])

        uvloop.run(serve())


async def _serve(*, host: str, port: int, inbox: Inbox, directory: Path, child: list[str]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        server = await serve_inbox(host=host, port=port, inbox=inbox)
    except OSError as error:
        raise SystemExit(f"inbox: cannot listen on {host}:{port}: {error.strerror or error}") from error
    process = await asyncio.create_subprocess_exec(*child) if child else None
    written = ""
    while not stopping.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), 0.5)
        if process is not None and process.returncode is not None:  # the readers died: they go on where they were
            process = await asyncio.create_subprocess_exec(*child)
        text = json.dumps({"accepted": inbox.store.accepted, "connections": inbox.connections, "done": inbox.tally})
        if text != written:
            temporary = directory / (TALLY_NAME + ".new")
            with contextlib.suppress(OSError):  # a full disk: the figures wait, the sessions go on
                temporary.write_text(text)
                temporary.replace(directory / TALLY_NAME)
                written = text
    await server.close()
    await inbox.store.close()
    if process is not None and process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
