"""Rows imported per second, end to end, and peak memory: `python benchmarks/audience.py [rows]`.

Makes a throw-away installation, a file of seven columns and an account, imports it twice (all new, then all known), and folds
a made-up log into summaries.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil


def write_file(path: Path, rows: int) -> None:
    with path.open("w") as file:
        file.write("E-Mail,First name,Last name,City,Points,Member since,VIP\n")
        for n in range(rows):
            who = f"person.{n}@mail{n % 997}.example,First {n % 500},Last {n % 3000}"
            file.write(f"{who},City {n % 50},{n % 5000},20{10 + n % 15}-0{1 + n % 9}-11,yes\n")


def python_seconds() -> float:
    """CPU of this process and of the ones that read files."""
    return sum(
        use.ru_utime + use.ru_stime for use in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def backend_seconds(connection: Any) -> float:
    """CPU of the database's process for this connection, which runs on this machine."""
    times = psutil.Process(connection.info.backend_pid).cpu_times()
    return float(times.user + times.system)


def measure(connection: Any, account_id: int, path: Path, list_id: int, rows: int, name: str) -> None:
    from standfast.components.audience import api
    from standfast.components.audience.importing import run_import
    from standfast.platform.tenancy import account_scope

    with account_scope(account_id):
        found = api.import_file(account_id=account_id, path=path, file_name=path.name, list_id=list_id)
    began, cpu = time.perf_counter(), python_seconds()
    database = backend_seconds(connection)
    run_import(connection, account_id=account_id, import_id=found.pk)
    took, cpu = time.perf_counter() - began, python_seconds() - cpu
    database = backend_seconds(connection) - database
    with account_scope(account_id):
        found.refresh_from_db()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{name}: {rows / took:,.0f} rows/s of wall time (limit 50,000), CPU a row: "
          f"{database / rows * 1e6:.1f} us PostgreSQL beside {cpu / rows * 1e6:.1f} us Python, peak {peak} MB, {found.state}, "
          f"{found.created_count:,} new, {found.updated_count:,} updated, {found.unchanged_count:,} unchanged")  # fmt: skip


def look(account_id: int, list_id: int, rows: int) -> None:
    """What the pages ask for, in milliseconds."""
    from standfast.components.audience import searching
    from standfast.platform.tenancy import account_scope

    questions: dict[str, Callable[[], object]] = {
        "newest": lambda: searching.newest(account_id=account_id, before=None),
        "of a list": lambda: searching.newest(account_id=account_id, before=rows // 2, list_id=list_id),
        "by address": lambda: searching.search(account_id=account_id, text="person.777"),
        "by name": lambda: searching.search(account_id=account_id, text="last 29"),
        "nobody": lambda: searching.search(account_id=account_id, text="zzz"),
        "count": lambda: searching.count_up_to("audience_contact", "account_id = %s", [account_id]),
        "list sizes": lambda: searching.list_sizes(account_id=account_id, list_ids=[list_id]),
    }
    for name, question in questions.items():
        with account_scope(account_id):
            began = time.perf_counter()
            question()
            print(f"{name}: {(time.perf_counter() - began) * 1e3:.1f} ms")


def fold(connection: Any, account_id: int) -> None:
    from standfast.components.audience.consumers import SUMMARY
    from standfast.platform import consumers

    connection.execute("DELETE FROM event_cursor WHERE account_id = %s", [account_id])
    with connection.transaction():
        connection.execute("UPDATE event SET kind = 'delivered' WHERE account_id = %s", [account_id])
    began, read = time.perf_counter(), 0
    while done := consumers.advance(connection, SUMMARY, account_id):
        read += done
    print(f"summaries: {read / (time.perf_counter() - began):,.0f} events/s over {read:,} events")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    directory = Path(tempfile.mkdtemp(prefix="sf-bench-"))
    os.environ |= {"STANDFAST_VAR": str(directory), "DJANGO_SETTINGS_MODULE": "standfast.settings"}
    import django
    import psycopg

    django.setup()
    from standfast.components.accounts.api import Account
    from standfast.components.audience import api
    from standfast.platform import config, postgres
    from standfast.platform.tenancy import account_scope

    server = postgres.start(config.load())
    try:
        subprocess.run([sys.executable, "-m", "standfast.cli", "migrate"], check=True, stdout=subprocess.DEVNULL)
        account = Account.objects.create(name="Bench", address="1 High Street")
        with account_scope(account.pk):
            place = api.create_list(account_id=account.pk, name="Everybody")
        path = directory / "people.csv"
        write_file(path, rows)
        with psycopg.connect(postgres.dsn(config.load(), "loader"), autocommit=True) as connection:
            measure(connection, account.pk, path, place.pk, rows, "new")
            measure(connection, account.pk, path, place.pk, rows, "again")
            fold(connection, account.pk)
        look(account.pk, place.pk, rows)
    finally:
        postgres.stop(server)
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
