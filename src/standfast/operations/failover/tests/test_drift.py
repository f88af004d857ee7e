"""Changes at real providers are found with before and after; ours raise nothing; what cannot be read is said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dns.query
import dns.tsigkeyring
import dns.update
import pytest

from standfast.operations import map as maps
from standfast.operations.clock import SystemClock
from standfast.operations.failover import zones
from standfast.operations.failover.drift import Watcher
from standfast.operations.failover.drift_log import UNREADABLE
from standfast.operations.failover.tests.ground import KEY, Providers, of_kind, two_providers
from standfast.operations.log import Log
from standfast.operations.replay.name_servers import NameServer

DECLARED = """---
'':
  - {type: A, ttl: 30, value: 192.0.2.1}
  - {type: MX, ttl: 30, value: {exchange: mail.shop.test., preference: 10}}
  - {type: NS, ttl: 3600, values: [ns1.shop.test., ns2.shop.test.]}
mail: {type: A, ttl: 30, value: 192.0.2.7}
ns1: {type: A, ttl: 30, value: 127.0.0.1}
ns2: {type: A, ttl: 30, value: 127.0.0.1}
"""


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Providers]:
    with two_providers(tmp_path) as providers:
        (tmp_path / "dns").mkdir()
        (tmp_path / "dns" / "shop.test.yaml").write_text(DECLARED)
        with providers.map_file.open("a") as file:
            file.write('\n[declared]\ndirectory = "dns"\n')
        yield providers


def watcher(both: Providers, log: Log) -> Watcher:
    return Watcher(both.map, log, SystemClock())


def change(server: NameServer, *steps: tuple[str, ...]) -> None:
    """The provider itself changes its zone: each step is (name, ttl, type, value) to set, or (name, type[, value]) to delete."""
    message = dns.update.UpdateMessage(
        "shop.test.", keyring=dns.tsigkeyring.from_text({KEY.name: KEY.secret}), keyalgorithm="hmac-sha256"
    )
    for step in steps:
        if len(step) < 4:
            message.delete(*step)
        else:
            name, ttl, kind, *values = step
            message.replace(name, int(ttl), kind, *values)
    assert dns.query.tcp(message, server.address, port=server.port, timeout=5).rcode() == 0


def found(log: Log) -> list[tuple[str, str, str, list[str], list[str], str | None]]:
    return [
        (data["provider"], data["subject"], data["what"], data["before"], data["after"], data["change"])
        for data in (entry.data for entry in of_kind(log, "drift_found"))
    ]


async def test_nothing_is_said_while_all_is_as_declared(both: Providers, log: Log) -> None:
    assert await watcher(both, log).look() == []
    assert log.after() == []


async def test_an_unannounced_change_is_named_once_with_before_and_after(both: Providers, log: Log) -> None:
    watch = watcher(both, log)
    await watch.look()
    change(both.bind, ("shop.test.", "30", "A", "203.0.113.9"), ("mail.shop.test.", "A"))
    change(both.knot, ("new.shop.test.", "30", "TXT", '"hello"'), ("shop.test.", "7200", "MX", "10 mail.shop.test."))
    await watch.look()
    await watch.look()
    await watcher(both, log).look()  # after a restart too
    assert sorted(found(log)) == [
        ("north", "mail.shop.test. A", "was removed", ["192.0.2.7"], [], None),
        ("north", "shop.test. A", "was changed", ["192.0.2.1"], ["203.0.113.9"], None),
        ("south", "new.shop.test. TXT", "was added", [], ['"hello"'], None),
        ("south", "shop.test. MX", "was changed", ["10 mail.shop.test.", "TTL 30"], ["10 mail.shop.test.", "TTL 7200"], None),
    ]  # fmt: skip
    change(both.bind, ("shop.test.", "30", "A", "192.0.2.1"), ("mail.shop.test.", "30", "A", "192.0.2.7"))
    await watch.look()
    await watch.look()
    assert len(of_kind(log, "drift_gone")) == 2
    change(both.bind, ("shop.test.", "30", "A", "203.0.113.9"))
    await watch.look()
    drifts = [entry.data["drift"] for entry in of_kind(log, "drift_found")]
    assert len(set(drifts)) == len(drifts) == 5


async def test_the_roots_name_servers_are_compared(both: Providers, log: Log) -> None:
    change(both.knot, ("shop.test.", "NS", "ns2.shop.test."))  # a server takes a new whole set of these from nobody
    await watcher(both, log).look()
    assert found(log) == [
        ("south", "shop.test. NS", "was changed", ["ns1.shop.test.", "ns2.shop.test."], ["ns1.shop.test."], None)
    ]


async def test_our_failover_is_no_drift_at_any_moment_and_its_reversal_is(both: Providers, log: Log) -> None:
    watch, controller = watcher(both, log), both.controller(log)
    await watch.look()
    both.knot.pause()  # one is behind for a while
    await controller.move("root", "standby", why="down", by="quorum")
    both.knot.resume()
    await watch.look()
    await controller.catch_up()
    await watch.look()
    await controller.move("root", "primary", why="good again", by="Alice")
    await watch.look()
    assert found(log) == []
    await controller.move("root", "standby", why="down", by="quorum")
    change(both.bind, ("shop.test.", "30", "A", "192.0.2.1"))
    await watch.look()
    assert found(log) == [
        ("north", "shop.test. A", "was changed", ["198.51.100.1", "198.51.100.2"], ["192.0.2.1"], None)
    ]


async def test_a_change_that_a_failover_removes_is_written_down_first(both: Providers, log: Log) -> None:
    change(both.bind, ("shop.test.", "30", "A", "203.0.113.9"))
    await both.controller(log).move("root", "standby", why="down", by="quorum")
    assert found(log) == [("north", "shop.test. A", "was changed", ["192.0.2.1"], ["203.0.113.9"], None)]
    await watcher(both, log).look()
    assert len(of_kind(log, "drift_gone")) == 1


async def test_a_drift_stays_the_same_while_a_failover_waits_for_its_provider(both: Providers, log: Log) -> None:
    watch, controller = watcher(both, log), both.controller(log)
    change(both.bind, ("shop.test.", "30", "A", "203.0.113.9"))
    await watch.look()
    await controller.move("root", "standby", why="down", by="quorum")
    log.connection.execute("delete from entry where kind in ('failover_provider', 'failover_done')")  # as if it hung
    change(both.bind, ("shop.test.", "30", "A", "203.0.113.9"))
    await watcher(both, log).look()
    assert found(log) == [("north", "shop.test. A", "was changed", ["192.0.2.1"], ["203.0.113.9"], None)]
    assert of_kind(log, "drift_gone") == []


async def test_an_announced_change_explains_what_it_names(both: Providers, log: Log) -> None:
    data = {"change": "c-1", "summary": "mail moves", "provider": "north", "by": "Alice"}
    log.append("change_announced", data, at=datetime.now(UTC))
    for server in (both.bind, both.knot):
        change(server, ("mail.shop.test.", "30", "A", "192.0.2.8"))
    await watcher(both, log).look()
    assert {row[0]: row[5] for row in found(log)} == {"north": "c-1", "south": None}


async def test_a_provider_that_cannot_be_read_is_a_drift_and_hides_nothing(both: Providers, log: Log) -> None:
    watch = watcher(both, log)
    change(both.bind, ("shop.test.", "30", "A", "203.0.113.9"))
    await watch.look()
    both.bind.kill()
    await watch.look()
    assert len(found(log)) == 1  # once may be a lost packet
    await watch.look()
    await watch.look()
    assert found(log)[1:] == [("north", "zone shop.test.", UNREADABLE, ["readable"], ["connection refused"], None)]
    assert of_kind(log, "drift_gone") == []  # what stands there now is unknown
    both.bind.start()
    await watch.look()
    assert [entry.data["drift"] for entry in of_kind(log, "drift_gone")] == [
        of_kind(log, "drift_found")[1].data["drift"]
    ]


async def test_a_wrong_key_says_so(both: Providers, log: Log) -> None:
    (both.map_file.parent / "controller.key").write_text("d3Jvbmc=")
    watch = watcher(both, log)
    await watch.look()
    await watch.look()
    assert {row[2] for row in found(log)} == {UNREADABLE}
    assert {row[4][0] for row in found(log)} == {"the key is not accepted"}


async def test_a_zone_loaded_anew_shows_by_its_serial(both: Providers, log: Log) -> None:
    watch, controller = watcher(both, log), both.controller(log)
    await watch.look()
    await controller.move("root", "standby", why="down", by="quorum")  # our own serial
    await watch.look()
    change(both.bind, ("shop.test.", "3600", "SOA", "ns1.shop.test. hostmaster.shop.test. 2022093001 3600 600 86400 5"))
    await watch.look()
    await watch.look()
    assert [row[:3] for row in found(log)] == [("north", "serial of shop.test.", "was changed")]
    assert found(log)[0][4] == ["2022093001"]
    assert len(of_kind(log, "drift_gone")) == 1


async def test_a_declared_state_that_cannot_be_used_is_named(both: Providers, log: Log) -> None:
    (both.map_file.parent / "dns" / "shop.test.yaml").write_text("'': {type: A, value: not an address}\n")
    with pytest.raises(zones.DeclaredUnreadable, match=r"shop\.test\."):
        await watcher(both, log).look()


def test_a_malformed_declared_table_is_refused(both: Providers, log: Log) -> None:
    the_map = both.map.model_copy(update={"declared": {"edges": [{"provider": "north", "url": "ftp://x"}]}})
    with pytest.raises(maps.MapError, match=r"edges\.0\.url"):
        Watcher(the_map, log, SystemClock())


async def test_failovers_under_a_watcher_that_never_stops_raise_nothing(both: Providers, log: Log) -> None:
    watch, controller, over = watcher(both, log), both.controller(log), asyncio.Event()

    async def looking() -> None:
        while not over.is_set():
            await watch.look()

    task = asyncio.create_task(looking())
    for number in range(12):
        await controller.move("root", "primary" if number % 2 else "standby", why="to and fro", by="Alice")
        await asyncio.sleep(0.03 * (number % 4))
    over.set()
    await task
    await watch.look()
    assert found(log) == []
