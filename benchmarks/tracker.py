"""Durable events a second and core: opens and clicks answered by a real tracker, beside a socket that answers without reading.

    python benchmarks/tracker.py [seconds]

Rates are per second of the server's CPU time, as client and server share the machine; every message has its own token.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvloop

from standfast.platform.spool_reader import read_batch
from standfast.protocols.keys import derive
from standfast.protocols.tokens import RecipientRef, seal_recipient, sign_link

SECRET = b"b" * 32
KEY = derive(SECRET, "tokens")
CONNECTIONS = 256
TARGETS = 20_000
LIMIT_PER_CORE = 30_000
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SHOP = "https://shop.example.com/offers/summer?utm_source=newsletter&utm_campaign=summer"
BARE = """
import asyncio, signal, sys, uvloop
ANSWER = b"HTTP/1.1 200 OK\\r\\ncontent-length: 43\\r\\n\\r\\n" + b"x" * 43
class Bare(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(ANSWER)
async def main():
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await loop.create_server(Bare, "127.0.0.1", int(sys.argv[1]))
    await stopped.wait()
uvloop.run(main())
"""


class Connection(asyncio.Protocol):
    """Asks for the next target as soon as the last answer is there."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        if time.monotonic() < self.load.ends_at:
            self.transport.write(self.load.requests[self.load.asked % len(self.load.requests)])
            self.load.asked += 1
        else:
            self.transport.close()
            self.load.ended()

    def data_received(self, data: bytes) -> None:
        # An answer of a few hundred bytes comes in one piece on the loopback.
        if data.startswith((b"HTTP/1.1 200", b"HTTP/1.1 302")):
            self.load.answered += 1
        else:
            self.load.failed += 1
        self.ask()


class Load:
    """What all connections share."""

    def __init__(self, requests: Sequence[bytes], seconds: float) -> None:
        self.requests = requests
        self.ends_at = time.monotonic() + seconds
        self.asked = self.answered = self.failed = 0
        self.open = CONNECTIONS
        self.done = asyncio.Event()

    def ended(self) -> None:
        self.open -= 1
        if not self.open:
            self.done.set()


async def drive(port: int, requests: Sequence[bytes], seconds: float) -> Load:
    """Load the server for a while."""
    load = Load(requests, seconds)
    loop = asyncio.get_running_loop()
    await asyncio.gather(
        *[loop.create_connection(lambda: Connection(load), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    )
    await asyncio.wait_for(load.done.wait(), seconds + 20)
    return load


def opens() -> list[bytes]:
    """Requests for the pixel, one a recipient."""
    return [request(f"/o/{token}.gif") for token in tokens()]


def clicks() -> list[bytes]:
    """Requests for one link, one a recipient."""
    signature = sign_link(KEY, account_id=1, send_id=2, link_id=5, url=SHOP)
    return [request(f"/c/{token}/5?u={quote(SHOP, safe='')}&s={signature}") for token in tokens()]


def tokens() -> list[str]:
    """Sealed recipients of one send."""
    sent_at = int(time.time()) - 600
    return [seal_recipient(KEY, RecipientRef(1, 2, seq, seq + 1_000_000, sent_at)) for seq in range(1, TARGETS + 1)]


def request(target: str) -> bytes:
    """An HTTP request as a browser's, with few headers."""
    return f"GET {target} HTTP/1.1\r\nHost: t.example.com\r\nUser-Agent: {AGENT}\r\nAccept: */*\r\n\r\n".encode()


def cpu_seconds(pid: int) -> float:
    """User and system time of the process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """The largest resident memory so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@contextmanager
def started(command: list[str], environment: dict[str, str], port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A server that listens, stopped at the end."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server did not start")


def run(name: str, pid: int, port: int, requests: list[bytes], seconds: float, limit: str) -> int:
    """Measure and print one line; gives the number of answers."""
    before = cpu_seconds(pid)
    load = uvloop.run(drive(port, requests, seconds))
    used = cpu_seconds(pid) - before
    if load.failed:
        print(f"{name}: {load.failed} requests failed")
    rate = f"{load.answered / used:>10,.0f} /s a core{load.answered / seconds:>10,.0f} /s"
    print(f"{name:<38}{rate}{used / load.answered * 1e6:>8.1f} us{limit:>16}")
    return load.answered


def main() -> None:
    """Three lines: bare uvloop, opens, clicks; then memory, and whether the spool holds what was answered."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        (Path(folder) / "secret.key").write_bytes(SECRET)
        environment = {
            **os.environ, "STANDFAST_VAR": folder, "STANDFAST_HOST": "127.0.0.1", "STANDFAST_TRACKER_PORT": str(port),
        }  # fmt: skip
        with started([sys.executable, "-c", BARE, str(port)], environment, port) as bare:
            run("uvloop alone, nothing read or stored", bare.pid, port, opens(), seconds, "")
        with started([sys.executable, "-m", "standfast.services.tracker.main"], environment, port) as tracker:
            answered = run("tracker, durable opens", tracker.pid, port, opens(), seconds, f"limit {LIMIT_PER_CORE:,}")
            answered += run(
                "tracker, durable clicks", tracker.pid, port, clicks(), seconds, f"limit {LIMIT_PER_CORE:,}"
            )
            print(f"{'tracker, peak memory':<38}{peak_mb(tracker.pid):>10,.0f} MB{'limit 100 MB':>35}")
        print(f"{'answered, and in the spool':<38}{answered:>10,} {count(Path(folder) / 'spool' / 'tracker'):>10,}")


def count(directory: Path) -> int:
    """Records in the spool."""
    position = total = 0
    while (batch := read_batch(directory, position=position)).after != batch.before:
        total += len(batch.records)
        position = batch.after
    return total


if __name__ == "__main__":
    main()
