"""Queued work of the platform itself."""

from __future__ import annotations

import datetime as dt

import psycopg
import structlog
from procrastinate.contrib.django import app

from standfast.platform import config, postgres
from standfast.platform.rest.idempotency import forget_old

log = structlog.get_logger("rest")


@app.periodic(cron="41 * * * *")
@app.task(name="platform.forget_answers", queueing_lock="platform.forget_answers")
def forget_answers(timestamp: int) -> None:
    """Hourly: delete the answers kept under idempotency keys that are older than seven days."""
    with psycopg.connect(postgres.dsn(config.load(), "loader"), autocommit=True) as connection:
        forgotten = forget_old(connection, at=dt.datetime.fromtimestamp(timestamp, dt.UTC))
    if forgotten:
        log.info("old answers deleted", count=forgotten)
