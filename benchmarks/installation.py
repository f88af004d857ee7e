"""A throw-away installation for figures: its own directory and ports, an account with people, a send ready to leave."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks import kept_database
from standfast.platform.config import PORT_VARIABLES

UNASSIGNED = (12_000, 32_000)


@contextlib.contextmanager
def installation(*, role: str = "loader") -> Iterator[Any]:
    """Yields the Config of a running, migrated database in a temporary directory; Django is set up as `role`."""
    directory = Path(tempfile.mkdtemp(prefix="sf-bench-"))
    ports = map(str, free_ports(len(PORT_VARIABLES)))
    os.environ.update(
        STANDFAST_VAR=str(directory),
        STANDFAST_DATABASE_ROLE=role,
        DJANGO_SETTINGS_MODULE="standfast.settings",
        **dict(zip(PORT_VARIABLES, ports, strict=True)),
    )
    os.environ.pop("DATABASE_URL", None)
    from standfast.platform import config, postgres

    settings = config.load()
    kept_database.lay(settings)
    server = postgres.start(settings)
    try:
        import django

        django.setup()
        yield settings
    finally:
        postgres.stop(server)
        shutil.rmtree(directory, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, below those that the system gives to outgoing connections, which could take one before it is
    used; drawn at random, so that processes side by side do not choose the same."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(*UNASSIGNED)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found


@contextlib.contextmanager
def service(*arguments: str, port: int | None = None) -> Iterator[psutil.Process]:
    """One service as a child process; with `port`, once it listens. Stopped with SIGTERM."""
    yield from _running([sys.executable, "-m", "standfast.cli", "run", *arguments], port)


@contextlib.contextmanager
def sink(port: int) -> Iterator[psutil.Process]:
    """An SMTP server that takes everything and keeps nothing (`benchmarks/sink.py`)."""
    yield from _running([sys.executable, "-m", "benchmarks.sink", str(port)], port)


def _running(command: list[str], port: int | None) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while port is not None and socket.socket().connect_ex(("127.0.0.1", port)):
            assert process.poll() is None, f"{command} ended"
            time.sleep(0.05)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def peak_mb(process: psutil.Process) -> float:
    """Highest resident size so far, in MB (VmHWM)."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0
