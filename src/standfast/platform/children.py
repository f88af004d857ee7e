"""Child processes of a supervisor: started, watched, started again when they end, stopped in order."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
RESTART_SECONDS_MAX = 5.0
STEADY_SECONDS = 10.0
"""A child that lived this long before it ended is started again at once; a shorter life doubles the wait."""


@dataclass
class Child:
    """`command` is run with its output in `log`; `user` only for a database server that refuses to run as root."""

    name: str
    command: list[str]
    log: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals | None = None  # when the supervisor is killed; the stop signal where none is given
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    wait_seconds: float = 0.0
    ended_at: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=self.user,
                group=self.user,
                cwd="/" if self.user else None,
                env={**os.environ, **self.environment},
                start_new_session=True,  # Ctrl-C in the terminal reaches the supervisor alone, which stops in order
                preexec_fn=_die_with_parent(self.death_signal or self.stop_signal),  # noqa: PLW1509 - a prctl between fork and exec
            )
        self.started_at = time.monotonic()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tail(self, size: int = 1500) -> str:
        """The end of its log, for a message."""
        return self.log.read_bytes()[-size:].decode("utf-8", "replace").strip() if self.log.exists() else ""


def _die_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    """A supervisor that is killed takes its children along, so that a new one finds no strangers on its ports."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)

    return ask


def end_with_parent() -> None:
    """In a server's own worker process: end when the process that made it ends, however early that is killed, or its port
    stays taken by nobody's worker."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    _die_with_parent(signal.SIGKILL)()
    if os.getppid() != parent.pid:
        os._exit(1)


def restart_ended(children: list[Child], tell: Callable[[str], None]) -> None:
    """Start again whoever ended; call it a few times a second."""
    now = time.monotonic()
    for child in children:
        if child.alive or child.process is None:
            continue
        if child.ended_at < child.started_at:
            child.ended_at = now
            lived = now - child.started_at
            child.wait_seconds = (
                0.0 if lived > STEADY_SECONDS else min(max(child.wait_seconds * 2, 0.2), RESTART_SECONDS_MAX)
            )
            tell(f"{child.name} ended ({_reason(child.process.returncode)}) and is started again. Its log: {child.log}")
        if now - child.ended_at >= child.wait_seconds:
            try:
                child.start()
            except OSError as error:  # a full disk, too many processes: it is tried again
                child.ended_at, child.wait_seconds = now, RESTART_SECONDS_MAX
                tell(f"{child.name} could not be started: {error}. It is tried again.")


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"


def stop_all(children: list[Child], *, seconds: float = 15.0) -> None:
    """Stop in the given order, one after the other; who does not end in time is killed."""
    for child in children:
        if child.alive:
            assert child.process is not None
            child.process.send_signal(child.stop_signal)
    give_up_at = time.monotonic() + seconds
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.1, give_up_at - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
