"""Clear what emptied and deleted tables leave behind, in batches that hold nobody up."""

from __future__ import annotations

import psycopg

from standfast.components.tables.queries import QUERIES
from standfast.platform import tenancy

BATCH_ROWS = 5000


def clear_ended(connection: psycopg.Connection) -> int:
    """Delete the rows of stores that have ended, then the stores; returns how many rows. Killed, the next run goes on.

    `connection` is the loader's, outside a transaction.
    """
    # over accounts: a small table; each batch is a transaction of its account
    found = connection.execute("SELECT account_id, id FROM tables_store WHERE ended_at IS NOT NULL").fetchall()
    deleted = 0
    for account_id, store_id in found:
        for query in (QUERIES.clear_entries.sql, QUERIES.clear_rows.sql):
            while cleared := _batch(connection, query, account_id, store_id):
                deleted += cleared if query == QUERIES.clear_rows.sql else 0
        with connection.transaction(), connection.cursor() as cursor:
            tenancy.enter(cursor, account_id)
            cursor.execute("DELETE FROM tables_store WHERE account_id = %s AND id = %s", [account_id, store_id])
    return deleted


def _batch(connection: psycopg.Connection, query: str, account_id: int, store_id: int) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        tenancy.enter(cursor, account_id)
        cursor.execute(query, {"account_id": account_id, "store_id": store_id, "size": BATCH_ROWS})
        return cursor.rowcount
