"""Files of imports are kept as long as somebody may want them, and no longer: they hold people."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import psycopg
import structlog

from standfast.components.audience.custom_events import ONCE_WITHIN
from standfast.platform import tenancy
from standfast.platform.forgetting import forget_by_account

log = structlog.get_logger("import")
UPLOAD_KEPT = dt.timedelta(days=7)
REJECTS_KEPT = dt.timedelta(days=30)
WAITS_MAX = dt.timedelta(days=30)
"""An upload that nobody begins is cancelled after this, and kept as long as others from then on."""
NEVER_BEGUN = f"Nobody began it within {WAITS_MAX.days} days."


def clear_files(connection: psycopg.Connection, *, at: dt.datetime) -> int:
    """Delete what is older than it is kept; returns how many files. `connection` is the loader's, outside a transaction.

    A file first, then its row: after a kill between the two the next run finds the row and no file.
    """
    # over accounts: files of all; each account's rows are changed in a transaction of its own
    found = connection.execute(
        "SELECT account_id, id, path, rejects_path, finished_at FROM audience_import "
        "WHERE state IN ('done', 'failed', 'cancelled') "
        "AND ((path <> '' AND finished_at < %s) OR (rejects_path <> '' AND finished_at < %s))",
        [at - UPLOAD_KEPT, at - REJECTS_KEPT],
    ).fetchall()
    deleted = 0
    for account_id, import_id, path, rejects_path, finished_at in found:
        deleted += _delete(path) if finished_at < at - UPLOAD_KEPT else 0
        rejects_too = finished_at < at - REJECTS_KEPT
        deleted += _delete(rejects_path) if rejects_too else 0
        with connection.transaction(), connection.cursor() as cursor:
            tenancy.enter(cursor, account_id)
            cursor.execute(
                "UPDATE audience_import SET path = '', rejects_path = CASE WHEN %s THEN '' ELSE rejects_path END "
                "WHERE account_id = %s AND id = %s",
                [rejects_too, account_id, import_id],
            )
    return deleted


def cancel_forgotten(connection: psycopg.Connection, *, at: dt.datetime) -> int:
    """Cancel uploads that nobody began; returns how many."""
    # over accounts: one statement on a small table
    return connection.execute(
        "UPDATE audience_import SET state = 'cancelled', problem = %s, finished_at = %s "
        "WHERE state IN ('uploaded', 'checked') AND created_at < %s",
        [NEVER_BEGUN, at, at - WAITS_MAX],
    ).rowcount


def forget_event_keys(connection: psycopg.Connection, *, at: dt.datetime) -> int:
    """Forget ids of events that are older than they are remembered; returns how many. `connection` is the loader's, autocommit."""
    return forget_by_account(
        connection, before=at - ONCE_WITHIN,
        # over accounts: where there are any
        accounts="SELECT DISTINCT account_id FROM audience_eventkey WHERE at < %(before)s",
        delete="DELETE FROM audience_eventkey WHERE account_id = %(account_id)s AND at < %(before)s",
    )  # fmt: skip


def _delete(path: str) -> int:
    file = Path(path)
    if not path or not file.is_file():
        return 0
    try:
        file.unlink()
    except OSError as error:
        log.warning("a file cannot be deleted", path=path, error=str(error))
        return 0
    return 1
