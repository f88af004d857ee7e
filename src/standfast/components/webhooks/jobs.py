"""Queued work of webhooks."""

from __future__ import annotations

import datetime as dt

import psycopg
import structlog
from procrastinate.contrib.django import app

from standfast.components.webhooks.delivering import KEPT
from standfast.components.webhooks.queries import QUERIES
from standfast.platform import config, postgres
from standfast.platform.forgetting import forget_by_account

log = structlog.get_logger("webhooks")


@app.periodic(cron="51 * * * *")
@app.task(name="webhooks.forget_deliveries", queueing_lock="webhooks.forget_deliveries")
def forget_deliveries(timestamp: int) -> None:
    """Hourly: delete deliveries that ended, and attempts, once they are older than they are kept."""
    before = dt.datetime.fromtimestamp(timestamp, dt.UTC) - KEPT
    with psycopg.connect(postgres.dsn(config.load(), "loader"), autocommit=True) as connection:
        ended = forget_by_account(
            connection, before=before, accounts=QUERIES.accounts_with_old.sql, delete=QUERIES.forget_old.sql
        )
        tries = forget_by_account(
            connection,
            before=before,
            accounts=QUERIES.accounts_with_old_attempts.sql,
            delete=QUERIES.forget_old_attempts.sql,
        )
    if ended or tries:
        log.info("old deliveries deleted", deliveries=ended, attempts=tries)
