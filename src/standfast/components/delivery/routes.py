"""Which way an account's mail leaves: the bundled inbox, or an SMTP host of the account's."""

from __future__ import annotations

from typing import NamedTuple

import psycopg

from standfast.components.delivery.ledger import Backoff
from standfast.platform import config, sealing

PASSWORD = "relay-password"  # noqa: S105 - the name of a purpose


class Way(NamedTuple):
    """Where to connect, as the SMTP client takes it; and how many connections a lease may use."""

    host: str
    port: int
    tls: str
    username: str
    password: str
    connections: int


def way_of(connection: psycopg.Connection, *, account_id: int) -> Way:
    """The account's way out; without a route of its own it is the bundled inbox. In a transaction of the account."""
    row = connection.execute(
        "SELECT to_inbox, host, port, tls, username, password_sealed, connections FROM delivery_route WHERE account_id = %s",
        [account_id],
    ).fetchone()
    if row is None or row[0]:
        settings = config.load()
        return Way(settings.host, settings.inbox_port, "none", "", "", row[6] if row else 8)
    password = sealing.unseal(row[5], purpose=PASSWORD) if row[5] else ""
    return Way(row[1], row[2], row[3], row[4], password, row[6])


def backoff_of(connection: psycopg.Connection, *, account_id: int, send_id: int) -> Backoff:
    """How deferrals of a send are tried again. In a transaction of the account."""
    row = connection.execute(
        "SELECT coalesce(r.retry_seconds, 1200), coalesce(r.retry_seconds_max, 14400), coalesce(r.life_seconds, 172800), "
        "extract(epoch FROM s.created_at)::float8, s.kind = 'stream' FROM delivery_send s "
        "LEFT JOIN delivery_route r ON r.account_id = s.account_id WHERE s.account_id = %s AND s.id = %s",
        [account_id, send_id],
    ).fetchone()
    assert row is not None
    return Backoff(*row)
