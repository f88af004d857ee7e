"""Queued work of webhooks."""

from __future__ import annotations

import datetime as dt

import psycopg
import structlog
from procrastinate.contrib.django import app

from standfast.components.webhooks.delivering import KEPT
from standfast.components.webhooks.queries import QUERIES
from standfast.platform import config, postgres, tenancy
from standfast.platform.forgetting import forget_by_account

log = structlog.get_logger("webhooks")
FORGOTTEN_AT_ONCE = 5000
LATER_SECONDS = 30
"""So long after the end of an endpoint no transaction that still saw it adds to its log."""


@app.task(name="webhooks.forget_endpoint", retry=5)
def forget_endpoint(account_id: int, endpoint_id: int) -> None:
    """Delete the log of an endpoint that is no more, some thousands a transaction."""
    which = {"account_id": account_id, "endpoint_id": endpoint_id, "most": FORGOTTEN_AT_ONCE}
    with psycopg.connect(postgres.dsn(config.load(), "loader"), autocommit=True) as connection:
        for query in (QUERIES.forget_some_attempts_of.sql, QUERIES.forget_some_deliveries_of.sql):
            while True:
                with connection.transaction(), connection.cursor() as cursor:
                    tenancy.enter(cursor, account_id)
                    cursor.execute(query, which)
                    if not cursor.rowcount:
                        break


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
