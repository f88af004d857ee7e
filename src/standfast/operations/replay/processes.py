"""The child processes of a replay: started with their output in a file, stopped, frozen and killed one by one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

STOP_SECONDS = 5.0


class Processes:
    """Named children; all of them are gone when the context ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def python(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Start `python -m arguments...` under a name."""
        with (self.folder / f"{name}.txt").open("ab") as output:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
            )

    def signal(self, name: str, number: signal.Signals) -> None:
        self._running[name].send_signal(number)

    def freeze(self, name: str) -> None:
        """Its sockets stay open; nothing answers."""
        self.signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.signal(name, signal.SIGCONT)

    def kill(self, name: str) -> None:
        """SIGKILL, and wait for it to be gone."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def running(self, name: str) -> bool:
        return name in self._running and self._running[name].poll() is None

    def ended(self) -> list[str]:
        """Those that have ended by themselves, each with its last words."""
        return [f"{name}: {self.words(name)}" for name, one in self._running.items() if one.poll() is not None]

    def words(self, name: str) -> str:
        return (self.folder / f"{name}.txt").read_text(errors="replace")[-1500:].strip()

    def stop(self) -> None:
        """End them all: in order first, by force after five seconds."""
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()


@contextlib.contextmanager
def processes(folder: Path) -> Iterator[Processes]:
    """A set of children in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    children = Processes(folder)
    try:
        yield children
    finally:
        children.stop()
