"""Delete what is older than it is kept: one account a transaction, as everything that writes."""

from __future__ import annotations

import datetime as dt

import psycopg

from standfast.platform import tenancy


def forget_by_account(connection: psycopg.Connection, *, accounts: str, delete: str, before: dt.datetime) -> int:
    """Run `delete` (parameters account_id and before) for each account that `accounts` (before) finds; returns how many rows.

    connection: the loader's, outside a transaction and with autocommit.
    """
    deleted = 0
    for (account_id,) in connection.execute(accounts, {"before": before}).fetchall():
        with connection.transaction(), connection.cursor() as cursor:
            tenancy.enter(cursor, account_id)
            cursor.execute(delete, {"account_id": account_id, "before": before})
            deleted += cursor.rowcount
    return deleted
