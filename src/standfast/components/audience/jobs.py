"""Queued work of audience. A job whose worker was killed is run again and goes on from what was committed."""

from __future__ import annotations

import psycopg
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from standfast.components.audience.importing import run_import
from standfast.platform import config, postgres

# A database that went away, a full disk, a deadlock: the import goes on from its last batch, however long that takes. A job that
# gave up would leave its import running for ever.
_AGAIN = RetryStrategy(wait=3, retry_exceptions=[psycopg.OperationalError, OSError])


@app.task(name="audience.import_contacts", retry=_AGAIN)
def import_contacts(account_id: int, import_id: int, dry: bool) -> None:
    """Check (`dry`) or run an import."""
    with psycopg.connect(postgres.dsn(config.load(), "loader"), autocommit=True) as connection:
        run_import(connection, account_id=account_id, import_id=import_id, dry=dry)
