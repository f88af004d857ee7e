"""A pool moves at both real providers at once; one that is down is caught up later, once; going back needs a person."""

from __future__ import annotations

from pathlib import Path

import dns.query
import dns.tsigkeyring
import dns.update
import pytest

from standfast.operations import map as maps
from standfast.operations.clock import SystemClock
from standfast.operations.failover.authority import EmptySet, Generation, Refused, Standing, Unreachable
from standfast.operations.failover.controller import Controller
from standfast.operations.failover.tests.ground import (
    KEY,
    PRIMARY,
    STANDBY,
    Providers,
    kinds,
    make_authorities,
    of_kind,
    two_providers,
)
from standfast.operations.failover.update import Rfc2136Authority, authorities
from standfast.operations.log import Log


async def test_both_providers_answer_the_standby_addresses(providers: Providers, log: Log, pool: str) -> None:
    await providers.controller(log).move(pool, "standby", why="the quorum saw it down", by="quorum")
    for authority in make_authorities(providers):
        standing = await authority.read(_pool(providers, pool))
        assert isinstance(standing, Standing)
        assert standing.addresses == STANDBY
        assert standing.generation.number == 1
        assert standing.ttl == 30
    assert kinds(log) == ["change_announced", "failover_decided", *["failover_provider"] * 2, "failover_done"]
    assert set(of_kind(log, "failover_done")[0].data["changed"]) == {"north", "south"}
    assert of_kind(log, "failover_done")[0].data["behind"] == []


async def test_the_same_order_again_changes_nothing(providers: Providers, log: Log, pool: str) -> None:
    controller = providers.controller(log)
    await controller.move(pool, "standby", why="down", by="quorum")
    before = kinds(log)
    await controller.move(pool, "standby", why="still down", by="quorum")
    await controller.catch_up()
    assert kinds(log) == before


async def test_going_back_is_a_persons_order(providers: Providers, log: Log, pool: str) -> None:
    controller = providers.controller(log)
    await controller.move(pool, "standby", why="down", by="quorum")
    await controller.move(pool, "primary", why="up again", by="quorum")
    assert len(of_kind(log, "failover_refused")) == 1
    await controller.move(pool, "primary", why="looks good", by="Alice")
    for authority in make_authorities(providers):
        standing = await authority.read(_pool(providers, pool))
        assert isinstance(standing, Standing)
        assert (standing.addresses, standing.generation.number) == (PRIMARY, 2)


async def test_one_provider_down_the_other_changes_and_it_is_caught_up_once(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.sqlite3")
    with two_providers(tmp_path) as both:
        both.knot.kill()
        controller = both.controller(log)
        await controller.move("root", "standby", why="down", by="quorum")
        assert of_kind(log, "failover_done")[0].data == {
            "failover": of_kind(log, "failover_decided")[0].data["failover"],
            "changed": ["north"],
            "behind": ["south"],
        }
        await controller.catch_up()  # still down: nothing new to say
        assert len(of_kind(log, "failover_provider")) == 2
        both.knot.start()
        again = both.controller(log)  # the controller, too, has been started anew
        await again.catch_up()
        await again.catch_up()
        outcomes = [(entry.data["provider"], entry.data["outcome"]) for entry in of_kind(log, "failover_provider")]
        assert outcomes == [("north", "changed"), ("south", "failed"), ("south", "changed")]
        standing = await make_authorities(both)[1].read(both.map.pools[0])
        assert isinstance(standing, Standing)
        assert standing.addresses == STANDBY
        assert again.pending() == []


async def test_a_hanging_provider_does_not_hold_up_the_other(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.sqlite3")
    with two_providers(tmp_path) as both:
        both.bind.pause()
        controller = both.controller(log)
        await controller.move("root", "standby", why="down", by="quorum")
        both.bind.resume()
        first = of_kind(log, "failover_provider")[0].data
        assert (first["provider"], first["outcome"]) == ("south", "changed")
        await controller.catch_up()
        assert controller.pending() == []


async def test_a_refused_key_is_said_and_not_counted_as_changed(providers: Providers, log: Log, pool: str) -> None:
    the_map = providers.map
    wrong = [Rfc2136Authority(provider, "d3Jvbmc=") for provider in the_map.providers]
    assert isinstance(await wrong[0].read(_pool(providers, pool)), Refused)
    mixed = [wrong[0], authorities(the_map)[1]]
    await Controller(the_map, log, SystemClock(), mixed).move(pool, "standby", why="down", by="quorum")
    by_provider = {entry.data["provider"]: entry.data for entry in of_kind(log, "failover_provider")}
    assert by_provider["north"]["outcome"] == "failed"
    assert "does not accept the key controller." in by_provider["north"]["detail"]
    assert by_provider["south"]["outcome"] == "changed"


async def test_an_alias_that_a_provider_put_there_is_replaced(providers: Providers, log: Log, pool: str) -> None:
    for server in (providers.bind, providers.knot):
        message = dns.update.UpdateMessage(
            "shop.test.", keyring=dns.tsigkeyring.from_text({KEY.name: KEY.secret}), keyalgorithm="hmac-sha256"
        )
        message.delete(f"{pool}.shop.test.")
        message.add(f"{pool}.shop.test.", 30, "CNAME", "parking.test.")
        assert dns.query.tcp(message, server.address, port=server.port, timeout=5).rcode() == 0
    await providers.controller(log).move(pool, "standby", why="replaced", by="quorum")
    found = [
        (entry.data["provider"], entry.data["what"], entry.data["change"]) for entry in of_kind(log, "drift_found")
    ]
    assert found == [("north", "was removed", None), ("south", "was removed", None)]
    for authority in make_authorities(providers):
        standing = await authority.read(_pool(providers, pool))
        assert isinstance(standing, Standing)
        assert standing.addresses == STANDBY


def test_an_empty_set_is_never_sent(providers: Providers) -> None:
    authority = make_authorities(providers)[0]
    seen = Standing(PRIMARY, 30, ())
    with pytest.raises(EmptySet):
        authority.message(providers.map.pools[0], (), generation=Generation(9, "x"), seen=seen)
    with pytest.raises(ValueError, match="cannot stand in an A record"):
        authority.message(providers.map.pools[0], ("2001:db8::1",), generation=Generation(9, "x"), seen=seen)


async def test_a_provider_that_is_not_there_is_unreachable_not_an_exception() -> None:
    port = 1  # nothing listens there
    provider = maps.Provider(
        id="gone", name="Gone", server="127.0.0.1", port=port, zone="shop.test.", key_name="k.", key_file="k"
    )
    pool = maps.Pool(id="root", record="shop.test.", primary=PRIMARY, standby=STANDBY)
    assert isinstance(await Rfc2136Authority(provider, "d3Jvbmc=").read(pool), Unreachable)


def _pool(providers: Providers, pool_id: str) -> maps.Pool:
    return next(pool for pool in providers.map.pools if pool.id == pool_id)
