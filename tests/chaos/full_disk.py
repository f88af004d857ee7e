"""Disks fill up under a running installation, one after the other, and have room again: what was accepted is kept, everything
goes on by itself, nothing leaves twice.

    python -m tests.chaos.full_disk

Each disk is a small tmpfs in a mount namespace of this process alone, so it needs `unshare` (see `command`), not root.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.chaos.kills import Campaigns, Result, Stack, audit

INSIDE = "STANDFAST_TEST_NAMESPACE"
PARTS = {"inbox": "200m", "journal": "4m", "spool": "4m", "uploads": "8m"}
WHOLE = "700m"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Thunderbird/128.12.0"


def command() -> list[str] | None:
    """How to get a mount namespace here; None where the system gives none to this user."""
    ways = [["unshare", "-m"], ["unshare", "-Um", "--map-current-user", "--keep-caps"]]
    for way in ways if shutil.which("unshare") else []:
        probe = [*way, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return way
    return None


@dataclass
class Report:
    wrong: list[str] = field(default_factory=list)
    seen: dict[str, object] = field(default_factory=dict)
    books: Counter[str] = field(default_factory=Counter)

    def expect(self, fits: bool, otherwise: str) -> None:
        if not fits:
            self.wrong.append(otherwise)


class Disks:
    """A stack whose data is on small disks of its own."""

    def __init__(self, people: int) -> None:
        self.stack, self.people, self.report = Stack(), people, Report()
        self.var = self.stack.var
        _mount(self.var, WHOLE)
        for part, size in PARTS.items():
            (self.var / part).mkdir(mode=0o700)
            _mount(self.var / part, size)

    def begin(self) -> None:
        os.environ.update({k: v for k, v in self.stack.environment.items() if k.startswith("STANDFAST_")})
        from standfast.platform import config, postgres

        self.settings = config.load()
        self.stack.up()
        self.campaigns = Campaigns(postgres.dsn(self.settings, "loader"), self.settings, self.people)

    def fill(self, part: str = "") -> Path:
        """Leave no byte."""
        ballast = self.var / part / "ballast"
        with ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue
        return ballast

    def with_full(self, part: str, meanwhile: Callable[[], None], seconds: float) -> None:
        """A send is on its way when the disk fills (for the journal and the inbox: it begins then, and does not end before);
        it has ended some time after there is room again."""
        before = self.fill(part) if part in ("journal", "inbox") else None
        send_id = self.campaigns.start()
        self.until(lambda: self.cursor(send_id) > 1)
        ballast = before or self.fill(part)
        try:
            time.sleep(seconds)
            meanwhile()
            if before:
                self.report.expect(not self.campaigns.ended(send_id), f"sent in spite of a full {part}")
                problem = self.campaigns.query("SELECT problem FROM delivery_send WHERE id = %s", [send_id])[0][0]
                self.report.seen[f"problem with a full {part}"] = problem
        finally:
            ballast.unlink()
        began_at = time.monotonic()
        self.until(lambda: self.campaigns.ended(send_id), 90)
        self.report.seen[f"{part or 'whole'}_over_after_seconds"] = round(time.monotonic() - began_at, 1)

    def cursor(self, send_id: int) -> int:
        return int(self.campaigns.query("SELECT next_seq FROM delivery_send WHERE id = %s", [send_id])[0][0])

    def until(self, fits: Callable[[], bool], seconds: float = 60) -> None:
        give_up_at = time.monotonic() + seconds
        while not fits():
            assert time.monotonic() < give_up_at, f"waited too long; {self.report}"
            time.sleep(0.05)

    # What people notice meanwhile

    def click(self, count: int) -> Counter[int]:
        """Clicks on links of mail, each of its own recipient; answers by status."""
        from standfast.protocols.keys import derive
        from standfast.protocols.tokens import RecipientRef, seal_recipient, sign_link

        key, account_id, url = (
            derive(self.settings.secret(), "tokens"),
            self.campaigns.account_id,
            "https://shop.example/a",
        )
        signed = sign_link(key, account_id=account_id, send_id=1, link_id=1, url=url)
        answers: Counter[int] = Counter()
        for _ in range(count):
            self.clicks = getattr(self, "clicks", 0) + 1
            token = seal_recipient(key, RecipientRef(account_id, 1, self.clicks, self.clicks, int(time.time()) - 3600))
            answers[status(f"{self.settings.tracker_url}/c/{token}/1?u={quote(url, safe='')}&s={signed}")] += 1
        self.answered = getattr(self, "answered", Counter()) + answers
        return answers

    def clicks_counted(self) -> int:
        return int(self.campaigns.query(
            "SELECT coalesce(sum(value), 0) FROM tracking_sendcounter WHERE account_id = %s AND send_id = 1 AND name = 'clicks'",
            [self.campaigns.account_id],
        )[0][0])  # fmt: skip

    def application(self) -> tuple[int, str]:
        request = urllib.request.Request(f"{self.settings.application_url}/", headers={"User-Agent": AGENT})
        try:
            answer = urllib.request.urlopen(request, timeout=20)
            return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, repr(error)

    def logs(self) -> str:
        return "".join(path.read_text(errors="replace") for path in (self.var / "log").glob("*.log"))

    def judge(self) -> Report:
        self.campaigns.settle()
        result = Result(people=self.people)
        audit(result, self.campaigns, self.settings.inbox_dir)
        self.report.books = self.campaigns.books()
        self.report.expect(not result.duplicates, f"{result.duplicates} messages came twice")
        self.report.expect(not result.lost, f"{result.lost} messages are called what they are not")
        self.report.expect(not result.unfinished, f"{result.unfinished} recipients are left open")
        self.until(lambda: self.clicks_counted() >= self.answered[302], 30)
        self.report.expect(
            self.clicks_counted() == self.answered[302], f"{self.clicks_counted()} clicks of {self.answered}"
        )
        return self.report


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given: object) -> None:
        return None


_opener = urllib.request.build_opener(_Stay)


def status(url: str) -> int:
    try:
        return int(_opener.open(urllib.request.Request(url, headers={"User-Agent": AGENT}), timeout=20).status)
    except urllib.error.HTTPError as error:
        return int(error.code)
    except OSError:
        return 0


def _mount(path: Path, size: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], check=True)


def run(*, people: int, seconds: float, tell: Callable[[str], None] = print) -> Report:
    disks = Disks(people)
    try:
        disks.begin()
        report = disks.report

        def click() -> None:
            report.seen["clicks with a full spool"] = dict(disks.click(100))

        def look() -> None:
            report.seen["application with a full database"] = disks.application()[0], disks.application()[1][-300:]
            report.seen["clicks with a full database"] = dict(disks.click(5))

        moments: dict[str, Callable[[], None]] = {
            "inbox": lambda: None,
            "journal": lambda: None,
            "spool": click,
            "": look,
        }
        for part, meanwhile in moments.items():
            began_at = time.monotonic()
            disks.with_full(part, meanwhile, seconds)
            report.seen[f"clicks after {part or 'whole'}"] = dict(disks.click(20))
            tell(f"{part or 'the whole'}: {time.monotonic() - began_at:.1f} s")
        disks.judge()
        report.expect(
            "make room on the disk" in str(report.seen["problem with a full journal"]), "the page says nothing"
        )
        report.expect("No space left" in disks.logs(), "the logs say nothing")
        report.expect("Row(" not in disks.logs(), "the logs show people's data")
        report.expect(disks.stack.down() == 0, "the stack did not end well")
        return report
    finally:
        if disks.stack.process is not None and disks.stack.process.poll() is None:
            disks.stack.down()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=5)
    given = parser.parse_args()
    if INSIDE not in os.environ:
        way = command()
        if way is None:
            print("This system gives no mount namespace to this user.", file=sys.stderr)
            return 2
        line = [*way, sys.executable, "-m", "tests.chaos.full_disk", *sys.argv[1:]]
        return subprocess.run(line, env={**os.environ, INSIDE: "1"}, check=False).returncode
    report = run(people=given.people, seconds=given.seconds, tell=lambda text: print(text, file=sys.stderr, flush=True))
    print(json.dumps(vars(report)))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
