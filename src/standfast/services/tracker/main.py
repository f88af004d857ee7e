"""Start the tracker: one process, one event loop, one spool."""

import asyncio
import gc
import os
import resource
import signal
import socket
from pathlib import Path

import structlog
import uvloop

from standfast.platform import config
from standfast.platform.spool import Spool, SpoolBusy
from standfast.protocols.keys import derive
from standfast.services.tracker.app import TrackerApp
from standfast.services.tracker.client import Networks, parse_networks
from standfast.services.tracker.connection import Connection
from standfast.services.tracker.connections import Connections

BACKLOG = 2048
CONNECTIONS_MAX = 3000  # each may hold a head of 16 KB, in 100 MB altogether
FILES_RESERVED = 64
STOP_SECONDS_MAX = 5
GARBAGE_THRESHOLD = 20_000
TOKEN_KEY_PURPOSE = "tokens"  # noqa: S105 - the name of a key, not a key

log = structlog.get_logger("tracker")


def run(
    *,
    host: str,
    port: int,
    spool_dir: Path,
    secret: bytes,
    pages_url: str,
    trusted: Networks = (),
    anonymise_ip: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises SystemExit with a sentence when the port or the spool is taken."""
    serving = _serve(
        listener=_listen(host, port),
        spool_dir=spool_dir,
        token_key=derive(secret, TOKEN_KEY_PURPOSE),
        pages_url=pages_url,
        trusted=trusted,
        anonymise_ip=anonymise_ip,
    )
    try:
        uvloop.run(serving)
    except SpoolBusy as error:
        raise SystemExit(f"The tracker cannot start: {error}") from None
    except OSError as error:
        raise SystemExit(f"The tracker cannot open its spool {spool_dir}: {error.strerror or error}") from None


def main() -> None:
    """Serve with the installation's configuration (see `platform.config`), and of the environment:
    STANDFAST_TRUSTED_PROXIES (networks, comma-separated), STANDFAST_ANONYMISE_IP (1 keeps networks, not addresses)."""
    settings = config.load()
    try:
        trusted = parse_networks(os.environ.get("STANDFAST_TRUSTED_PROXIES", ""))
    except ValueError as error:
        raise SystemExit(f"STANDFAST_TRUSTED_PROXIES: {error}. Write networks such as 10.0.0.0/8, 192.0.2.7.") from None
    run(
        host=settings.host,
        port=settings.tracker_port,
        spool_dir=settings.spool_dir / "tracker",
        secret=settings.secret(),
        pages_url=settings.application_url,
        trusted=trusted,
        anonymise_ip=os.environ.get("STANDFAST_ANONYMISE_IP") == "1",
    )


async def _serve(
    *,
    listener: socket.socket,
    spool_dir: Path,
    token_key: bytes,
    pages_url: str,
    trusted: Networks,
    anonymise_ip: bool,
) -> None:
    spool = Spool(spool_dir)
    app = TrackerApp(spool=spool, token_key=token_key, pages_url=pages_url, trusted=trusted, anonymise_ip=anonymise_ip)
    connections = Connections(spool=spool, answer=app.answer, outcomes=app.outcomes, connections_max=_connections_max())
    app.collector.connections = connections
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(lambda: Connection(connections), sock=listener, backlog=BACKLOG)
    log.info("tracker listens", address=f"http://{_shown(listener)}", spool=str(spool_dir), node=spool.node)
    # What lives for ever need not be looked at again, and a request leaves no cycles behind.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    await stopped.wait()
    server.close()
    await connections.stop(seconds_max=STOP_SECONDS_MAX)
    await spool.close()
    log.info("tracker stopped", appended=spool.appended_count)


def _connections_max() -> int:
    """As many as memory should hold, or fewer where the system allows fewer files; raises its soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + FILES_RESERVED
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(1, soft - FILES_RESERVED)
    return CONNECTIONS_MAX


def _listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises SystemExit with a sentence when it cannot be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise SystemExit(
            f"The tracker cannot listen on {host}:{port} ({error.strerror}). "
            "Stop what uses the port, or set STANDFAST_TRACKER_PORT."
        ) from None
    return listener


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


if __name__ == "__main__":
    main()
