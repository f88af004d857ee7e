"""Start the mail exchanger: one process, one event loop, its own spool."""

import asyncio
import os
import signal
from pathlib import Path

import structlog
import uvloop

from standfast.platform import config
from standfast.platform.spool import Spool, SpoolBusy
from standfast.protocols.keys import derive
from standfast.protocols.smtp_server import serve
from standfast.protocols.smtp_session import Limits
from standfast.services.mail_exchanger.inbound import Exchange
from standfast.services.mail_exchanger.unparsed import UnparsedFolder

TOKEN_KEY_PURPOSE = "tokens"  # noqa: S105 - the name of a key, not a key
# Reports quote the message they are about, or its headers; what is larger is no report.
LIMITS = Limits(
    message_bytes=10 * 1024 * 1024, recipients=20, errors=10, connections=200, connections_of_address=50, idle_seconds=120
)  # fmt: skip

log = structlog.get_logger("mail_exchanger")


def run(*, host: str, port: int, spool_dir: Path, unparsed_dir: Path, secret: bytes, domains: frozenset[str]) -> None:
    """Serve until SIGTERM or SIGINT. `domains` are lower-case. Raises SystemExit with a sentence when it cannot start."""
    key = derive(secret, TOKEN_KEY_PURPOSE)
    try:
        uvloop.run(_serve(host, port, spool_dir, UnparsedFolder(unparsed_dir), key=key, domains=domains))
    except SpoolBusy as error:
        raise SystemExit(f"The mail exchanger cannot start: {error}") from None
    except OSError as error:
        raise SystemExit(f"The mail exchanger cannot open its spool {spool_dir}: {error.strerror or error}") from None


def main() -> None:
    """Serve with the installation's configuration (see `platform.config`). The bounce domain may be a comma-separated
    list."""
    settings = config.load()
    domains = frozenset(name.strip().lower() for name in settings.bounce_domain.split(",") if name.strip())
    run(
        host=settings.host,
        port=settings.exchanger_port,
        spool_dir=settings.spool_dir / "exchanger",
        unparsed_dir=settings.var / "exchanger" / "unparsed",
        secret=settings.secret(),
        domains=domains,
    )


async def _serve(
    host: str, port: int, spool_dir: Path, unparsed: UnparsedFolder, *, key: bytes, domains: frozenset[str]
) -> None:
    spool = Spool(spool_dir)
    exchange = Exchange(spool=spool, key=key, domains=domains, unparsed=unparsed)
    hostname = min(domains, default="localhost")
    try:
        server = await serve(host=host, port=port, hooks=exchange.session, hostname=hostname, limits=LIMITS)
    except OSError as error:
        raise SystemExit(
            f"The mail exchanger cannot listen on {host}:{port} ({os.strerror(error.errno or 0)}). "
            "Stop what uses the port, or set STANDFAST_EXCHANGER_PORT."
        ) from None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log.info("mail exchanger listens", address=f"{host}:{port}", spool=str(spool_dir), node=spool.node)
    await stop.wait()
    await server.close()
    await spool.close()
    log.info("mail exchanger stopped", **exchange.counts)


if __name__ == "__main__":
    main()
