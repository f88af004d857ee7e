"""Time jumps, order stays, a deadlock is said; and the real vantage's grid under it."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from standfast.operations.monitoring.report import Outcome, Reason
from standfast.operations.monitoring.vantage import Watch
from standfast.operations.simulation.ground import small_map
from standfast.operations.simulation.virtual_loop import OWNER, Deadlock, VirtualClock, VirtualLoop, run_virtually


def test_a_day_passes_at_once():
    async def main():
        loop, order = asyncio.get_running_loop(), []

        async def say(what, seconds):
            await asyncio.sleep(seconds)
            order.append((what, round(loop.time())))

        await asyncio.gather(say("night", 86400), say("noon", 43200), say("dawn", 21600))
        return order

    assert run_virtually(main()) == [("dawn", 21600), ("noon", 43200), ("night", 86400)]


def test_waiting_for_nothing_is_said():
    async def main():
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Deadlock):
        run_virtually(main())


def test_a_process_is_killed_with_all_that_it_began():
    async def main():
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        alive = []

        async def child(name):
            while True:
                alive.append(name)
                await asyncio.sleep(1)

        async def parent(name):
            await asyncio.gather(child(name), child(name))

        began = []
        for name in ("first", "second"):
            OWNER.set(name)
            began.append(loop.create_task(parent(name)))
        OWNER.set("world")
        await asyncio.sleep(0.5)
        await loop.kill("first")
        alive.clear()
        await asyncio.sleep(5)
        return set(alive)

    assert run_virtually(main()) == {"second"}


def test_slow_probes_never_shift_the_real_grid():
    """Rounds begin at their slots for an hour, though every probe takes 1.7 rounds; five vantages begin one after another."""
    the_map = small_map(checks=2)
    begun = {vantage.id: [] for vantage in the_map.vantages}
    told = {vantage.id: [] for vantage in the_map.vantages}

    async def main():
        clock = VirtualClock(asyncio.get_running_loop())

        async def watch(name):
            async def look(check, _clock):
                if check.id == "c0":
                    begun[name].append(clock.monotonic())
                await asyncio.sleep(3.4)
                return Outcome(check.id, Reason.GOOD, "", 3400.0)

            async def tell(report):
                told[name].append(report.round)

            await Watch(the_map, name, clock, tell=tell, look=look).run()

        tasks = [asyncio.create_task(watch(vantage.id)) for vantage in the_map.vantages]
        await asyncio.sleep(3600)
        for task in tasks:
            task.cancel()

    run_virtually(main())
    for place, name in enumerate(begun):
        assert len(begun[name]) == 1800
        assert all(abs(at - (place * 0.4 + 2 * slot)) < 0.001 for slot, at in enumerate(begun[name]))
        assert told[name] == list(range(1, len(told[name]) + 1))


def test_rounds_that_were_slept_through_are_not_made_up_for():
    the_map = small_map()
    rounds = []

    async def main():
        clock = VirtualClock(asyncio.get_running_loop())
        real = clock.monotonic
        asleep = 0.0
        clock.monotonic = lambda: real() + asleep  # type: ignore[method-assign]

        async def look(check, _clock):
            return Outcome(check.id, Reason.GOOD, "", 1.0)

        async def tell(report):
            rounds.append(report.round)

        task = asyncio.create_task(Watch(the_map, "v1", clock, tell=tell, look=look).run())
        await asyncio.sleep(5)
        asleep = 30.0
        await asyncio.sleep(10)
        task.cancel()

    run_virtually(main())
    assert len(rounds) < 12
    assert rounds == sorted(set(rounds))
    assert max(later - earlier for earlier, later in itertools.pairwise(rounds)) > 10
