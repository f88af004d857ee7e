"""The stage of the 2022 replay on one machine: two providers, a resolver, two sites, and the map that operations watches.

The root domain is standmail.test, with a name for each of five clusters. Its primary addresses are at one hosting
provider, its standby addresses elsewhere; each site has a real tracker with a spool of its own, and both lead to one real
REST service and SMTP API with their database. What else the components would need of the platform the edges stand in for.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from standfast.operations.replay import name_servers
from standfast.operations.replay.name_servers import Key, NameServer
from standfast.operations.replay.processes import Processes, processes
from standfast.protocols.keys import derive

ROOT = "standmail.test."
CLUSTERS = {"cloud": "Cloud", "app": "App", "cloud1": "Cloud1", "ca1": "CA1", "eu1": "EU1"}
ACCOUNTS = {"cloud": 320, "app": 240, "cloud1": 200, "ca1": 90, "eu1": 150}
COMPONENTS = (
    ("application-login", "Application Login", "application"),
    ("campaign-sends", "Campaign sends", "application"),
    ("tracking", "Tracking campaign responses", "application"),
    ("web-tracking", "Web tracking", "application"),
    ("landing-pages", "Hosted Landing Pages", "application"),
    ("live-content", "Live Content", "application"),
    ("rest-api", "REST API Service", "api"),
    ("smtp-api", "SMTP API Service", "api"),
    ("ftp-server", "FTP Server", "api"),
    ("journeys", "Journeys", "application"),
    ("data-journeys", "Data Journeys", "application"),
    ("mobile-messaging", "Mobile App Messaging", "application"),
)
TTL = 30
PARKING = "127.0.3.1"  # nobody listens there
READY_SECONDS = 120.0
PLATFORM_SECONDS = 180.0  # makes a database and its tables first

WATCHED = (
    ("application", "Application server", ("application-login", "campaign-sends", "web-tracking", "landing-pages",
     "live-content", "journeys", "data-journeys", "mobile-messaging"), "http"),
    ("tracking", "Tracking", ("tracking",), "http"),
    ("rest-api", "REST API Service", ("rest-api",), "http"),
    ("smtp-api", "SMTP API Service", ("smtp-api",), "smtp"),
    ("ftp-server", "FTP server", ("ftp-server",), "http"),
)  # fmt: skip
"""What is checked in each cluster: id, name, the components that it shows to work, kind of check."""


def primary(cluster: str) -> str:
    return f"127.0.1.{list(CLUSTERS).index(cluster) + 1}"


def standby(cluster: str) -> str:
    return f"127.0.2.{list(CLUSTERS).index(cluster) + 1}"


def pools() -> dict[str, tuple[str, str, str]]:
    """Pool to (record, primary address, standby address); the root domain leads to the first cluster."""
    first = next(iter(CLUSTERS))
    named = {cluster: (f"{cluster}.{ROOT}", primary(cluster), standby(cluster)) for cluster in CLUSTERS}
    return {"root": (ROOT, primary(first), standby(first)), **named}


@dataclass
class Stage:
    """Everything that runs. `edge_port` and `smtp_port` are those of every edge; `token_key` seals what the client clicks."""

    folder: Path
    map_file: Path
    north: NameServer
    south: NameServer
    resolver: NameServer
    children: Processes
    edge_port: int
    smtp_port: int
    page_ports: tuple[int, int]
    token_key: bytes
    ttl: int
    controller_key: Key
    provider_key: Key

    @property
    def log_file(self) -> Path:
        return self.folder / "operations.sqlite"

    @property
    def spools(self) -> list[Path]:
        return [self.folder / site / "spool" / "tracker" for site in ("primary", "standby")]


@contextlib.contextmanager
def stage(folder: Path, *, quiet_seconds: float, ttl: int = TTL, installation: Path | None = None) -> Iterator[Stage]:
    """Start it all and wait until it listens. Raises ToolMissing, ServerFailed.

    installation: the `var` of one whose database runs already; without it one is made in the folder.
    """
    keys = Key.made("controller."), Key.made("provider.")
    zone = {ROOT: zone_text(ttl)}
    north = name_servers.bind(folder / "north", zone, keys=keys)
    south = name_servers.knot(folder / "south", zone, keys=keys)
    resolver = name_servers.unbound(
        folder / "resolver", {ROOT: [(north.address, north.port), (south.address, south.port)]}
    )
    edge_port, controller_port, smtp_port, *rest = _ports(9)
    secret = secrets.token_bytes(32)
    with name_servers.running(north, south, resolver), processes(folder / "output") as children:
        made = Stage(
            folder=folder, map_file=folder / "map.toml", north=north, south=south, resolver=resolver, children=children,
            edge_port=edge_port, smtp_port=smtp_port, page_ports=(rest[0], rest[1]), token_key=derive(secret, "tokens"), ttl=ttl,
            controller_key=keys[0], provider_key=keys[1],
        )  # fmt: skip
        (folder / "secret.key").write_bytes(secret)
        _write_map(made, controller_port, quiet_seconds)
        _start_platform(made, rest[4], rest[5], installation)
        _start_sites(made, rest[2:4], rest[4], rest[5])
        _start_operations(made)
        _wait([(primary("cloud"), edge_port), (standby("cloud"), edge_port), ("127.0.0.1", controller_port),
               *(("127.0.0.1", port) for port in made.page_ports)], children)  # fmt: skip
        yield made


def zone_text(ttl: int) -> str:
    """The zone as both providers begin with it."""
    lines = [
        f"$TTL {ttl}",
        "@ 3600 IN SOA ns1 hostmaster 1 3600 600 86400 5",
        "@ 3600 IN NS ns1",
        "@ 3600 IN NS ns2",
        "ns1 IN A 127.0.0.1",
        "ns2 IN A 127.0.0.1",
        "@ IN MX 10 mail",
        "mail IN A 127.0.1.20",
        "www IN A 127.0.1.20",
    ]
    lines += [f"{record} IN A {address}" for record, address, _ in pools().values()]
    return "\n".join(lines) + "\n"


def declared_text(ttl: int) -> str:
    """The same zone as octoDNS declares it."""
    lines = [
        "'':",
        f"  - {{type: A, ttl: {ttl}, value: {pools()['root'][1]}}}",
        f"  - {{type: MX, ttl: {ttl}, value: {{exchange: mail.{ROOT}, preference: 10}}}}",
        f"  - {{type: NS, ttl: 3600, values: [ns1.{ROOT}, ns2.{ROOT}]}}",
    ]
    others = {"ns1": "127.0.0.1", "ns2": "127.0.0.1", "mail": "127.0.1.20", "www": "127.0.1.20"}
    others |= {cluster: primary(cluster) for cluster in CLUSTERS}
    lines += [f"{name}: {{type: A, ttl: {ttl}, value: {address}}}" for name, address in sorted(others.items())]
    return "\n".join(lines) + "\n"


def _write_map(made: Stage, controller_port: int, quiet_seconds: float) -> None:
    folder = made.folder
    (folder / "dns").mkdir()
    (folder / "dns" / f"{ROOT}yaml").write_text(declared_text(made.ttl))
    (folder / "controller.key").write_text(made.controller_key.secret)
    rows = [
        '[page]\nname = "Standmail (replay)"\n'
        f'url = "http://127.0.0.1:{made.page_ports[0]}"\ntime_zone = "America/New_York"',
        f"[rules]\nquiet_seconds = {quiet_seconds}\ndrift_seconds = 5",
        f'[controller]\nhost = "127.0.0.1"\nport = {controller_port}\nlog = "{made.log_file.name}"\n'
        f'anchors = ["127.0.0.1:{made.resolver.port}"]',
        f'[status_page]\nfolder = "page"\nports = {list(made.page_ports)}\nallow_private_webhooks = true',
        '[declared]\ndirectory = "dns"',
    ]
    for name, shown in CLUSTERS.items():
        (folder / f"{name}.key").write_text(Key.made(name).secret)
        rows.append(f'[[clusters]]\nid = "{name}"\nname = "{shown}"\naccounts = {ACCOUNTS[name]}\n'
                    f'values = {{ host = "{name}.{ROOT.rstrip(".")}" }}')  # fmt: skip
        rows.append(f'[[vantages]]\nid = "{name}"\nname = "{shown}"\nkey_file = "{name}.key"')
    rows += [f'[[components]]\nid = "{one}"\nname = "{name}"\nserver = "{server}"' for one, name, server in COMPONENTS]
    for name, title, server in (("north", "North Hosting", made.north), ("south", "South DNS", made.south)):
        rows.append(
            f'[[providers]]\nid = "{name}"\nname = "{title}"\nserver = "{server.address}"\nport = {server.port}\n'
            f'zone = "{ROOT}"\nkey_name = "controller."\nkey_file = "controller.key"'
        )
        expect = [[pools()["root"][1]], [pools()["root"][2]]]
        rows.append(
            f'[[checks]]\nid = "root-domain-{name}"\nname = "Root domain at {title}"\nkind = "dns"\nprovider = "{name}"\n'
            f'pool = "root"\nspec = {{ server = "{server.address}", port = {server.port}, name = "{ROOT}", '
            f"expect = {expect} }}"
        )
    for name, (record, first, second) in pools().items():
        rows.append(f'[[pools]]\nid = "{name}"\nrecord = "{record}"\nttl = {made.ttl}\nprimary = ["{first}"]\n'
                    f'standby = ["{second}"]')  # fmt: skip
    rows += [_watched(made, *row) for row in WATCHED]
    made.map_file.write_text("\n\n".join(rows) + "\n")


def _watched(made: Stage, name: str, what: str, components: tuple[str, ...], kind: str) -> str:
    """A working check of some components in each cluster, by name through the resolver, as clients come."""
    resolver = f'resolver = "127.0.0.1:{made.resolver.port}"'
    spec = f'{{ url = "http://{{host}}:{made.edge_port}/healthz/{name}", contains = "true", {resolver} }}'
    if kind == "smtp":
        spec = f'{{ host = "{{host}}", port = {made.smtp_port}, {resolver} }}'
    return (
        f'[[checks]]\nid = "{name}-{{cluster}}"\nname = "{what}, {{cluster_name}}"\nkind = "{kind}"\nper = "cluster"\n'
        f'components = {list(components)}\nworking = true\npool = "{{cluster}}"\nspec = {spec}'
    )


def _start_platform(made: Stage, rest_port: int, submission_port: int, installation: Path | None) -> None:
    """The real REST service and SMTP API; with a database of their own under one supervisor, or at a running one."""
    environment = {
        "STANDFAST_VAR": str(installation or made.folder / "platform"),
        "STANDFAST_HOST": "127.0.0.1",
        "STANDFAST_REST_PORT": str(rest_port),
        "STANDFAST_SUBMISSION_PORT": str(submission_port),
        "DATABASE_URL": "",  # never the one that whoever replays has in his environment
    }
    services = ("rest_api", "smtp_api")
    if installation is None:
        made.children.python("platform", "standfast.cli", "up", "--only", *services, environment=environment)
        return
    for service in services:
        made.children.python(service, "standfast.cli", "run", service, environment=environment)


def _start_sites(made: Stage, tracker_ports: list[int], rest_port: int, submission_port: int) -> None:
    """The hosting provider's site and the other one: edges of all clusters before a tracker and the APIs."""
    for site, address_of, port in zip(("primary", "standby"), (primary, standby), tracker_ports, strict=True):
        made.children.python(
            f"{site}-tracker",
            "standfast.services.tracker.main",
            environment={
                "STANDFAST_VAR": str(made.folder / site),
                "STANDFAST_TRACKER_PORT": str(port),
                "STANDFAST_HOST": "127.0.0.1",
                "STANDFAST_SECRET_FILE": str(made.folder / "secret.key"),
            },
        )
        made.children.python(
            f"{site}-edges", "standfast.operations.replay.edges", "--port", str(made.edge_port),
            "--tracker", f"http://127.0.0.1:{port}", "--rest", f"http://127.0.0.1:{rest_port}",
            "--smtp-port", str(made.smtp_port), "--smtp", str(submission_port), *(address_of(cluster) for cluster in CLUSTERS),
        )  # fmt: skip
        _wait([("127.0.0.1", port)], made.children)
    _wait([("127.0.0.1", rest_port), ("127.0.0.1", submission_port)], made.children, seconds=PLATFORM_SECONDS)


def _start_operations(made: Stage) -> None:
    children, map_file = made.children, str(made.map_file)
    children.python("controller", "standfast.operations.controller", "--map", map_file)
    for name in CLUSTERS:
        children.python(f"vantage-{name}", "standfast.operations.monitoring.vantage", "--map", map_file, "--name", name)
    for port in made.page_ports:
        children.python(
            f"page-{port}", "standfast.operations.status_page.serve", "--folder", str(made.folder / "page"),
            "--host", "127.0.0.1", "--port", str(port),
        )  # fmt: skip


def _ports(count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        port = name_servers.free_port()
        if port not in found:
            found.append(port)
    return found


def _wait(places: list[tuple[str, int]], children: Processes, *, seconds: float = READY_SECONDS) -> None:
    """Until all of them take connections. Raises ServerFailed with the last words of a process that ended."""
    deadline = time.monotonic() + seconds
    for place in places:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(place, timeout=0.5):
                break
            ended = children.ended()
            if ended or time.monotonic() > deadline:
                raise name_servers.ServerFailed("; ".join(ended) or f"nothing listens at {place[0]}:{place[1]}")
            time.sleep(0.05)
