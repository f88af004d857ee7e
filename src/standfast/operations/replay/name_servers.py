"""Real name servers for tests and replays: BIND and Knot serve a zone, Unbound resolves for clients. Loopback, no root.

Each is a child process with its data in a folder of its own. Zones take updates (RFC 2136) and transfers (AXFR) with a
TSIG key only. `make replay-tools` brings the programs; `ToolMissing` says so when they are not there.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.exception
import dns.message
import dns.query

START_SECONDS = 15.0
STOP_SECONDS = 5.0
PORTS_FROM, PORTS_TO = 10_000, 32_000  # Linux takes those of outgoing connections from 32768 on
PROJECT = Path(__file__).resolve().parents[4]
SYSTEM = ("/usr/local/sbin", "/usr/sbin")  # not in an ordinary user's PATH


class ToolMissing(Exception):
    """A name server's program is not on this machine."""


class ServerFailed(Exception):
    """A name server did not start or stop; the text holds its last words."""


@dataclass(frozen=True, slots=True)
class Key:
    """A TSIG key (RFC 8945): its name and the base64 secret; the algorithm is hmac-sha256."""

    name: str
    secret: str

    @classmethod
    def made(cls, name: str, *, seed: str = "") -> Key:
        """A new random key, or the same one for the same seed."""
        raw = hashlib.sha256(seed.encode()).digest() if seed else secrets.token_bytes(32)
        return cls(name, base64.b64encode(raw).decode())


def program(name: str) -> str:
    """Where `named`, `knotd`, `knotc` or `unbound` is. Raises ToolMissing."""
    path = os.pathsep.join([str(PROJECT / "var/replay-tools/bin"), os.environ.get("PATH", ""), *SYSTEM])
    found = shutil.which(name, path=path)
    if found is None:
        raise ToolMissing(f"{name} is not on this machine: `make replay-tools` brings the name servers")
    return found


def free_port(address: str = "127.0.0.1") -> int:
    """A port free for both UDP and TCP at this moment, and none that the system gives to outgoing connections: a stage takes
    many seconds to start, and all of a busy machine's connections would be after it meanwhile."""
    for _ in range(200):
        port = PORTS_FROM + secrets.randbelow(PORTS_TO - PORTS_FROM)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            try:
                udp.bind((address, port))
                tcp.bind((address, port))
            except OSError:
                continue
            return port
    raise ServerFailed(f"no free port at {address}")


@dataclass
class NameServer:
    """One server process: start, stop and kill it; it keeps its data and its port over restarts."""

    name: str
    folder: Path
    command: list[str]
    address: str
    port: int
    probe: str  # a name to ask for until it answers
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it and wait for the first answer. Raises ServerFailed with what it said."""
        with (self.folder / "output.txt").open("ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + START_SECONDS
        query = dns.message.make_query(self.probe, "SOA")
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                dns.query.udp(query, self.address, port=self.port, timeout=0.2)
                return
            except (dns.exception.DNSException, OSError):
                time.sleep(0.02)
        self.kill()
        raise ServerFailed(f"{self.name} did not start: {self.last_words()}")

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: it has no chance to say or save anything."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: its sockets stay open and nothing answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def last_words(self) -> str:
        try:
            return (self.folder / "output.txt").read_text(errors="replace")[-1500:]
        except OSError:
            return "nothing"

    def _end(self, sign: signal.Signals) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(sign)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def bind(
    folder: Path, zones: Mapping[str, str], *, keys: Sequence[Key], address: str = "127.0.0.1", port: int = 0
) -> NameServer:
    """BIND as the primary of zones {name: master file text}; every key may update and transfer them."""
    port = port or free_port(address)
    folder.mkdir(parents=True, exist_ok=True)
    names = " ".join(f'key "{key.name}";' for key in keys) or "none;"
    lines = [
        f'options {{ directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";',
        f'  managed-keys-directory "{folder}"; lock-file none; dnssec-validation no; recursion no; notify no;',
        "  allow-transfer { none; }; listen-on-v6 { none; }; minimal-responses yes; querylog no;",
        f"  listen-on port {port} {{ {address}; }}; }};",
        "controls { };",
    ]
    lines += [f'key "{key.name}" {{ algorithm hmac-sha256; secret "{key.secret}"; }};' for key in keys]
    for zone, text in zones.items():
        _write_zone(folder, zone, text)
        lines.append(
            f'zone "{zone}" {{ type primary; file "{zone}zone"; allow-update {{ {names} }}; '
            f"allow-transfer {{ {names} }}; }};"
        )
    (folder / "named.conf").write_text("\n".join(lines) + "\n")
    command = [program("named"), "-g", "-n", "1", "-c", str(folder / "named.conf")]
    return NameServer("BIND", folder, command, address, port, next(iter(zones), "."))


def knot(
    folder: Path, zones: Mapping[str, str], *, keys: Sequence[Key], address: str = "127.0.0.1", port: int = 0
) -> NameServer:
    """Knot as the primary of zones {name: master file text}; every key may update and transfer them."""
    port = port or free_port(address)
    (folder / "database").mkdir(parents=True, exist_ok=True)
    names = ", ".join(key.name for key in keys)
    lines = [
        "server:",
        f'    rundir: "{folder}"',
        f'    listen: "{address}@{port}"',
        "    udp-workers: 1",
        "    tcp-workers: 1",
        "    background-workers: 1",
        "log:",
        "  - target: stderr",
        "    any: warning",
        "database:",
        f'    storage: "{folder}/database"',
        "key:",
    ]
    for key in keys:
        lines += [f"  - id: {key.name}", "    algorithm: hmac-sha256", f"    secret: {key.secret}"]
    lines += ["acl:", "  - id: controllers", f"    key: [{names}]", "    action: [update, transfer]", "zone:"]
    for zone, text in zones.items():
        _write_zone(folder, zone, text)
        # The file stays as the provider wrote it, as writing it anew holds up the next update; the journal holds the rest.
        lines += [f"  - domain: {zone}", f'    storage: "{folder}"', f'    file: "{zone}zone"', "    acl: controllers"]
        lines += ["    zonefile-sync: -1"]
    (folder / "knot.conf").write_text("\n".join(lines) + "\n")
    command = [program("knotd"), "-c", str(folder / "knot.conf")]
    return NameServer("Knot", folder, command, address, port, next(iter(zones), "."))


def unbound(folder: Path, stubs: Mapping[str, Sequence[tuple[str, int]]]) -> NameServer:
    """Unbound as a resolver that asks the given servers for each zone; TTLs as they are published.

    With every authority dead it answers from its memory after 1.8 s with TTL 30 (RFC 8767).
    """
    address = "127.0.0.1"
    port = free_port(address)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "server:",
        f'    directory: "{folder}"',
        f"    interface: {address}@{port}",
        '    username: ""',
        '    chroot: ""',
        '    pidfile: ""',
        '    logfile: ""',
        "    use-syslog: no",
        "    verbosity: 0",
        "    num-threads: 1",
        "    do-ip6: no",
        "    do-not-query-localhost: no",
        '    module-config: "iterator"',
        "    cache-min-ttl: 0",
        "    infra-host-ttl: 5",
        "    infra-cache-max-rtt: 4000",
        "    outgoing-range: 64",
        "    num-queries-per-thread: 64",
        '    local-zone: "test." nodefault',
        "    serve-expired: yes",
        "    serve-expired-client-timeout: 1800",
        "    serve-expired-reply-ttl: 30",
        "    serve-expired-ttl: 86400",
        "remote-control:",
        "    control-enable: no",
    ]
    for zone, servers in stubs.items():
        lines += [
            "stub-zone:",
            f"    name: {zone}",
            "    stub-prime: no",
            "    stub-first: no",
            "    stub-no-cache: no",
        ]
        lines += [f"    stub-addr: {server}@{at}" for server, at in servers]
    (folder / "unbound.conf").write_text("\n".join(lines) + "\n")
    command = [program("unbound"), "-d", "-p", "-c", str(folder / "unbound.conf")]
    return NameServer("Unbound", folder, command, address, port, "localhost.")


@contextmanager
def running(*servers: NameServer) -> Iterator[None]:
    """Start them all; kill those that still run at the end."""
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.kill()


def _write_zone(folder: Path, zone: str, text: str) -> None:
    """The master file is the provider's; a server's journal on it is kept, so it is written only once."""
    if not zone.endswith("."):
        raise ValueError(f"a zone's name ends with a dot: {zone!r}")
    path = folder / f"{zone}zone"
    if not path.exists():
        path.write_text(text)
