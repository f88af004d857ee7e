"""Thirty controllers in thirty processes race: one wins. A controller killed at any step is carried on. Never empty."""

from __future__ import annotations

import contextlib
import datetime as dt
import multiprocessing
import threading
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import pytest

from standfast.operations.failover.authority import Changed, Fenced, Generation, Standing
from standfast.operations.failover.history import History
from standfast.operations.failover.tests import rival
from standfast.operations.failover.tests.ground import STANDBY, Providers, make_authorities, of_kind
from standfast.operations.incidents.entries import Kind
from standfast.operations.log import Log

RIVALS = 30

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([rival.__name__])


class Watch(threading.Thread):
    """Asks both servers for a record until stopped, and keeps every set of addresses that it saw."""

    def __init__(self, providers: Providers, record: str) -> None:
        super().__init__(daemon=True)
        self.servers = [providers.bind, providers.knot]
        self.query = dns.message.make_query(record, "A")
        self.seen: list[tuple[str, ...]] = []
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            for server in self.servers:
                with contextlib.suppress(
                    dns.exception.Timeout
                ):  # a busy machine loses packets; none is not an empty one
                    answer = dns.query.udp(self.query, server.address, port=server.port, timeout=1)
                    self.seen.append(tuple(item.to_text() for rrset in answer.answer for item in rrset))
            self.over.wait(0.01)  # the racers need the processor too

    def never_empty(self) -> bool:
        """Whether it looked at all, to the end, and no answer was without addresses."""
        self.over.set()
        self.join()
        return bool(self.seen) and all(self.seen)


def test_exactly_one_of_thirty_wins_and_both_providers_have_its_answer(
    providers: Providers, pool: str, tmp_path: Path
) -> None:
    barrier = processes.Barrier(RIVALS)
    address = "198.51.100.{}".format
    rivals = [
        processes.Process(
            target=rival.race,
            args=(providers.map_file, tmp_path / f"{number}.sqlite3", pool, address(number + 10), barrier),
        )
        for number in range(RIVALS)
    ]
    watch = Watch(providers, f"{pool}.shop.test.")
    watch.start()
    for one in rivals:
        one.start()
    for one in rivals:
        one.join(100)
    empty = not watch.never_empty()
    assert [one.exitcode for one in rivals] == [0] * RIVALS
    winners = []
    for number in range(RIVALS):
        log = Log(tmp_path / f"{number}.sqlite3")
        history = History(log)
        history.read()
        failover = history.latest[pool]
        assert failover.done
        if not failover.lost:
            assert failover.outcomes == {"north": "changed", "south": "changed"}
            winners.append(address(number + 10))
        log.close()
    assert len(winners) == 1
    for standing in providers.standings(pool):
        assert standing.addresses == (winners[0],)
        assert standing.generation.number == 1
    assert not empty


def test_a_controller_killed_at_any_step_is_carried_on(providers: Providers, pool: str, tmp_path: Path) -> None:
    """Each step once: log entries, questions, before and after each change at each provider."""
    watch = Watch(providers, f"{pool}.shop.test.")
    watch.start()
    number, step, finished = 0, 0, processes.Event()
    while not finished.is_set():
        step += 1
        wanted = f"198.51.100.{70 + step}"
        log_file = tmp_path / f"{step}.sqlite3"
        again = processes.Event()
        for last, event in ((step, finished), (None, again)):
            one = processes.Process(
                target=rival.move_and_die, args=(providers.map_file, log_file, pool, wanted, last, event)
            )
            one.start()
            one.join(60)
            assert one.exitcode == (0 if event.is_set() else -9)
        assert again.is_set()
        log = Log(log_file)
        assert len(of_kind(log, "failover_decided")) == 1
        assert len(of_kind(log, "failover_done")) == 1
        outcomes = [(entry.data["provider"], entry.data["outcome"]) for entry in of_kind(log, "failover_provider")]
        assert sorted(outcomes) == [("north", "changed"), ("south", "changed")]
        log.close()
        standings = providers.standings(pool)
        assert [standing.addresses for standing in standings] == [(wanted,)] * 2
        assert standings[0].generation == standings[1].generation
        assert standings[0].generation.number > number
        number = standings[0].generation.number
    assert watch.never_empty()
    assert step > 8


async def test_a_delayed_writer_with_an_old_plan_changes_nothing(providers: Providers, log: Log, pool: str) -> None:
    the_pool = next(one for one in providers.map.pools if one.id == pool)
    writers = make_authorities(providers)
    old = [await writer.read(the_pool) for writer in writers]
    await providers.controller(log).move(pool, "standby", why="down", by="quorum")
    for writer, seen in zip(writers, old, strict=True):
        assert isinstance(seen, Standing)
        stale = Generation(1, "old-plan")
        assert await writer.replace(the_pool, ("192.0.2.99",), generation=stale, seen=seen) == Fenced()
        now = await writer.read(the_pool)
        assert isinstance(now, Standing)
        assert now.addresses == STANDBY


@pytest.mark.parametrize("first_is", ["ours", "the rival's"])
async def test_a_race_left_half_settled_by_a_kill_is_settled(
    providers: Providers, log: Log, pool: str, first_is: str
) -> None:
    """One decision stands at each provider, and the log calls ours done: whoever is first at the first provider has won."""
    the_pool = next(one for one in providers.map.pools if one.id == pool)
    ours, rivals = Generation(1, f"{pool}-1-ours"), Generation(1, f"{pool}-1-rival")
    standing = [ours, rivals] if first_is == "ours" else [rivals, ours]
    now = dt.datetime.now(dt.UTC)
    decided = {
        "failover": ours.failover,
        "pool": pool,
        "target": "standby",
        "addresses": list(STANDBY),
        "generation": 1,
    }
    log.append(Kind.FAILOVER_DECIDED, {**decided, "why": "down", "by": "quorum"}, at=now)
    for writer, generation in zip(make_authorities(providers), standing, strict=True):
        seen = await writer.read(the_pool)
        assert isinstance(seen, Standing)
        assert await writer.replace(the_pool, STANDBY, generation=generation, seen=seen) == Changed()
        outcome = "changed" if generation == ours else "superseded"
        told = {"failover": ours.failover, "provider": writer.id, "outcome": outcome, "addresses": list(STANDBY)}
        log.append(Kind.FAILOVER_PROVIDER, told, at=now)
    log.append(Kind.FAILOVER_DONE, {"failover": ours.failover, "changed": [], "behind": []}, at=now)
    controller = providers.controller(log)
    assert controller.pending()
    await controller.catch_up()
    for writer in make_authorities(providers):
        seen = await writer.read(the_pool)
        assert isinstance(seen, Standing)
        assert seen.generation == standing[0]
    assert controller.pending() == []


async def test_ours_that_gives_way_a_second_time_is_told_so(providers: Providers, log: Log, pool: str) -> None:
    """At one provider it lost, won, and loses again to a later decision; at the other it lost. Then nothing is open any more."""
    the_pool = next(one for one in providers.map.pools if one.id == pool)
    ours, later = Generation(1, f"{pool}-1-ours"), Generation(2, f"{pool}-2-later")
    now = dt.datetime.now(dt.UTC)
    decided = {
        "failover": ours.failover,
        "pool": pool,
        "target": "standby",
        "addresses": list(STANDBY),
        "generation": 1,
    }
    log.append(Kind.FAILOVER_DECIDED, {**decided, "why": "down", "by": "quorum"}, at=now)
    north, south = make_authorities(providers)
    for writer, generation in ((north, later), (south, ours)):
        seen = await writer.read(the_pool)
        assert isinstance(seen, Standing)
        assert await writer.replace(the_pool, STANDBY, generation=generation, seen=seen) == Changed()
    for writer, outcome in ((north, "superseded"), (south, "superseded"), (south, "changed")):
        told = {"failover": ours.failover, "provider": writer.id, "outcome": outcome, "addresses": list(STANDBY)}
        log.append(Kind.FAILOVER_PROVIDER, told, at=now, key=f"{ours.failover} {writer.id} {outcome}")
    controller = providers.controller(log)
    await controller.catch_up()
    seen = await south.read(the_pool)
    assert isinstance(seen, Standing)
    assert seen.generation == later
    assert controller.pending() == []
