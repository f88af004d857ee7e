"""Django's way to PostgreSQL (`ENGINE` in the settings) with fewer round trips: where calls are short, those are the time."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connection
from psycopg import pq

_DONE = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


def at_once(*statements: str) -> pq.abc.PGresult:
    """Carry out statements in one round trip; the last one's result. Raises Django's database errors, as a cursor does.

    They are one message of PostgreSQL's simple protocol: outside a transaction they are one of their own, and a BEGIN among
    them begins one that outlives the message. Parameters have to be in the text already, see `quoted`.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        link = connection.connection.pgconn
        result = link.exec_("; ".join(statements).encode())
        if result.status in _DONE:
            return result
        if link.status != pq.ConnStatus.OK:
            raise psycopg.OperationalError(link.get_error_message())
        raise psycopg.errors.error_from_result(result)


def begun() -> bool:
    """Whether the server is in a transaction. Django's `atomic` alone sends nothing: psycopg begins with the first statement."""
    return bool(connection.connection.pgconn.transaction_status != pq.TransactionStatus.IDLE)


def quoted(sql: str, parameters: Any) -> str:
    """The statement with its parameters in it, as PostgreSQL reads them."""
    connection.ensure_connection()
    return psycopg.ClientCursor(connection.connection).mogrify(sql, parameters)
