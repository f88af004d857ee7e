"""Ship every spool on this machine into the event log."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog

from standfast.platform import events, postgres, tenancy
from standfast.platform.config import Config
from standfast.platform.ship import Shipper

log = structlog.get_logger("worker")
LOOK_SECONDS = 1.0


def ship_spools(config: Config, stop: threading.Event) -> None:
    """One shipper thread per spool directory, also for one that appears later, until `stop` is set."""
    pool = postgres.pool(config, "loader", name="ship", size_max=4)

    def append(account_id: int, node: str, records: Sequence[tuple[int, events.Event]]) -> int:
        with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
            tenancy.enter(cursor, account_id)
            return events.append_from_source(cursor, account_id=account_id, node=node, records=records)

    threads: dict[str, threading.Thread] = {}
    while not stop.is_set():
        for directory in sorted(config.spool_dir.glob("*/")) if config.spool_dir.exists() else []:
            if directory.name not in threads:
                shipper = Shipper(directory=directory, append=append)
                thread = threading.Thread(
                    target=shipper.run, kwargs={"stop": stop}, name=f"ship-{directory.name}", daemon=True
                )
                threads[directory.name] = thread
                thread.start()
                log.info("ships a spool", spool=directory.name)
        stop.wait(LOOK_SECONDS)
    for thread in threads.values():
        thread.join(10)
    pool.close()
