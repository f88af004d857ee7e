"""The small ground of the scenarios: BIND and Knot as two providers of shop.test, and a map that names them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from standfast.operations import map as maps
from standfast.operations.clock import SystemClock
from standfast.operations.failover.controller import Controller
from standfast.operations.failover.update import authorities
from standfast.operations.log import Log
from standfast.operations.replay import name_servers
from standfast.operations.replay.name_servers import Key, NameServer

ZONE = "shop.test."
RECORD = f"www.{ZONE}"
TEXT = """$TTL 5
@ 3600 IN SOA ns1 hostmaster 1 3600 600 86400 5
@ 3600 IN NS ns1
@ 3600 IN NS ns2
ns1 IN A 127.0.0.1
ns2 IN A 127.0.0.1
www IN A 127.0.1.1
"""
PRIMARY, STANDBY = ("127.0.1.1",), ("127.0.2.1",)


@dataclass(frozen=True)
class Providers:
    servers: tuple[NameServer, NameServer]
    key: Key
    map: maps.Map

    def controller(self, log: Log) -> Controller:
        return Controller(self.map, log, SystemClock(), authorities(self.map))

    def answers(self) -> list[tuple[str, ...]]:
        """What each of the two answers for the record now; () for an empty answer or none."""
        found: list[tuple[str, ...]] = []
        for server in self.servers:
            try:
                answer = dns.query.udp(dns.message.make_query(RECORD, "A"), server.address, port=server.port, timeout=2)
            except (dns.exception.DNSException, OSError):
                found.append(())
                continue
            found.append(tuple(sorted(item.to_text() for rrset in answer.answer for item in rrset)))
        return found


@contextlib.contextmanager
def providers(folder: Path, **tables: object) -> Iterator[Providers]:
    """Start both. `tables`: further tables of the map."""
    key = Key.made("controller.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "controller.key").write_text(key.secret)
    bind = name_servers.bind(folder / "bind", {ZONE: TEXT}, keys=[key])
    knot = name_servers.knot(folder / "knot", {ZONE: TEXT}, keys=[key])
    rows = [
        {"id": name, "name": name.capitalize(), "server": server.address, "port": server.port, "zone": ZONE,
         "key_name": key.name, "key_file": "controller.key"}
        for name, server in (("north", bind), ("south", knot))
    ]  # fmt: skip
    table = {
        "page": {"name": "Status", "url": "https://status.example"},
        "clusters": [{"id": "cloud", "name": "Cloud"}],
        "components": [{"id": "mail", "name": "Mail", "server": "application"}],
        "vantages": [{"id": f"v{n}", "name": f"Vantage {n}", "key_file": f"v{n}.key"} for n in range(1, 4)],
        "providers": rows,
        "pools": [{"id": "www", "record": RECORD, "ttl": 5, "primary": list(PRIMARY), "standby": list(STANDBY)}],
        **tables,
    }
    with name_servers.running(bind, knot):
        yield Providers((bind, knot), key, maps.parse(table, path=folder / "map.toml"))


def until(seconds: float) -> Iterator[float]:
    """The seconds since now, again and again until so many have passed."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        yield passed
        time.sleep(0.02)
