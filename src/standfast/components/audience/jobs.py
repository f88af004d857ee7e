"""Queued work of audience. A job whose worker was killed is run again and goes on from what was committed."""

from __future__ import annotations

import datetime as dt

import psycopg
import structlog
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from standfast.components.audience.clearing import cancel_forgotten, clear_files, forget_event_keys
from standfast.components.audience.importing import give_up, run_import
from standfast.components.audience.list_counts import count_list
from standfast.components.audience.reading_ahead import ReaderDied
from standfast.platform import config, postgres

log = structlog.get_logger("import")

# A database that went away, a full disk, a deadlock: the import goes on from its last batch, however long that takes. A job that
# gave up would leave its import running for ever.
_AGAIN = RetryStrategy(wait=3, retry_exceptions=[psycopg.OperationalError, OSError, ReaderDied])
_DEATHS_MAX = 5
_NO_MEMORY = (
    "The process that reads the file was ended again and again; perhaps the machine lacks memory. Try again later."
)


@app.task(name="audience.import_contacts", retry=_AGAIN, pass_context=True)
def import_contacts(context: JobContext, account_id: int, import_id: int, dry: bool) -> None:
    """Check (`dry`) or run an import.

    In a thread of the worker that waits for the database most of the time; the file is read by a process of its own (see
    reading_ahead). So a long import does not hold up the consumers, which have threads of their own.
    """
    with psycopg.connect(postgres.dsn(config.load(), "loader"), autocommit=True) as connection:
        try:
            run_import(connection, account_id=account_id, import_id=import_id, dry=dry)
        except ReaderDied:
            if context.job.attempts < _DEATHS_MAX:
                raise
            give_up(connection, account_id=account_id, import_id=import_id, problem=_NO_MEMORY)


@app.task(name="audience.count_people", retry=_AGAIN)
def count_people(account_id: int, list_id: int) -> None:
    """Take the counts of a list that has many people."""
    with psycopg.connect(postgres.dsn(config.load(), "loader")) as connection, connection.cursor() as cursor:
        count_list(cursor, account_id=account_id, list_id=list_id)


@app.periodic(cron="23 * * * *")
@app.task(name="audience.clear_import_files", queueing_lock="audience.clear_import_files")
def clear_import_files(timestamp: int) -> None:
    """Hourly: delete uploads and files of refused rows that are older than they are kept."""
    with psycopg.connect(postgres.dsn(config.load(), "loader"), autocommit=True) as connection:
        at = dt.datetime.fromtimestamp(timestamp, dt.UTC)
        forgotten, deleted = cancel_forgotten(connection, at=at), clear_files(connection, at=at)
    if forgotten or deleted:
        log.info("files of imports cleared", deleted=deleted, cancelled=forgotten)


@app.periodic(cron="31 * * * *")
@app.task(name="audience.forget_event_keys", queueing_lock="audience.forget_event_keys")
def forget_old_event_keys(timestamp: int) -> None:
    """Hourly: forget the ids of events that are older than they are remembered."""
    with psycopg.connect(postgres.dsn(config.load(), "loader"), autocommit=True) as connection:
        forget_event_keys(connection, at=dt.datetime.fromtimestamp(timestamp, dt.UTC))
