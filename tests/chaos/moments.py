"""Processes end, and database connections with them, at the worst moments: during an import, a freeze, the hand-over of a
scheduled campaign, the compiling of its content, a send, a cancel. Two workers of each kind share the work.

    python -m tests.chaos.moments --people 20000 --seconds 30
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import psutil
import psycopg

from tests.chaos.kills import Campaigns, Result, Stack, audit, patiently

TEND, SEND = "worker --part tend", "worker --part send"


@dataclass
class Report:
    """What was found wrong, in words; nothing when everything held. `books` of all sends together."""

    wrong: list[str] = field(default_factory=list)
    books: Counter[str] = field(default_factory=Counter)
    uncertain_max: int = 0
    kills: int = 0

    def expect(self, fits: bool, otherwise: str) -> None:
        if not fits:
            self.wrong.append(otherwise)


class Rough:
    """A stack with two tend workers (the second is ours) and two send workers, an account with people, and what may end."""

    def __init__(self, people: int, seed: int) -> None:
        self.stack = Stack(workers=2)
        self.people, self.chance, self.report = people, random.Random(seed), Report()
        self.second: subprocess.Popen[bytes] | None = None
        self.stop = threading.Event()

    def begin(self) -> None:
        import os

        os.environ.update({k: v for k, v in self.stack.environment.items() if k.startswith("STANDFAST_")})
        from standfast.platform import config, postgres

        self.settings = config.load()
        self.stack.up()
        self.campaigns = Campaigns(postgres.dsn(self.settings, "loader"), self.settings, self.people)
        self._keep = threading.Thread(target=self._keep_second, daemon=True)
        self._keep.start()

    def _keep_second(self) -> None:
        """What the supervisor does for its own."""
        command = [sys.executable, "-m", "standfast.cli", "run", "worker", "--part", "tend"]
        log = (self.stack.var / "log" / "second-tend.log").open("ab")
        while not self.stop.wait(0.2):
            if self.second is None or self.second.poll() is not None:
                self.second = subprocess.Popen(command, env=self.stack.environment, stdout=log, stderr=log)

    def end(self) -> None:
        self.stop.set()
        self._keep.join()
        if self.second is not None:
            self.second.terminate()
            self.second.wait(30)
        code = self.stack.down()
        self.report.expect(code == 0, f"the stack ended with status {code}")

    # What goes wrong

    def strike(self, part: str, how: signal.Signals = signal.SIGKILL) -> None:
        """End every worker of this part: kill -9, or SIGTERM which they may answer."""
        assert self.stack.process is not None
        for child in psutil.Process(self.stack.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if f"run {part}" in " ".join(child.cmdline()):
                    self._signal(child.pid, how)
        if part == TEND and self.second is not None:
            self._signal(self.second.pid, how)

    def _signal(self, pid: int, how: signal.Signals) -> None:
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).send_signal(how)
            self.report.kills += 1

    def cut_connections(self) -> None:
        """Every connection to the database but this one, as an administrator or a failing network would."""
        with psycopg.connect(self.campaigns.target, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            )

    @contextlib.contextmanager
    def cutting(self, every_seconds: float, seconds: float) -> Iterator[None]:
        """Connections are cut beside what the block does, for so long."""

        def cut() -> None:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                with contextlib.suppress(psycopg.OperationalError):
                    self.cut_connections()
                time.sleep(every_seconds)

        thread = threading.Thread(target=cut, daemon=True)
        thread.start()
        yield
        thread.join()

    # What a person does, through the components

    def act(self, call: Callable[[], object]) -> object:
        """In the account's scope, again when the database cut us off."""
        from django.db import InterfaceError, OperationalError, connection

        def once() -> object:
            try:
                with self.campaigns.scope(self.campaigns.account_id):
                    return call()
            except (OperationalError, InterfaceError) as error:
                connection.close()
                raise psycopg.OperationalError(str(error)) from error

        return patiently(once)

    def campaign(self, *, in_seconds: float | None = None) -> int:
        """A campaign to everybody, on its way now or soon; returns its id."""
        from standfast.components.campaigns import api
        from standfast.components.content.api import Content

        account_id, sources = self.campaigns.account_id, self.campaigns.sources

        def make() -> int:
            content = Content.objects.create(
                account_id=account_id, name="Letter", subject=str(sources["subject"]), source_kind="html",
                source=str(sources["html"]).replace("</body>", "{{ campaign.unsubscribe_url }} {{ campaign.address }}</body>"),
            )  # fmt: skip
            made = api.Campaign.objects.create(
                account_id=account_id, name="Rough", from_name="Alice", from_email="news@shop.example", content=content,
                list_ids=[self.campaigns.list_id], language="en",
            )  # fmt: skip
            at = None if in_seconds is None else dt.datetime.now(dt.UTC) + dt.timedelta(seconds=in_seconds)
            api.schedule(account_id=account_id, campaign_id=made.pk, at=at)
            return int(made.pk)

        made = self.act(make)
        assert isinstance(made, int)
        return made

    def cancel(self, campaign_id: int) -> None:
        from standfast.components.campaigns import api

        def call() -> None:
            with contextlib.suppress(api.IllegalMove):  # a cut connection may have hidden that it was done
                api.cancel(account_id=self.campaigns.account_id, campaign_id=campaign_id)

        self.act(call)

    def row(self, campaign_id: int) -> tuple[str, int | None, int, str]:
        """(state, send, its cursor, its state)"""
        return self.campaigns.query(
            "SELECT c.state, c.send_id, coalesce(s.next_seq, 0), coalesce(s.state, '') FROM campaigns_campaign c "
            "LEFT JOIN delivery_send s ON s.id = c.send_id WHERE c.account_id = %s AND c.id = %s",
            [self.campaigns.account_id, campaign_id],
        )[0]

    def wait(self, campaign_id: int, fits: Callable[[str, int | None, int, str], bool], seconds: float = 60) -> None:
        give_up_at = time.monotonic() + seconds
        while not fits(*self.row(campaign_id)):
            if time.monotonic() > give_up_at:
                raise AssertionError(f"campaign {campaign_id} stays {self.row(campaign_id)}")
            time.sleep(0.02)

    # The moments

    def during_an_import(self, rows: int, strikes: int = 3) -> None:
        from standfast.components.audience import starting
        from standfast.components.audience.models import List

        path = self.stack.var / "people.csv"
        path.write_text("email,first name\n" + "".join(f"i{n}@import.example,Person {n}\n" for n in range(rows)))
        account_id = self.campaigns.account_id

        def start() -> int:
            found = List.objects.filter(account_id=account_id, name="Imported").first()
            found = found or List.objects.create(account_id=account_id, name="Imported")
            return int(starting.import_file(account_id=account_id, path=path, file_name="p.csv", list_id=found.pk).pk)

        number = self.act(start)

        def state() -> tuple[str, int, int, str]:
            return self.campaigns.query(
                "SELECT state, rows_done, created_count, problem FROM audience_import WHERE account_id = %s AND id = %s",
                [account_id, number],
            )[0]  # type: ignore[return-value]

        self._until(lambda: state()[1] > 0 or state()[0] not in ("waiting", "running"))
        for n in range(strikes):
            self.strike(TEND, signal.SIGTERM if n % 2 else signal.SIGKILL)
            time.sleep(self.chance.uniform(0.5, 2.0))
        self._until(lambda: state()[0] not in ("waiting", "running"), seconds=120)
        there = self.campaigns.query(
            "SELECT count(*) FROM audience_contact WHERE account_id = %s AND email LIKE 'i%%@import.example'",
            [account_id],
        )[0][0]
        self.report.expect(
            state() == ("done", rows, rows, "") and there == rows, f"import: {state()}, {there} of {rows} contacts"
        )

    def _until(self, fits: Callable[[], bool], seconds: float = 60) -> None:
        give_up_at = time.monotonic() + seconds
        while not fits():
            assert time.monotonic() < give_up_at, "waited too long"
            time.sleep(0.03)

    def during_a_freeze(self) -> None:
        campaign_id = self.campaign()
        self._until(lambda: bool(self._freezing()) or self.row(campaign_id)[0] != "freezing")
        self.strike(TEND, signal.SIGKILL)
        self._until(lambda: bool(self._freezing()) or self.row(campaign_id)[0] != "freezing")
        self.strike(TEND, signal.SIGTERM)
        self.sent(campaign_id)

    def _freezing(self) -> list[tuple]:
        return self.campaigns.query(
            "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s AND pid <> pg_backend_pid()",
            ["%INSERT INTO delivery_recipient%"],
        )

    def during_the_hand_over(self) -> None:
        campaign_id = self.campaign(in_seconds=1.0)
        for _ in range(3):
            time.sleep(self.chance.uniform(0.3, 0.6))
            self.strike(TEND, signal.SIGKILL)
        self.sent(campaign_id)

    def during_compiling_and_sending(self) -> None:
        campaign_id = self.campaign()
        self.wait(campaign_id, lambda state, send, cursor, _: send is not None)
        self.strike(SEND, signal.SIGKILL)  # before or while it compiles
        self.wait(campaign_id, lambda state, send, cursor, _: cursor > 1 or state != "sending")
        time.sleep(0.1)
        self.strike(SEND, signal.SIGKILL)
        time.sleep(1)
        self.strike(SEND, signal.SIGTERM)
        self.sent(campaign_id)

    def during_a_cancel(self) -> None:
        campaign_id = self.campaign()
        self.wait(campaign_id, lambda state, send, cursor, _: cursor > 1 or state != "freezing")
        time.sleep(0.3)
        self.cancel(campaign_id)
        self.strike(TEND, signal.SIGKILL)
        self.strike(SEND, signal.SIGKILL)
        self.wait(campaign_id, lambda state, *_: state in ("cancelled", "sent"))
        self._until(self._all_settled)

    def during_cut_connections(self, every_seconds: float, seconds: float) -> None:
        with self.cutting(every_seconds, seconds):
            campaign_id = self.campaign()
            time.sleep(seconds / 2)
            second = self.campaign()
        self.sent(campaign_id)
        self.sent(second)

    def sent(self, campaign_id: int) -> None:
        self.wait(campaign_id, lambda state, *_: state == "sent", seconds=120)

    def _all_settled(self) -> bool:
        return not self.campaigns.query(
            "SELECT 1 FROM delivery_recipient WHERE account_id = %s AND status IN (0, 2) LIMIT 1",
            [self.campaigns.account_id],
        )

    # The truth

    def judge(self) -> Report:
        """Nothing lost, nothing twice, every event folded once."""
        report, account_id = self.report, self.campaigns.account_id
        self.campaigns.settle()
        result = Result(people=self.people)
        audit(result, self.campaigns, self.settings.inbox_dir)
        report.books = self.campaigns.books()
        report.uncertain_max = 24 * report.kills
        report.expect(not result.duplicates, f"{result.duplicates} messages came twice")
        report.expect(not result.lost, f"{result.lost} messages are called what they are not")
        report.expect(not result.unfinished, f"{result.unfinished} recipients are left open")
        report.expect(report.books["uncertain"] <= report.uncertain_max, f"{report.books['uncertain']} are uncertain")
        twice = self.campaigns.query(
            "SELECT send_id, seq FROM event WHERE account_id = %s AND kind = 'delivered' GROUP BY 1, 2 HAVING count(*) > 1",
            [account_id],
        )
        report.expect(not twice, f"{len(twice)} deliveries are told twice")
        sends = self.campaigns.query(
            "SELECT campaign_id, count(*) FROM delivery_send WHERE account_id = %s GROUP BY 1 HAVING count(*) > 1",
            [account_id],
        )
        report.expect(not sends, f"frozen more than once: {sends}")
        self._until(lambda: self._folded() == self._delivered(), seconds=30)
        return report

    def _folded(self) -> int:
        return int(self.campaigns.query(
            "SELECT coalesce(sum(value), 0) FROM tracking_sendcounter WHERE account_id = %s AND name = 'delivered'",
            [self.campaigns.account_id],
        )[0][0])  # fmt: skip

    def _delivered(self) -> int:
        return int(self.campaigns.query(
            "SELECT count(*) FROM delivery_recipient WHERE account_id = %s AND status = 1", [self.campaigns.account_id]
        )[0][0])  # fmt: skip


def run(
    *,
    people: int,
    seconds: float,
    rows: int,
    seed: int = 1,
    only: Sequence[str] = (),
    tell: Callable[[str], None] = print,
) -> Report:
    """Every moment once, in one installation."""
    rough = Rough(people, seed)
    try:
        rough.begin()
        moments: list[tuple[str, Callable[[], None]]] = [
            ("import", lambda: rough.during_an_import(rows)),
            ("freeze", rough.during_a_freeze),
            ("hand-over", rough.during_the_hand_over),
            ("compile and send", rough.during_compiling_and_sending),
            ("cancel", rough.during_a_cancel),
            ("cut connections", lambda: rough.during_cut_connections(min(2.0, seconds / 4), seconds)),
        ]
        for name, moment in [one for one in moments if not only or one[0] in only]:
            began_at = time.monotonic()
            moment()
            tell(f"{name}: {time.monotonic() - began_at:.1f} s")
        report = rough.judge()
        rough.end()
        return report
    finally:
        rough.stop.set()
        if rough.second is not None and rough.second.poll() is None:
            rough.second.kill()
        if rough.stack.process is not None and rough.stack.process.poll() is None:
            rough.stack.down()
        rough.stack.remove()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[], help="names of moments")
    given = parser.parse_args()
    report = run(people=given.people, seconds=given.seconds, rows=given.rows, seed=given.seed, only=given.only,
                 tell=lambda text: print(text, file=sys.stderr, flush=True))  # fmt: skip
    print(json.dumps(vars(report)))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
