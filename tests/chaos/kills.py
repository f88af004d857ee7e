"""Random kill -9 of worker, tracker, database and inbox while campaigns are sent: nothing lost, nothing twice.

    python -m tests.chaos.kills --kills 100 --people 20000

The truth is the inbox: its index of Message-IDs survives everything. Against it stand the ledger's books.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

VICTIMS = ("worker --part send", "worker --part tend", "tracker", "inbox", "postgres")
CONNECTIONS_MAX = 24
"""Messages that one worker can have between dot and reply: three slots of eight connections."""


@dataclass
class Result:
    """What the books say after the last campaign ended."""

    people: int = 0
    campaigns: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    books: Counter[str] = field(default_factory=Counter)
    received: int = 0
    duplicates: int = 0
    lost: int = 0
    unfinished: int = 0
    uncertain_received: int = 0

    @property
    def uncertain_max(self) -> int:
        """What may be uncertain: the messages in flight at kills of the worker and of the inbox."""
        return CONNECTIONS_MAX * sum(self.kills[name] for name in ("worker --part send", "inbox"))


class Stack:
    """`standfast up` in a directory and on ports of its own."""

    def __init__(self, *, workers: int = 1) -> None:
        from benchmarks.installation import free_ports

        from standfast.platform.config import PORT_VARIABLES

        self.workers = workers
        self.var = Path(tempfile.mkdtemp(prefix="sf-chaos-"))
        ports = dict(zip(PORT_VARIABLES, map(str, free_ports(len(PORT_VARIABLES))), strict=True))
        self.environment = {**os.environ, **ports, "STANDFAST_VAR": str(self.var), "STANDFAST_DATABASE_ROLE": "app"}
        self.environment.pop("DATABASE_URL", None)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standfast.settings")
        self.process: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        from benchmarks import kept_database

        from standfast.platform import config

        if not (self.var / "postgres").exists():
            kept_database.lay(dataclasses.replace(config.load(), var=self.var, database_url=None), durable=False)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "standfast.cli", "up", "--workers", str(self.workers)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        assert "is up" in line, line + self.process.stdout.read().decode()
        self.log = (self.var / "up.log").open("wb")
        # Nobody reads the pipe further: drain it, or a talkative supervisor would stop at a full one.
        self._drain = subprocess.Popen(["cat"], stdin=self.process.stdout, stdout=self.log)

    def victim(self, name: str) -> psutil.Process | None:
        """The process to kill: a child of the supervisor that we started, found by its command line."""
        assert self.process is not None
        for child in psutil.Process(self.process.pid).children():
            try:
                line = " ".join(child.cmdline())
            except psutil.Error:
                continue
            if (name == "postgres" and "/postgres" in line) or f"run {name}" in line:
                return child
        return None

    def kill(self, name: str) -> bool:
        found = self.victim(name)
        if found is None:
            return False
        found.send_signal(signal.SIGKILL)
        return True

    def down(self) -> int:
        """Stop in order; returns the supervisor's exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self._drain.wait(10)
        self.log.close()
        return code

    def remove(self) -> None:
        shutil.rmtree(self.var, ignore_errors=True)


def patiently(call, seconds: float = 60):
    """Repeat a database call while the database is being killed."""
    give_up_at = time.monotonic() + seconds
    while True:
        try:
            return call()
        except psycopg.OperationalError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.2)


def run(*, people: int, kills: int, seed: int = 1, seconds_max: float = 3600, tell=lambda text: None) -> Result:
    """Send campaigns to `people` each until `kills` processes were killed and every campaign has ended."""
    stack = Stack()
    os.environ.update({name: value for name, value in stack.environment.items() if name.startswith("STANDFAST_")})
    from standfast.platform import config, postgres

    settings = config.load()
    stack.up()
    try:
        target = postgres.dsn(settings, "loader")
        campaigns = Campaigns(target, settings, people)
        result = Result(people=people)
        chance = random.Random(seed)
        give_up_at = time.monotonic() + seconds_max
        while sum(result.kills.values()) < kills:
            assert time.monotonic() < give_up_at, f"only {sum(result.kills.values())} kills in time"
            send_id = patiently(campaigns.start)
            result.campaigns += 1
            while not campaigns.ended(send_id):
                time.sleep(chance.uniform(0.2, 1.5))
                name = chance.choice(VICTIMS)
                if sum(result.kills.values()) < kills and stack.kill(name):
                    result.kills[name] += 1
                assert time.monotonic() < give_up_at, f"campaign {send_id} has not ended: {campaigns.books()}"
            tell(f"campaign {result.campaigns}: {sum(result.kills.values())} kills, {dict(campaigns.books())}")
        campaigns.settle()
        result.books = campaigns.books()
        audit(result, campaigns, settings.inbox_dir)
        assert stack.down() == 0
        return result
    finally:
        if stack.process is not None and stack.process.poll() is None:
            stack.down()
        stack.remove()


class Campaigns:
    """Sends made by SQL in the running installation: the sending is what is under test."""

    def __init__(self, target: str, settings, people: int) -> None:
        import django

        django.setup()
        from standfast.components.accounts.api import Account
        from standfast.components.audience.api import List
        from standfast.components.delivery import api as delivery
        from standfast.platform.tenancy import account_scope
        from tests.flows.sending import add_people, sources

        self.target, self.delivery, self.scope = target, delivery, account_scope
        self.account_id = Account.objects.create(name="Chaos", address="1 High Street").pk
        with account_scope(self.account_id):
            self.list_id = List.objects.create(account_id=self.account_id, name="Everybody").pk
            delivery.add_domain(account_id=self.account_id, domain="shop.example")
            delivery.Route.objects.create(
                account_id=self.account_id, retry_seconds=1, retry_seconds_max=2, life_seconds=3600
            )
        with psycopg.connect(target) as connection:
            add_people(connection, self.account_id, self.list_id, people)
        small = (
            "<p>Hello {{ contact.first_name }} from {{ contact.city }}</p><a href='https://shop.example/a'>Look</a>"
            * 20
        )
        self.sources = {**sources("news@shop.example", html=f"<html><body>{small}</body></html>"),
                        "tracker_url": settings.tracker_url}  # fmt: skip
        self.sends: list[int] = []

    def start(self) -> int:
        from django.db import OperationalError, connection

        try:
            with self.scope(self.account_id):
                send, _ = self.delivery.freeze_send(
                    account_id=self.account_id, campaign_id=1, sources=self.sources, list_ids=[self.list_id],
                    suppressed_list_ids=[],
                )  # fmt: skip
        except OperationalError as error:
            connection.close()
            raise psycopg.OperationalError(str(error)) from error
        self.sends.append(send.pk)
        return send.pk

    def query(self, sql: str, values: list[object]) -> list[tuple]:
        def ask() -> list[tuple]:
            with psycopg.connect(self.target, connect_timeout=5) as connection:
                return connection.execute(sql, values).fetchall()

        return patiently(ask)

    def ended(self, send_id: int) -> bool:
        return self.query("SELECT state FROM delivery_send WHERE id = %s", [send_id])[0][0] == "finished"

    def settle(self, seconds: float = 120) -> None:
        give_up_at = time.monotonic() + seconds
        while self.query("SELECT 1 FROM delivery_lease WHERE account_id = %s", [self.account_id]):
            assert time.monotonic() < give_up_at, "a lease is left"
            time.sleep(0.2)

    def books(self) -> Counter[str]:
        from standfast.components.delivery.api import RecipientStatus

        rows = self.query(
            "SELECT status, count(*) FROM delivery_recipient WHERE account_id = %s GROUP BY 1", [self.account_id]
        )
        return Counter({RecipientStatus(status).name.lower(): count for status, count in rows})

    def statuses(self) -> dict[tuple[int, int], int]:
        """(send, seq) -> status."""
        rows = self.query(
            "SELECT send_id, seq, status FROM delivery_recipient WHERE account_id = %s", [self.account_id]
        )
        return {(send_id, seq): status for send_id, seq, status in rows}


def audit(result: Result, campaigns: Campaigns, inbox: Path) -> None:
    """Compare the inbox's Message-IDs with the ledger."""
    from standfast.components.delivery.api import RecipientStatus as Status
    from standfast.platform.mail_store import message_ids

    received: Counter[tuple[int, int]] = Counter()
    for message_id in message_ids(inbox):
        _, send_id, seq, _ = message_id.strip("<>").split("@")[0].split(".")
        received[(int(send_id), int(seq))] += 1
    result.received = sum(received.values())
    result.duplicates = sum(count - 1 for count in received.values())
    for key, status in campaigns.statuses().items():
        result.lost += status == Status.DELIVERED and not received[key]
        result.uncertain_received += status == Status.UNCERTAIN and received[key] > 0
        result.unfinished += status in (Status.PENDING, Status.DEFERRED)
        # what arrived must be called delivered or uncertain
        result.lost += received[key] > 0 and status not in (Status.DELIVERED, Status.UNCERTAIN)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    result = run(people=given.people, kills=given.kills, seed=given.seed, tell=lambda text: print(text, flush=True))
    print(result)
    bad = result.lost or result.duplicates or result.unfinished or result.books["uncertain"] > result.uncertain_max
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
