"""`make bench`: every figure beside its limit, in one run. It prints; it never asserts times: machines differ, so read the ratios.

python benchmarks/run.py [NAME ...]
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def sending() -> None:
    """The send path of one worker, freeze, memory; beside the bare signing rate of the same run."""
    from benchmarks import sending as bench

    found = bench.run()
    row(
        "send, messages a second of worker CPU",
        found["send"],
        2400,
        "all of it: lease, render, sign, SMTP, journal, ledger",
    )
    row(
        "  the bare RSA-2048 signing rate here", found["signing"], None, "what one core can sign with nothing around it"
    )
    row(
        "  share of the bare rate",
        100 * found["send"] / found["signing"],
        60,
        "%; the design's machine: 2,400 of 4,042",
    )
    row("  messages a second of wall time", found["send_wall"], None, "inbox and database share the other core")
    row("freeze, recipients a second", found["freeze"], 100_000, "one row each, judged in SQL")
    row("worker's memory, MB", found["worker_mb"], 200, "at most", most=True)


def folding() -> None:
    """Event folding: the log into roll-ups."""
    from benchmarks import folding as bench

    found = bench.run()
    row("events folded a second, a campaign's mixture", found["all"], 50_000, "wall time, database included")
    row("  deliveries alone", found["deliveries"], None)
    row("  opens and clicks alone", found["responses"], None)
    row("  reading the same rows only", found["reading"], None, "the bound")


def audience() -> None:
    """Import of contacts, end to end."""
    child("benchmarks.audience")


def tracker() -> None:
    """Durable events a second, beside bare uvloop."""
    child("benchmarks.tracker")


def content() -> None:
    """Rendering, beside python-liquid and EmailMessage."""
    child("benchmarks.content")


def smtp() -> None:
    """SMTP client and server, beside smtplib and raw bytes."""
    child("benchmarks.smtp")


def submission() -> None:
    """The SMTP API on one core, beside Postfix and Haraka."""
    child("benchmarks.submission")


def protocols() -> None:
    """Tokens, headers, DKIM, addresses, bounces."""
    child("benchmarks.protocols")


def rest() -> None:
    """Events and contacts through the REST service, over HTTP."""
    child("benchmarks.rest")


def pages() -> None:
    """Every page of an account with 100,000 people and a million events, in ms."""
    child("benchmarks.pages")


PARTS: list[Callable[[], None]] = [
    protocols,
    content,
    smtp,
    submission,
    tracker,
    audience,
    sending,
    folding,
    rest,
    pages,
]


def row(name: str, value: float, limit: float | None, note: str = "", *, most: bool = False) -> None:
    """One figure, its limit, and whether it is met."""
    met = "" if limit is None else ("  ok " if (value <= limit if most else value >= limit) else "MISS ")
    shown = "" if limit is None else f"{'<=' if most else '>='} {limit:,.0f}"
    print(f"  {met:5} {name:44} {value:12,.0f}   {shown:12} {note}", flush=True)


def child(module: str) -> None:
    """Run a benchmark in a process of its own; it prints its figures and limits itself."""
    done = subprocess.run([sys.executable, "-m", module], cwd=ROOT, check=False)
    if done.returncode:
        print(f"  {module} ended with status {done.returncode}", flush=True)


def part_in_child(name: str) -> None:
    """Parts that set up Django for an installation of their own must not share a process."""
    subprocess.run([sys.executable, str(Path(__file__)), "--part", name], cwd=ROOT, check=False)


def main() -> int:
    chosen = sys.argv[1:]
    if chosen[:1] == ["--part"]:
        next(part for part in PARTS if part.__name__ == chosen[1])()
        return 0
    print(f"{os.cpu_count()} cores. Rates are per second of CPU of the process in question unless said otherwise.")
    for part in PARTS:
        if not chosen or part.__name__ in chosen:
            print(f"\n{part.__name__}: {part.__doc__}", flush=True)
            part_in_child(part.__name__)
    return 0


if __name__ == "__main__":
    sys.exit(main())
