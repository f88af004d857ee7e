"""`standfast up`: the database, the application, the tracker, the mail exchanger, the workers and the inbox, under one roof."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import psycopg

from standfast import prepared
from standfast.platform import children, postgres, schema
from standfast.platform.children import Child
from standfast.platform.config import Config
from standfast.platform.disk_room import Room

DAY_SECONDS = 86_400
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""SIGHUP: the terminal was closed."""


ROOMS = ("exchanger", "inbox", "journal", "log", "postgres", "spool", "uploads")
"""What lies under `var`, each perhaps on a disk of its own."""


LISTENING = {
    "tracker": ("tracker_port", "STANDFAST_TRACKER_PORT"),
    "mail_exchanger": ("exchanger_port", "STANDFAST_EXCHANGER_PORT"),
    "inbox": ("inbox_port", "STANDFAST_INBOX_PORT"),
    "application": ("application_port", "STANDFAST_PORT"),
    "rest_api": ("rest_port", "STANDFAST_REST_PORT"),
    "smtp_api": ("submission_port", "STANDFAST_SUBMISSION_PORT"),
}
"""Services with a port, in the order in which they start: where Config has it, and the variable that sets it."""
GRANIAN = ("application", "rest_api")
FIRST = ("tracker", "mail_exchanger", "inbox", "application")
"""The others start once these answer; one that does not come up is told of while it is watched over."""


class CannotStart(SystemExit):
    """One sentence what is in the way and what to do; exit status 1."""

    def __init__(self, text: str) -> None:
        print(text, file=sys.stderr)
        super().__init__(1)


class Supervisor:
    """Everything that runs on this machine. `start`, then `watch` until a signal, then `stop`."""

    def __init__(
        self, config: Config, *, workers: int = 1, only: Collection[str] | None = None, quiet: bool = False
    ) -> None:
        """`only`: these services and no other (the database always)."""
        self.config, self.workers, self.only, self.quiet = config, workers, only, quiet
        self.database: Child | None = None
        self.services: list[Child] = []
        self.stopping = False
        self._lock: int | None = None
        self.first_link = ""
        self._asked: subprocess.Popen[str] | None = None

    def tell(self, text: str) -> None:
        # A terminal that is gone, or a file on a full disk, must not end what we watch over.
        with contextlib.suppress(OSError):
            if not self.quiet:
                print(text, flush=True)

    # Start

    def start(self) -> None:
        """Bring everything up, or raise CannotStart with nothing left running."""
        self._take_lock()
        self._check_ports()
        self.config.secret()
        try:
            self._start_database()
            self._prepare()
            self._start_services()
            self._hear_link()
        except BaseException:
            self.stop()
            raise

    def _take_lock(self) -> None:
        self.config.var.mkdir(parents=True, exist_ok=True)
        # People's data, mail and logs are for this user alone; the services inherit it.
        os.umask(0o077)
        for name in ROOMS:
            if name != "postgres" and (self.config.var / name).is_dir():
                (self.config.var / name).chmod(0o700)  # made by an earlier version
        path = self.config.var / "standfast.lock"
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise CannotStart(f"{path} cannot be locked: {error}") from error
            owner = path.read_text().strip() or "an unknown process"
            raise CannotStart(
                f"Standfast already runs here ({owner}). Use it, stop it with Ctrl-C there, "
                "or set STANDFAST_VAR to another directory for a second one."
            ) from error
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"process {os.getpid()}, {self.config.application_url}\n".encode(), 0)

    def _check_ports(self) -> None:
        config = self.config
        for service, port in self._ports().items():
            family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((config.host, port))
                except OSError as error:
                    raise CannotStart(
                        f"Port {port} on {config.host} cannot be used: {error.strerror}. "
                        f"Stop what uses it, or set {LISTENING[service][1]} to a free port."
                    ) from error

    def _start_database(self) -> None:
        if self.config.database_url is not None:
            try:
                postgres.wait_ready(self.config, give_up_seconds=10)
            except postgres.PostgresFailed as error:
                raise CannotStart(f"DATABASE_URL: {error}") from error
            return
        try:
            postgres.prepare(self.config)
            postgres.stop_leftover(self.config)
            line, user = postgres.command(self.config)
            log = self.config.var / "log" / "postgres.log"
            self.database = Child("database", line, log, user=user, stop_signal=signal.SIGINT)
            self.database.start()
            postgres.wait_ready(self.config, self.database.process, log)
        except postgres.PostgresFailed as error:
            raise CannotStart(f"The embedded database did not start. {error}") from error

    def _prepare(self) -> None:
        """Migrations and static files, in a process of its own, as the tables' owner; nothing where nothing changed."""
        of = prepared.fingerprint(self.config)
        if prepared.is_current(self.config):
            if not prepared.has_user(self.config):
                line = [sys.executable, "-m", "standfast.cli", "first-link"]
                self._asked = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            return
        done = subprocess.run(
            [sys.executable, "-m", "standfast.cli", "migrate", "--static", "--first-link"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotStart(f"The database could not be brought up to date.\n{done.stderr.strip()[-3000:]}")
        self.first_link = done.stdout.strip()
        prepared.write(self.config, of, user=not self.first_link)

    def _hear_link(self) -> None:
        """The first link, asked for while the services started."""
        if self._asked is not None:
            self.first_link = self._asked.communicate()[0].strip()
            if self._asked.returncode == 1:
                prepared.write(self.config, prepared.fingerprint(self.config), user=True)

    def _wanted(self, service: str) -> bool:
        return self.only is None or service in self.only

    def _ports(self) -> dict[str, int]:
        """Service to port, of those that are to run."""
        return {
            service: getattr(self.config, field) for service, (field, _) in LISTENING.items() if self._wanted(service)
        }

    def _start_services(self) -> None:
        """First what people and links come to: each takes seconds of a core to start, and all at once keep each other waiting."""
        ports = self._ports()
        first = {name: port for name, port in ports.items() if self.only or name in FIRST}
        self._start_each(first)
        self._wait_for_ports(first)
        then = [name for name in ports if name not in first]
        if self._wanted("worker"):
            then += ["worker-tend", *[f"worker-send-{n}" for n in range(1, self.workers + 1)]]
        self._start_each(then)

    def _start_each(self, names: Iterable[str]) -> None:
        for name in names:
            command = [sys.executable, "-m", "standfast.cli", "run", *_service_arguments(name)]
            # granian forgets a SIGTERM that comes while it starts, and would keep the port for ever.
            death = signal.SIGKILL if name in GRANIAN else None
            child = Child(name, command, self.config.var / "log" / f"{name}.log", death_signal=death)
            child.start()
            self.services.append(child)

    def _wait_for_ports(self, ports: Mapping[str, int], seconds: float = 120.0) -> None:
        give_up_at = time.monotonic() + seconds
        waiting = dict(ports)
        while waiting:
            for name, port in list(waiting.items()):
                if self._answers(port):
                    del waiting[name]
            if not waiting:
                return
            ended = [child for child in self.services if child.name in waiting and not child.alive]
            if ended or time.monotonic() > give_up_at:
                child = ended[0] if ended else next(c for c in self.services if c.name in waiting)
                raise CannotStart(f"{child.name} did not start.\n{child.tail()}")
            time.sleep(0.03)

    def _answers(self, port: int) -> bool:
        with socket.socket(socket.AF_INET6 if ":" in self.config.host else socket.AF_INET) as probe:
            probe.settimeout(0.5)
            return probe.connect_ex((_reachable(self.config.host), port)) == 0

    # Run

    def watch(self) -> None:
        """Keep everything running until a signal (see stop_on_signals)."""
        everybody = [*([self.database] if self.database else []), *self.services]
        room = Room([self.config.var, *(self.config.var / name for name in ROOMS)])
        looked_at = time.monotonic()
        while not self.stopping:
            children.restart_ended(everybody, self.tell)
            if time.monotonic() - looked_at > DAY_SECONDS:
                looked_at = time.monotonic()
                self._next_month()
            room.look(self.tell)
            time.sleep(0.2)

    def _next_month(self) -> None:
        """Daily: the event log's partitions are made ahead of time, by their owner."""
        try:
            schema.ensure_partitions(self.config)
        except psycopg.Error as error:
            self.tell(f"The event log's next months could not be made ({error}). It is tried again tomorrow.")

    def stop_on_signals(self) -> None:
        """From here on a signal ends `watch` instead of raising."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:
        self.stopping = True

    def stop(self) -> None:
        """Stop the services, then the database. What was accepted is on disk and goes on at the next start."""
        for child in self.services:
            # granian forgets a SIGTERM that comes while it starts; nobody has been answered by then
            if child.name in GRANIAN and child.alive and not self._answers(self._ports()[child.name]):
                assert child.process is not None
                child.process.kill()
        children.stop_all(list(reversed(self.services)))
        if self.database is not None:
            children.stop_all([self.database], seconds=30)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _service_arguments(name: str) -> list[str]:
    if name.startswith("worker-"):
        return ["worker", "--part", name.split("-")[1]]
    return [name]


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def up(config: Config, *, workers: int = 1, only: Collection[str] | None = None) -> int:
    """Run until a signal; returns the exit status."""
    began_at = time.monotonic()
    supervisor = Supervisor(config, workers=workers, only=only)
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupted)
    try:
        supervisor.start()
    except KeyboardInterrupt:
        return 130
    supervisor.stop_on_signals()
    _greet(config, supervisor.first_link, time.monotonic() - began_at)
    supervisor.watch()
    supervisor.tell("Stopping: what was accepted is on disk.")
    supervisor.stop()
    return 0


def _interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _greet(config: Config, first_link: str, seconds: float) -> None:
    print(f"Standfast is up ({seconds:.1f} s): {config.application_url}")
    if first_link:
        print(f"\nMake the first user here (works once, for 24 hours):\n  {first_link}\n")
    print(
        f"Logs: {_short(config.var / 'log')}. Ctrl-C stops everything; data stays in {_short(config.var)}.", flush=True
    )


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
