"""The worker, in two kinds of process: *send* leases and delivers; *tend* does everything else that nobody waits for.

Start as many of each as there are cores and machines: work is claimed, never assigned.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import time
from collections.abc import Callable

import psycopg
import structlog
import uvloop
from psycopg_pool import ConnectionPool

from standfast.platform import consumers, postgres
from standfast.platform.config import Config
from standfast.platform.heartbeat import BEAT_SECONDS, Pulse
from standfast.protocols.keys import derive
from standfast.services.worker.shipping import ship_spools

log = structlog.get_logger("worker")
TEND_SECONDS = 0.3
IDLE_SECONDS = 0.2
RETRY_SECONDS = 1.0
STALLED_SECONDS = 20


def send(config: Config) -> None:
    """Deliver until SIGTERM or SIGINT; what is in hand then is finished or given back."""
    import django

    django.setup()
    from standfast.components.delivery.api import Sender

    pool = postgres.pool(config, "loader", name="send", size_min=1, size_max=8)
    ehlo_name = config.bounce_domain.split(",")[0].strip()

    # What is loaded by now stays: leave it out of every later collection, and collect less often. Rendering makes many
    # short-lived objects and no cycles; the default thresholds cost a fifth of the send path.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)

    async def run() -> None:
        sender = Sender(
            pool=pool, journals=config.journal_dir, key=derive(config.secret(), "tokens"), ehlo_name=ehlo_name
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, sender.stop.set)
        log.info("sender works", node=sender.node, journal=sender.directory.name)
        alive = asyncio.create_task(_show_life(pool))  # in the sender's own loop: one that hangs shows none
        await sender.run()
        alive.cancel()
        log.info("sender stopped", outcomes=sender.sent)

    uvloop.run(run())
    pool.close()


async def _show_life(pool: ConnectionPool) -> None:
    pulse = Pulse("sending")

    def beat() -> None:
        with pool.connection() as connection:
            pulse.beat(connection)

    while True:
        try:
            await asyncio.to_thread(beat)
        except psycopg.Error as error:  # PoolTimeout is one
            log.warning("no heartbeat", error=str(error).strip())
        await asyncio.sleep(BEAT_SECONDS)


def tend(config: Config) -> None:
    """Campaigns, consumers, spools and jobs until SIGTERM or SIGINT, each in a thread of its own."""
    import django

    django.setup()
    from standfast.components.audience.api import CONSUMERS as AUDIENCE
    from standfast.components.campaigns.api import late_campaigns
    from standfast.components.campaigns.api import tend as tend_campaigns
    from standfast.components.commerce.api import CONSUMERS as COMMERCE
    from standfast.components.delivery.api import finish_cancelled
    from standfast.components.tracking.api import CONSUMERS as TRACKING
    from standfast.components.webhooks.api import CONSUMERS as WEBHOOKS
    from standfast.components.webhooks.api import Deliverer

    stop = threading.Event()
    tending, folding = Pulse("campaigns"), Pulse("consumers")

    def campaigns(connection: psycopg.Connection) -> float:
        moved = tend_campaigns() + finish_cancelled(connection)
        if tending.due():
            tending.beat(connection, late_campaigns=late_campaigns())
        return 0.0 if moved else TEND_SECONDS

    def fold(connection: psycopg.Connection) -> float:
        read = consumers.advance_all(connection, [*TRACKING, *AUDIENCE, *WEBHOOKS, *COMMERCE])
        if folding.due():
            folding.beat(connection)
        return 0.0 if read else IDLE_SECONDS

    deliverer = Deliverer()

    def webhooks(connection: psycopg.Connection) -> float:
        return 0.0 if deliverer.step(connection) else TEND_SECONDS

    loops: list[tuple[str, Callable[[psycopg.Connection], float]]] = [
        ("campaigns", campaigns),
        ("consumers", fold),
        ("webhooks", webhooks),
    ]
    threads = [
        threading.Thread(target=_loop, args=(config, name, step, stop), name=name, daemon=True) for name, step in loops
    ]
    threads.append(threading.Thread(target=ship_spools, args=(config, stop), name="ship", daemon=True))
    for thread in threads:
        thread.start()
    uvloop.run(_jobs(stop))
    stop.set()
    for thread in threads:
        thread.join(10)


def _loop(config: Config, name: str, step: Callable[[psycopg.Connection], float], stop: threading.Event) -> None:
    """Repeat a step with a connection that is made again whenever the database went away. Top of a loop that must go on."""
    from django.db import close_old_connections

    while not stop.is_set():
        try:
            with psycopg.connect(
                postgres.dsn(config, "loader"), connect_timeout=postgres.CONNECT_SECONDS
            ) as connection:
                while not stop.is_set():
                    stop.wait(step(connection))
        except psycopg.OperationalError as error:
            log.warning("waits for the database", loop=name, error=str(error).strip())
        except Exception:
            log.exception("a step failed; it is tried again", loop=name)
        close_old_connections()
        stop.wait(RETRY_SECONDS)


async def _jobs(stop: threading.Event) -> None:
    """Run queued jobs (imports, exports). A job whose worker was killed is queued again and resumes from what it committed."""
    from procrastinate.contrib.django import app

    leave = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave.set)
    while not leave.is_set():
        try:
            with_worker = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
            async with with_worker.open_async():
                working = asyncio.create_task(
                    with_worker.run_worker_async(concurrency=2, install_signal_handlers=False, listen_notify=True,
                                                 fetch_job_polling_interval=1.0, delete_jobs="successful")
                )  # fmt: skip
                leaving = asyncio.create_task(leave.wait())
                while not working.done() and not leave.is_set():
                    await _retry_stalled(with_worker)
                    await asyncio.wait({working, leaving}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
                working.cancel()
                await asyncio.gather(working, leaving if leave.is_set() else asyncio.sleep(0), return_exceptions=True)
        except Exception as error:
            log.warning("jobs wait", error=str(error).strip())
            await asyncio.sleep(RETRY_SECONDS)
    stop.set()


async def _retry_stalled(app: object) -> None:
    """Give the jobs of killed workers back to the queue: their heartbeat stopped."""
    manager = app.job_manager  # type: ignore[attr-defined]
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        log.info("job of a dead worker is queued again", task=job.task_name, id=job.id)
        await manager.retry_job(job)


def main(config: Config, *, part: str) -> None:
    """Run one part; `started` lines go to the log."""
    log.info("worker starts", part=part, at=time.strftime("%H:%M:%S"))
    {"send": send, "tend": tend}[part](config)
