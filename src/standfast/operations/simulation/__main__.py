"""Simulations, from the command line.

python -m standfast.operations.simulation --seeds 10000          all invariants, many seeds; prints seeds that fail
python -m standfast.operations.simulation --seed 4711            one seed, with its weather
python -m standfast.operations.simulation false-alarms           30 days at 5 % probe loss
python -m standfast.operations.simulation detection              real sockets, real time: seconds to find each kind
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from standfast.operations.simulation.run import Verdict, run
from standfast.operations.simulation.weather import draw


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 when an invariant was broken or a measure missed its limit."""
    parser = argparse.ArgumentParser(
        prog="python -m standfast.operations.simulation", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("part", nargs="?", choices=("seeds", "false-alarms", "detection"), default="seeds")
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one alone, with its weather")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--days", type=float, default=30.0, help="false-alarms: simulated days")
    parser.add_argument("--loss", type=float, default=0.05, help="false-alarms: share of probes lost")
    parser.add_argument("--checks", type=int, default=1, help="false-alarms: so many targets at once")
    parser.add_argument("--trials", type=int, default=5, help="detection: trials of each kind")
    given = parser.parse_args(arguments)
    if given.part == "false-alarms":
        return _false_alarms(given.days, given.loss, given.checks)
    if given.part == "detection":
        from standfast.operations.simulation.detection import measure

        return measure(trials=given.trials)
    if given.seed is not None:
        return _one(given.seed)
    return _many(range(given.first, given.first + given.seeds), given.processes)


def _one(seed: int) -> int:
    print(draw(seed))
    verdict = run(seed)
    print(
        f"found after {', '.join(f'{seconds:.1f} s' for seconds in verdict.seconds_to_find) or '-'}; {verdict.counts}"
    )
    print("\n".join(verdict.broken) or "every invariant held")
    return 1 if verdict.broken else 0


def _many(seeds: Iterable[int], processes: int) -> int:
    begun, failed, found, counts, done = time.monotonic(), 0, list[float](), Counter[str](), 0
    for verdict in _verdicts(seeds, processes):
        done += 1
        found += verdict.seconds_to_find
        counts.update(verdict.counts)
        if verdict.broken:
            failed += 1
            print(f"seed {verdict.seed}: {'; '.join(verdict.broken)}")
            print(f"  again with: python -m standfast.operations.simulation --seed {verdict.seed}", flush=True)
    found.sort()
    print(f"{done} seeds in {time.monotonic() - begun:.0f} s, {failed} failed")
    if found:
        print(
            f"{len(found)} lasting outages, while nobody was stopped, killed or away, found after"
            f" {found[len(found) // 2]:.1f} s (p50),"
            f" {found[int(len(found) * 0.99)]:.1f} s (p99), {found[-1]:.1f} s (max)"
        )
    wanted = ("incident_opened", "incident_reopened", "post", "failover_decided", "gap", "vantage_absent", "blind")
    print(", ".join(f"{counts[kind]} {kind}" for kind in wanted))
    return 1 if failed else 0


def _verdicts(seeds: Iterable[int], processes: int) -> Iterable[Verdict]:
    if processes == 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(run, seeds, chunksize=20)


def _false_alarms(days: float, loss: float, checks: int) -> int:
    from standfast.operations.simulation.false_alarms import count_false_alarms

    begun = time.monotonic()
    alarms = count_false_alarms(days=days, loss=loss, checks=checks)
    print(
        f"{alarms.downs} false alarms in {alarms.check_days:g} check-days at {loss:.1%} probe loss"
        f" ({time.monotonic() - begun:.0f} s)"
    )
    return 1 if alarms.downs else 0


if __name__ == "__main__":
    sys.exit(main())
