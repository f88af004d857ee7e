"""Queued work of tables."""

from __future__ import annotations

import psycopg
import structlog
from procrastinate.contrib.django import app

from standfast.components.tables.clearing import clear_ended
from standfast.platform import config, postgres

log = structlog.get_logger("tables")


@app.periodic(cron="*/10 * * * *")
@app.task(name="tables.clear_ended", queueing_lock="tables.clear_ended")
def clear_ended_stores(timestamp: int) -> None:
    """Every ten minutes: delete the rows of tables that were emptied or deleted."""
    with psycopg.connect(postgres.dsn(config.load(), "loader"), autocommit=True) as connection:
        deleted = clear_ended(connection)
    if deleted:
        log.info("rows of emptied tables cleared", deleted=deleted)
