"""`standfast demo`: the main job without a browser, and a scoreboard that must balance.

Made-up people through the real importer, a real newsletter by the real worker over SMTP to the bundled inbox, whose readers
open, click, bounce, complain and unsubscribe over real HTTP and SMTP. Then the books: what the inbox and its readers know
against what the reports say.
"""

from __future__ import annotations

import csv
import json
import os
import random
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

FIRST_NAMES = [
    "Ada",
    "Ben",
    "Chiara",
    "Deniz",
    "Emil",
    "Fatima",
    "Goran",
    "Hana",
    "Inès",
    "Jonas",
    "Kenji",
    "Lena",
    "Noor",
]
LAST_NAMES = [
    "Abadi",
    "Brandt",
    "Costa",
    "Dimitrov",
    "Evans",
    "Fischer",
    "García",
    "Ito",
    "Kowalski",
    "Novák",
    "Okafor",
]
CITIES = ["Toronto", "Montréal", "Lisboa", "Kraków", "München", "São Paulo", "Zürich", "Málaga", "Oslo", "Kyoto"]
DOMAINS = [
    ("gmail.example", 45),
    ("yahoo.example", 12),
    ("outlook.example", 18),
    ("icloud.example", 8),
    ("shop.example", 17),
]
PLAN = "defer=0.02,refuse=0.01,drop_after_dot=0.0002,drop_after_accept=0.0002,slow=0.0005,slow_seconds=0.2"
SETTLE_SECONDS_MAX = 120


def run(*, contacts: int, as_json: bool, seed: int) -> int:
    """Run the demo; returns 0 when the books balance, 1 when they do not, 2 when it could not be run."""
    if not 1 <= contacts <= 5_000_000:
        print("--contacts takes a number from 1 to 5000000", file=sys.stderr)
        return 2
    directory = Path(tempfile.mkdtemp(prefix="standfast-demo-"))
    _environment(directory, seed)
    from standfast.platform import config
    from standfast.supervisor import Supervisor

    tell: Callable[[str], None] = (lambda text: None) if as_json else _progress
    supervisor = Supervisor(config.load(), quiet=True)
    try:
        tell("Starting database, application, tracker, mail exchanger, workers and inbox ...")
        supervisor.start()
        demo = Demo(contacts=contacts, seed=seed, directory=directory, tell=tell)
        board = demo.run()
        board["memory_mb"] = _peak_memory(supervisor)
        supervisor.stop()
        wrong = board["differences"]
        print(json.dumps(board, indent=2) if as_json else _scoreboard(board))
        return 1 if wrong else 0
    finally:
        supervisor.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _environment(directory: Path, seed: int) -> None:
    """A place and ports of the demo's own: it touches nothing of an installation beside it."""
    from standfast.platform import config

    probes = [socket.socket() for _ in config.PORT_VARIABLES]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    pairs = zip(config.PORT_VARIABLES, probes, strict=True)
    os.environ.update({name: str(probe.getsockname()[1]) for name, probe in pairs})
    for probe in probes:
        probe.close()
    os.environ["STANDFAST_VAR"] = str(directory)
    os.environ["STANDFAST_HOST"] = "127.0.0.1"
    os.environ["STANDFAST_INBOX_PLAN"] = f"seed:{seed},{PLAN}"
    os.environ["STANDFAST_INBOX_READERS"] = f"seed:{seed},delay_scale=0.2"
    for name in ("DATABASE_URL", "STANDFAST_TRACKER_URL", "STANDFAST_URL", "STANDFAST_DATABASE_ROLE"):
        os.environ.pop(name, None)


def _progress(text: str) -> None:
    passing = "%" in text
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="" if passing else "\n", flush=True)
    elif not passing:
        print(text, flush=True)


class Demo:
    """The way itself, against the running installation, by the same functions that the pages call."""

    def __init__(self, *, contacts: int, seed: int, directory: Path, tell: Callable[[str], None]) -> None:
        import django

        django.setup()
        self.contacts, self.chance, self.directory, self.tell = contacts, random.Random(seed), directory, tell  # noqa: S311
        self.board: dict[str, Any] = {"contacts": contacts, "seed": seed}

    def run(self) -> dict[str, Any]:
        self._make_account()
        self._import(self._make_file())
        campaign_id = self._send()
        self._wait_for_readers()
        self._count(campaign_id)
        return self.board

    def _make_account(self) -> None:
        from standfast.components.accounts.api import User, create_account
        from standfast.components.audience.api import List
        from standfast.components.delivery import api as delivery
        from standfast.platform.tenancy import account_scope

        user = User.objects.create_user("demo@standfast.test", secrets.token_urlsafe(16), name="Demo")
        self.account = create_account(
            user, name="Demo shop", time_zone="Europe/Berlin", address="1 High Street, Toronto"
        )
        with account_scope(self.account.pk):
            self.list_id = List.objects.create(account=self.account, name="Newsletter").pk
            delivery.add_domain(account_id=self.account.pk, domain="demo-shop.example")
            delivery.Route.objects.create(account=self.account, retry_seconds=2, retry_seconds_max=8, life_seconds=3600)

    def _make_file(self) -> Path:
        path = self.directory / "people.csv"
        domains, weights = zip(*DOMAINS, strict=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["E-Mail", "First name", "Last name", "City", "Points", "Member since"])
            for number in range(self.contacts):
                first, last = self.chance.choice(FIRST_NAMES), self.chance.choice(LAST_NAMES)
                domain = self.chance.choices(domains, weights)[0]
                since = f"20{self.chance.randrange(10, 26)}-{self.chance.randrange(1, 13):02}-{self.chance.randrange(1, 29):02}"
                writer.writerow([f"person.{number}@{domain}", first, last, self.chance.choice(CITIES),
                                 self.chance.randrange(5000), since])  # fmt: skip
            # What real files hold: rows that must be refused, each with a reason.
            writer.writerow(["not an address", "Bad", "Row", "", "", ""])
            writer.writerow(["two@@signs.example", "Bad", "Row", "", "", ""])
        self.board["file_mb"] = round(path.stat().st_size / 1e6, 1)
        return path

    def _import(self, path: Path) -> None:
        from standfast.components.audience import api as audience
        from standfast.platform.tenancy import account_scope

        began = time.monotonic()
        with account_scope(self.account.pk):
            started = audience.import_file(
                account_id=self.account.pk, path=path, file_name=path.name, list_id=self.list_id
            )
        while True:
            with account_scope(self.account.pk):
                found = audience.Import.objects.get(pk=started.pk)
            self.tell(f"Importing: {100 * found.bytes_done // max(found.size_bytes, 1)} %")
            if found.state in ("done", "failed", "cancelled"):
                break
            time.sleep(0.2)
        if found.state != "done":
            raise SystemExit(f"The import failed: {found.problem}")
        seconds = time.monotonic() - began
        self.board |= {"imported": found.created_count + found.updated_count, "rejected": found.rejected_count,
                       "import_seconds": round(seconds, 2), "import_rate": round(found.rows_done / seconds)}  # fmt: skip
        self.tell(f"Imported {self.board['imported']:,} people, {found.rejected_count} rows refused with reasons.")

    def _send(self) -> int:
        from standfast.components.campaigns import api as campaigns
        from standfast.components.content.api import Content, example_newsletter
        from standfast.platform.tenancy import account_scope

        with account_scope(self.account.pk):
            content = Content.objects.create(
                account=self.account, name="Newsletter", subject="{{ contact.first_name | default: 'Hello' }}, what is new",
                preheader="Three minutes of reading", source_kind="html", source=example_newsletter().source,
            )  # fmt: skip
            campaign = campaigns.Campaign.objects.create(
                account=self.account, name="Demo newsletter", content=content, from_name="Demo shop",
                from_email="news@demo-shop.example", list_ids=[self.list_id],
            )  # fmt: skip
            campaigns.schedule(account_id=self.account.pk, campaign_id=campaign.pk, at=None)
        began, first_at, done_at = time.monotonic(), 0.0, 0.0
        while True:
            with account_scope(self.account.pk):
                campaign = campaigns.Campaign.objects.select_related("send").get(pk=campaign.pk)
            send = campaign.send
            if send is not None:
                first_at = first_at or time.monotonic()
                if send.next_seq > send.total:
                    done_at = done_at or time.monotonic()
                self.tell(f"Sending: {100 * (send.next_seq - 1) // max(send.total, 1)} % of {send.total:,}")
            if campaign.state not in ("freezing", "sending"):
                break
            time.sleep(0.1)
        if campaign.state != "sent":
            hold = campaigns.Hold.objects.filter(campaign=campaign).last()
            raise SystemExit(f"The campaign is {campaign.state}: {hold.detail if hold else ''}")
        assert campaign.send is not None
        self.board |= {"freeze_seconds": round(first_at - began, 2), "send_seconds": round(done_at - first_at, 2),
                       "send_rate": round(campaign.send.total / max(done_at - first_at, 0.001))}  # fmt: skip
        self.tell(f"Sent to {campaign.send.total:,} people.")
        return campaign.pk

    def _wait_for_readers(self) -> None:
        """Until the readers have done all they want and the log and its consumers have caught up."""
        from standfast.platform import config, mail_store
        from standfast.services.inbox.readers import read_tally

        inbox = config.load().inbox_dir
        give_up_at = time.monotonic() + SETTLE_SECONDS_MAX
        expected = mail_store.count_messages(inbox)
        while time.monotonic() < give_up_at:
            self.tally = read_tally(inbox)
            if self.tally.get("seen", 0) >= expected and not self.tally.get("pending", 1):
                break
            self.tell(
                f"Readers read: {100 * self.tally.get('seen', 0) // max(expected, 1)} %, {self.tally.get('pending')} to go"
            )
            time.sleep(0.5)
        self._wait_for_consumers(give_up_at)

    def _wait_for_consumers(self, give_up_at: float) -> None:
        """Until the spools are shipped (the log stands still) and every consumer has read the log to its end."""
        from django.db import connection

        from standfast.platform import consumers
        from standfast.platform.tenancy import account_scope

        quiet, before = 0, -1
        while quiet < 5 and time.monotonic() < give_up_at:
            with account_scope(self.account.pk), connection.cursor() as cursor:
                head, behind = consumers.positions(cursor, account_id=self.account.pk)
            quiet = quiet + 1 if head == behind == before else 0
            before = head
            time.sleep(0.3)

    def _count(self, campaign_id: int) -> None:
        from standfast.components.campaigns.api import Campaign
        from standfast.components.delivery import api as delivery
        from standfast.platform import config, mail_store
        from standfast.platform.tenancy import account_scope

        with account_scope(self.account.pk):
            campaign = Campaign.objects.select_related("send").get(pk=campaign_id)
            assert campaign.send is not None
            books = delivery.books(account_id=self.account.pk, send_id=campaign.send.pk)
            counters = _counters(self.account.pk, campaign.send.pk)
        received = Counter(mail_store.message_ids(config.load().inbox_dir))
        done = Counter(self.tally.get("done", {}))
        self.board |= {
            "frozen": campaign.send.total, "skipped": sum(campaign.skipped.values()), "books": books,
            "reports": counters, "readers": dict(done), "received": sum(received.values()),
            }  # fmt: skip
        self.board["differences"] = self._differences(campaign, books, counters, received, done)

    def _differences(
        self, campaign: Any, books: dict[str, int], counters: dict[str, int], received: Counter[str], done: Counter[str]
    ) -> list[str]:
        """Every sentence here is a book that does not balance."""
        found = []

        def same(what: str, one: int, other: int) -> None:
            if one != other:
                found.append(f"{what}: {one} is not {other}")

        same("imported people and rows of the file", self.board["imported"], self.contacts)
        same(
            "frozen and skipped people, and imported ones",
            campaign.send.total + self.board["skipped"],
            self.board["imported"],
        )
        same("recipients of all statuses and frozen ones", sum(books.values()), campaign.send.total)
        same("recipients without an end", books["pending"] + books["deferred"], 0)
        same("Message-IDs received twice", sum(count - 1 for count in received.values()), 0)
        total = sum(received.values())
        if not books["delivered"] <= total <= books["delivered"] + books["uncertain"]:
            found.append(f"received {total}, but delivered {books['delivered']} and uncertain {books['uncertain']}")
        same("delivered in reports and in the ledger", counters.get("delivered", 0), books["delivered"])
        people = done["person_open"]
        same("people who opened, by the reports and by the readers", counters.get("opens_unique", 0), people)
        same(
            "people who clicked, by the reports and by the readers",
            counters.get("clicks_unique", 0),
            done["person_click"],
        )
        same("unsubscribed, by the reports and by the readers", counters.get("unsubscribed", 0),
             done["one_click_unsubscribe"] + done["page_unsubscribe"])  # fmt: skip
        same("complaints, by the reports and by the readers", counters.get("complained", 0), done["complaint"])
        same("actions that were not answered", sum(self.tally.get("failed", {}).values()), 0)
        return found


def _counters(account_id: int, send_id: int) -> dict[str, int]:
    from standfast.components.tracking.api import SendCounter

    return dict(SendCounter.objects.filter(account_id=account_id, send_id=send_id).values_list("name", "value"))


def _peak_memory(supervisor: Any) -> dict[str, int]:
    """Highest resident size of each service so far, in MB."""
    peaks = {}
    for child in supervisor.services:
        family = [psutil.Process(child.process.pid)]
        family += family[0].children(recursive=True)
        peaks[child.name] = max(_high_water(process.pid) for process in family)
    return peaks


def _high_water(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) // 1024
    except OSError:
        pass
    return 0


def _scoreboard(board: dict[str, Any]) -> str:
    from rich.console import Console
    from rich.table import Table

    books, reports = board["books"], board["reports"]
    table = Table(title="Standfast demo", title_justify="left", show_header=False, box=None, padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")

    def row(name: str, value: int, note: str = "") -> None:
        table.add_row(name, f"{value:,}", note)

    row(
        "imported",
        board["imported"],
        f"{board['import_rate']:,} rows/s; {board['rejected']} refused with line and reason",
    )
    row("sent", board["frozen"], f"{board['send_rate']:,} messages/s; {board['skipped']} skipped")
    row("delivered", books["delivered"])
    row("deferred, then settled", reports.get("deferred", 0))
    row("bounced", books["bounced"] + books["expired"])
    row("uncertain", books["uncertain"], "lost between the final dot and the reply; held, not sent again")
    row("opened by people", reports.get("opens_unique", 0), f"machines {reports.get('machine_opens', 0):,}")
    row("clicked by people", reports.get("clicks_unique", 0), f"machines {reports.get('machine_clicks', 0):,}")
    row("unsubscribed", reports.get("unsubscribed", 0), "scanners that looked at the page: none of them")
    row("complained", reports.get("complained", 0))
    row("received by the inbox", board["received"], "each Message-ID once")
    peak = max(board["memory_mb"].items(), key=lambda pair: pair[1])
    row("peak memory, MB", peak[1], f"the largest process: {peak[0]}")
    console = Console(width=100, highlight=False)
    with console.capture() as captured:
        console.print(table)
    wrong = board["differences"]
    end = (
        "The books balance."
        if not wrong
        else "THE BOOKS DO NOT BALANCE:\n" + "\n".join(f"  - {line}" for line in wrong)
    )
    return f"{captured.get()}\n{end}"
