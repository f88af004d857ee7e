"""The grid, the anchors, and the way to a real collector over a real socket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from standfast.operations.clock import SystemClock
from standfast.operations.map import MapError
from standfast.operations.monitoring import vantage as vantages
from standfast.operations.monitoring.collector import Collector
from standfast.operations.monitoring.report import Outcome, Reason
from standfast.operations.simulation.ground import small_map
from standfast.operations.simulation.peers import Service, free_port


def a_map(tmp_path, **controller):
    the_map = small_map(rules={"interval_seconds": 0.2}, controller=controller)
    for one in the_map.vantages:
        (tmp_path / one.key_file).write_text(f"the secret of {one.id}")
    return the_map.model_copy(update={"folder": tmp_path})


async def until(condition, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def look(check, _clock) -> Outcome:
    return Outcome(check.id, Reason.GOOD, "as told", 1.0)


async def test_slow_probes_do_not_move_the_grid(tmp_path):
    begun, told = [], []

    async def slow(check, clock):
        begun.append(clock.monotonic())
        await asyncio.sleep(0.5)  # two and a half rounds
        return await look(check, clock)

    async def tell(report):
        told.append(report.round)

    task = asyncio.create_task(vantages.Watch(a_map(tmp_path), "v1", SystemClock(), tell=tell, look=slow).run())
    await until(lambda: len(told) >= 8)
    task.cancel()
    assert told == sorted(told)
    assert len(begun) > len(told)  # the next round had begun before this one was over


async def test_reports_arrive(tmp_path):
    port = free_port()
    the_map = a_map(tmp_path, port=port)
    got = []
    collector = Collector(the_map, got.append)
    await collector.start("127.0.0.1", port)
    task = asyncio.create_task(vantages.watch(the_map, "v2"))
    await until(lambda: len(got) >= 3)
    assert [report.vantage for report in got] == ["v2"] * len(got)
    assert got[0].outcomes[0].reason is Reason.REFUSED  # nobody listens on the discard port
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
            heard = (await answer.json())["seconds_since_report"]
            assert heard["v2"] is not None and heard["v1"] is None
        async with session.post(f"http://127.0.0.1:{port}/reports", data=b"x" * 1_100_000) as answer:
            assert answer.status == 413
        async with session.post(f"http://127.0.0.1:{port}/reports", data=b"{}") as answer:
            assert answer.status == 403
            assert "X-Challenge" not in answer.headers
    await collector.stop()
    again = []
    collector = Collector(the_map, again.append)  # another process: none of the old challenges is good
    await collector.start("127.0.0.1", port)
    await until(lambda: again)
    assert again[0].round > got[-1].round
    task.cancel()
    await collector.stop()


async def test_one_controller_that_hangs_does_not_keep_news_from_the_other(tmp_path):
    port = free_port()
    hanging = Service(b"")
    await hanging.become("hang")
    urls = [f"http://127.0.0.1:{hanging.port}", f"http://127.0.0.1:{port}/"]
    the_map = a_map(tmp_path, urls=urls)
    got = []
    collector = Collector(the_map, got.append)
    await collector.start("127.0.0.1", port)
    task = asyncio.create_task(vantages.watch(the_map, "v1"))
    await until(lambda: len(got) >= 3)
    task.cancel()
    await collector.stop()
    await hanging.close()


async def test_offline_when_no_anchor_is_reached(tmp_path):
    anchor = Service(b"")
    await anchor.become("hang")
    the_map = a_map(tmp_path, anchors=[f"127.0.0.1:{anchor.port}", f"127.0.0.1:{free_port()}"])
    watch = vantages.Watch(the_map, "v1", SystemClock(), tell=None)
    assert not (await watch.look(1)).offline
    await anchor.become("refused")
    assert (await watch.look(2)).offline
    await anchor.close()


async def test_a_round_through_which_the_process_stood_still_is_thrown_away(tmp_path):
    told = []

    async def tell(report):
        told.append(report)

    class Clock(SystemClock):
        asleep = 0.0

        def monotonic(self):
            return super().monotonic() + self.asleep

    clock = Clock()

    async def stopped(check, _clock):
        clock.asleep += 30
        return await look(check, _clock)

    watch = vantages.Watch(a_map(tmp_path), "v1", clock, tell=tell, look=stopped)
    await watch._round(1)
    assert told == []
    watch._look = look
    await watch._round(2)
    assert [report.round for report in told] == [2]


@pytest.mark.parametrize("place", ["nothing", "host:", ":1", "host:port"])
def test_an_anchor_that_is_none(tmp_path, place):
    with pytest.raises(MapError, match="anchors"):
        vantages.Watch(a_map(tmp_path, anchors=[place]), "v1", SystemClock(), tell=None)


def test_a_vantage_that_does_not_exist(tmp_path, capsys):
    (tmp_path / "map.toml").write_text("nothing = 1")
    assert vantages.main(["--map", str(tmp_path / "map.toml"), "--name", "v9"]) == 2
    assert "The vantage cannot start" in capsys.readouterr().err


async def test_a_check_that_cannot_be_run_is_said_before_anything_is_watched(tmp_path):
    the_map = a_map(tmp_path)
    broken = the_map.checks[0].model_copy(update={"spec": {"host": "", "colour": "red"}})
    with pytest.raises(MapError, match=r"c0: spec.host.*c0: spec.colour"):
        await vantages.watch(the_map.model_copy(update={"checks": (broken,)}), "v1")


async def test_a_name_that_the_map_has_not(tmp_path):
    with pytest.raises(MapError, match="there are v1, v2"):
        await vantages.watch(a_map(tmp_path), "v9")


def test_the_check_of_the_map_names_checks_that_cannot_be_run(tmp_path, capsys):
    from standfast.operations import commands

    path = tmp_path / "map.toml"
    example = (Path(commands.__file__).parent / "example.toml").read_text()
    path.write_text(example)
    assert commands.main(["--map", str(path), "check"]) == 0
    path.write_text(example.replace('kind = "http"', 'kind = "smtp"', 1))
    assert commands.main(["--map", str(path), "check"]) == 2
    assert "application-login-cloud: spec.url" in capsys.readouterr().err
