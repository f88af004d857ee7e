"""Start the tracker: one process, one event loop, one spool."""

import asyncio
import gc
import os
import signal
import socket
from pathlib import Path

import structlog
import uvloop
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from standfast.platform import config
from standfast.platform.spool import Spool, SpoolBusy
from standfast.protocols.keys import derive
from standfast.services.tracker.app import TrackerApp
from standfast.services.tracker.client import Networks, parse_networks

HEADER_BYTES_MAX = 16 * 1024
HEADER_SECONDS_MAX = 10
BACKLOG = 2048
IN_FLIGHT_MAX = 4096
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
    trusted: Networks = (),
    anonymise_ip: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises SystemExit with a sentence when the port or the spool is taken."""
    _check_port(host, port)
    serving = _serve(
        host=host,
        port=port,
        spool_dir=spool_dir,
        token_key=derive(secret, TOKEN_KEY_PURPOSE),
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
        trusted=trusted,
        anonymise_ip=os.environ.get("STANDFAST_ANONYMISE_IP") == "1",
    )


async def _serve(
    *, host: str, port: int, spool_dir: Path, token_key: bytes, trusted: Networks, anonymise_ip: bool
) -> None:
    spool = Spool(spool_dir)
    app = TrackerApp(spool=spool, token_key=token_key, trusted=trusted, anonymise_ip=anonymise_ip)
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        websockets=False,
        backlog=BACKLOG,
        backpressure=IN_FLIGHT_MAX,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS_MAX * 1000, max_buffer_size=HEADER_BYTES_MAX),
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    log.info("tracker listens", address=f"http://{host}:{port}", spool=str(spool_dir), node=spool.node)
    # What lives for ever need not be looked at again, and a request leaves no cycles behind.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    await server.serve()
    await _drain(app)
    await spool.close()
    log.info("tracker stopped", appended=spool.appended_count)


async def _drain(app: TrackerApp) -> None:
    """Let the requests end that have begun, as their events may be on disk already."""
    deadline = asyncio.get_running_loop().time() + STOP_SECONDS_MAX
    while app.in_flight and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.01)


def _check_port(host: str, port: int) -> None:
    """granian shares a port with whoever else would; two trackers on one port would be a surprise."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SystemExit(
                f"The tracker cannot listen on {host}:{port} ({error.strerror}). "
                "Stop what uses the port, or set STANDFAST_TRACKER_PORT."
            ) from None


if __name__ == "__main__":
    main()
