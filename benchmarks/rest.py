"""The REST service over HTTP: durable events and contact upserts a second in batches of 1,000, and wrk on single look-ups.

    python -m benchmarks.rest [seconds]

The service runs in its own process as it does in an installation; client threads, service and database share the machine.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from benchmarks.installation import cpu_seconds, installation, peak_mb, service
from benchmarks.run import row

BATCH = 1000
CLIENTS = 4
PEOPLE = 20_000
EVENTS_LIMIT = 10_000
UPSERTS_LIMIT = 3_000


class Client:
    """A connection that is kept open, with the key."""

    def __init__(self, port: int, key: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def post(self, path: str, body: bytes) -> bytes:
        self.connection.request("POST", f"/api/v1{path}", body, self.headers)
        answer = self.connection.getresponse()
        data = answer.read()
        assert answer.status == 200, (answer.status, data[:500])
        return data


def people(first: int) -> dict[str, Any]:
    return {
        "contacts": [
            {"email": f"person{n}@people{n % 97}.example", "first_name": f"First {n}", "last_name": "Last", "uid": f"u{n}",
             "fields": {"town": "Oslo", "visits": n % 50}}
            for n in range(first, first + BATCH)
        ]
    }  # fmt: skip


def happenings(first: int) -> dict[str, Any]:
    return {
        "events": [
            {"name": "page_viewed", "email": f"person{n % PEOPLE}@people{n % PEOPLE % 97}.example", "id": f"event-{n}",
             "properties": {"path": f"/articles/{n % 1000}", "seconds": n % 300}}
            for n in range(first, first + BATCH)
        ]
    }  # fmt: skip


class Meter:
    """Loads the service and prints a figure with what each row cost: CPU of the service, and of the database."""

    def __init__(self, port: int, key: str, served: list[psutil.Process]) -> None:
        self.port, self.key, self.served = port, key, served

    def measure(
        self, name: str, path: str, bodies: Iterator[bytes], outcome: str, seconds: float, limit: float | None, note: str = ""
    ) -> None:  # fmt: skip
        before, base = sum(map(cpu_seconds, self.served)), database_seconds()
        began = time.perf_counter()
        taken = self._load(path, bodies, outcome, began + seconds)
        took = time.perf_counter() - began
        ours, theirs = sum(map(cpu_seconds, self.served)) - before, database_seconds() - base
        cost = f"{1e6 * ours / max(taken, 1):.0f} us of the service and {1e6 * theirs / max(taken, 1):.0f} us of the database each"
        row(name, taken / took, limit, f"{note}; {cost}".strip("; "))

    def _load(self, path: str, bodies: Iterator[bytes], outcome: str, ends_at: float) -> int:
        """Rows with this outcome, as the answers told."""
        counts, errors, lock = [], [], threading.Lock()

        def run() -> None:
            client = Client(self.port, self.key)
            try:
                while time.perf_counter() < ends_at:
                    with lock:
                        body = next(bodies, None)
                    if body is None:
                        return
                    counts.append(client.post(path, body).count(b'"outcome":"%s"' % outcome.encode()))
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return sum(counts)


def database_seconds() -> float:
    """CPU of PostgreSQL's processes of this user's installation so far; connections that have ended are not among them."""
    total, mine = 0.0, {child.pid for child in psutil.Process().children(recursive=True)}
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error):
            if process.info["name"] == "postgres" and process.pid in mine:
                total += cpu_seconds(process)
    return total


def made(bodies: Callable[[int], dict[str, Any]], start: int = 0) -> Iterator[bytes]:
    """Made before the clock starts: the client's own work is not measured."""
    return iter([json.dumps(bodies(start + n * BATCH)).encode() for n in range(200)])


def account() -> tuple[int, str]:
    from standfast.components.accounts.api import SCOPES, Account, User, make_key
    from standfast.components.audience.api import CustomField
    from standfast.platform import tenancy

    one = Account.objects.create(name="Benchmark", address="1 High Street")
    user = User.objects.create_user("bench@example.com", "correct horse battery", name="Bench")
    with tenancy.account_scope(one.pk):
        CustomField.objects.create(account=one, key="town", label="Town", field_type="text")
        CustomField.objects.create(account=one, key="visits", label="Visits", field_type="number")
        return one.pk, make_key(one, name="bench", scopes=SCOPES, by=user)[1]


def wrk(name: str, url: str, key: str) -> None:
    """One connection a call of the account at a time, under its limit of ten."""
    if shutil.which("wrk") is None:
        print(f"        {name:44} wrk is not here (Debian's package wrk)", flush=True)
        return
    command = ["wrk", "-t2", "-c8", "-d5s", "--latency", "-H", f"Authorization: Bearer {key}", url]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    slow = re.search(r"99%\s+(\S+)", said)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    note = f"99 % within {slow[1] if slow else '?'}" + (f"; {bad[1]} refused" if bad else "")
    row(name, float(rate[1]) if rate else 0.0, None, note)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
    with installation(role="app") as settings:
        account_id, key = account()
        port = settings.rest_port
        with service("rest_api", port=port) as process:
            client = Client(port, key)
            for body in itertools.islice(made(people), PEOPLE // BATCH):
                client.post("/contacts/bulk", body)
            meter = Meter(port, key, [process, *process.children(recursive=True)])
            each = f"batches of {BATCH:,}, {CLIENTS} clients"
            meter.measure(
                "events, durable, a second", "/events", made(happenings), "taken", seconds, EVENTS_LIMIT, each
            )
            meter.measure(
                "  the same again, known by their ids", "/events", made(happenings), "again", seconds / 2, None
            )
            new = made(people, 1_000_000)
            meter.measure("contacts made a second", "/contacts/bulk", new, "created", seconds, UPSERTS_LIMIT, each)
            meter.measure(
                "contacts changed a second", "/contacts/bulk", made(changed), "updated", seconds, UPSERTS_LIMIT
            )
            row("  the service's memory, MB", max(map(peak_mb, meter.served)), None)
            here = f"http://127.0.0.1:{port}"
            wrk("GET /api/v1/contacts a second", f"{here}/api/v1/contacts", key)
            email = "person1@people1.example"
            wrk(
                "GET contacts/email a second",
                f"{here}/accounts/{account_id}/contacts/email.json?contact[email]={email}",
                key,
            )


def changed(first: int) -> dict[str, Any]:
    """People who are there, with something new."""
    rows = people(first % PEOPLE)["contacts"]
    return {"contacts": [{**one, "first_name": f"Changed {first}"} for one in rows]}


if __name__ == "__main__":
    main()
