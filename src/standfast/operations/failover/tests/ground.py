"""Two real providers (BIND and Knot) of one zone, a map that names them, and a controller on a log of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standfast.operations import map as maps
from standfast.operations.clock import SystemClock
from standfast.operations.failover.authority import Standing
from standfast.operations.failover.controller import Controller
from standfast.operations.failover.update import Rfc2136Authority, authorities
from standfast.operations.log import Entry, Log
from standfast.operations.replay import name_servers
from standfast.operations.replay.name_servers import Key, NameServer

KEY = Key.made("controller.", seed="failover")
PRIMARY = ("192.0.2.1",)
STANDBY = ("198.51.100.1", "198.51.100.2")
ZONE = """$TTL 30
@ 3600 IN SOA ns1 hostmaster 1 3600 600 86400 5
@ 3600 IN NS ns1
@ 3600 IN NS ns2
ns1 IN A 127.0.0.1
ns2 IN A 127.0.0.1
@ IN A 192.0.2.1
@ IN MX 10 mail
mail IN A 192.0.2.7
"""


@dataclass(frozen=True)
class Providers:
    """The two servers and the map's file that names them."""

    bind: NameServer
    knot: NameServer
    map_file: Path

    @property
    def map(self) -> maps.Map:
        return maps.load(self.map_file)

    def controller(self, log: Log) -> Controller:
        the_map = self.map
        return Controller(the_map, log, SystemClock(), authorities(the_map))

    def standings(self, pool: str = "root") -> list[Standing | Any]:
        """What the two say now."""
        the_map = self.map
        chosen = next(one for one in the_map.pools if one.id == pool)

        async def read() -> list[Any]:
            return await asyncio.gather(*(authority.read(chosen) for authority in authorities(the_map)))

        return asyncio.run(read())


@contextmanager
def two_providers(folder: Path, *, pools: int = 1) -> Iterator[Providers]:
    """pools: root, and then p1, p2, ... with names of their own, so that tests can share the servers."""
    extra = "".join(f"p{number} IN A 192.0.2.1\n" for number in range(1, pools))
    bind = name_servers.bind(folder / "bind", {"shop.test.": ZONE + extra}, keys=[KEY])
    knot = name_servers.knot(folder / "knot", {"shop.test.": ZONE + extra}, keys=[KEY])
    (folder / "controller.key").write_text(KEY.secret + "\n")
    map_file = folder / "map.toml"
    map_file.write_text(map_text(bind.port, knot.port, pools=pools))
    with name_servers.running(bind, knot):
        yield Providers(bind, knot, map_file)


def map_text(bind_port: int, knot_port: int, *, pools: int) -> str:
    rows = [
        '[page]\nname = "Status"\nurl = "https://status.example"',
        '[[clusters]]\nid = "cloud"\nname = "Cloud"',
        '[[components]]\nid = "mail"\nname = "Mail"\nserver = "application"',
    ]
    rows += [f'[[vantages]]\nid = "v{n}"\nname = "V{n}"\nkey_file = "v{n}.key"' for n in range(1, 4)]
    for name, port in (("north", bind_port), ("south", knot_port)):
        rows.append(
            f'[[providers]]\nid = "{name}"\nname = "{name}"\nserver = "127.0.0.1"\nport = {port}\nzone = "shop.test."\n'
            'key_name = "controller."\nkey_file = "controller.key"'
        )
    for number in range(pools):
        name, record = (f"p{number}", f"p{number}.shop.test.") if number else ("root", "shop.test.")
        rows.append(
            f'[[pools]]\nid = "{name}"\nrecord = "{record}"\nprimary = {list(PRIMARY)}\nstandby = {list(STANDBY)}'
        )
    return "\n\n".join(rows) + "\n"


def kinds(log: Log) -> list[str]:
    return [entry.kind for entry in log.after()]


def of_kind(log: Log, kind: str) -> list[Entry]:
    return log.after(kind=kind)


def make_authorities(providers: Providers) -> list[Rfc2136Authority]:
    return authorities(providers.map)
