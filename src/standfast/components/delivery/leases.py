"""Who works on what: a lease is a row that names the worker's journal, taken and ended in the same transaction as its effects."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import namedtuple_row

from standfast.components.delivery.queries import QUERIES
from standfast.platform import tenancy

LEASE_MESSAGES = 1000
LEASE_SECONDS = 120
DUE_MESSAGES = 500
FOREIGN_GRACE_SECONDS = 900
"""A lease of another machine is given up this long after it ran out: its journal cannot be read here, so what it may have
sent is uncertain, and a machine that only lost its network should get the chance to say more."""


class Lease(NamedTuple):
    account_id: int
    send_id: int
    id: int
    lo: int | None
    hi: int | None
    seqs: list[int] | None

    @property
    def messages(self) -> dict[str, Any]:
        """Its messages as parameters of queries."""
        seqs = self.seqs
        if seqs is None:
            assert self.lo is not None and self.hi is not None  # a lease is one or the other
            seqs = list(range(self.lo, self.hi + 1))
        return {
            "account_id": self.account_id, "send_id": self.send_id, "lease_id": self.id, "seqs": seqs,
            "is_range": self.seqs is None,
        }  # fmt: skip


def node_name() -> str:
    """This machine, as written into leases: its id where there is one, for a name can be given twice."""
    try:
        return Path("/etc/machine-id").read_text().strip()[:32] or socket.gethostname()
    except OSError:
        return socket.gethostname()


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def sends_with_work(connection: psycopg.Connection, *, start: int = 0) -> list[tuple[int, int]]:
    """(account_id, send_id) of sends that have something to lease now: streams first, then the others from number `start` on,
    so that of several who ask one large send does not keep the others waiting."""
    rows = list(QUERIES.sends_with_work(connection, now=utc_now()))
    connection.commit()
    streams = [(row[0], row[1]) for row in rows if row[2]]
    bulk = [(row[0], row[1]) for row in rows if not row[2]]
    start %= max(len(bulk), 1)
    return streams + bulk[start:] + bulk[:start]


def take(
    connection: psycopg.Connection,
    *,
    account_id: int,
    send_id: int,
    node: str,
    journal: str,
    size: int = LEASE_MESSAGES,
) -> Lease | None:
    """Lease the send's next range, or what is due for another attempt; None when there is nothing or another was faster."""
    now = utc_now()
    common: dict[str, Any] = {
        "account_id": account_id, "send_id": send_id, "now": now, "node": node, "journal": journal,
        "expires_at": now + dt.timedelta(seconds=LEASE_SECONDS),
    }  # fmt: skip
    with connection.transaction():
        tenancy.enter(connection, account_id)
        row = QUERIES.lease_due(connection, size=min(size, DUE_MESSAGES), **common)
        if row is None:
            row = QUERIES.lease_range(connection, size=size, **common)
    return None if row is None else Lease(account_id, send_id, *row)


def recipients(connection: psycopg.Connection, lease: Lease) -> list[Any]:
    """The lease's pending rows with their people as they are now (see `leased-recipients` in sql/leases.sql)."""
    with connection.transaction(), connection.cursor(row_factory=namedtuple_row) as cursor:
        tenancy.enter(cursor, lease.account_id)
        cursor.execute(QUERIES.leased_recipients.sql, lease.messages)
        return cursor.fetchall()


def extend(connection: psycopg.Connection, lease: Lease) -> None:
    """Say that the lease is still worked on."""
    with connection.transaction():
        tenancy.enter(connection, lease.account_id)
        expires_at = utc_now() + dt.timedelta(seconds=LEASE_SECONDS)
        QUERIES.extend_lease(connection, account_id=lease.account_id, lease_id=lease.id, expires_at=expires_at)


def abandon(connection: psycopg.Connection, lease: Lease) -> None:
    """End a lease of which nothing was sent: all of it is due again at once."""
    with connection.transaction():
        tenancy.enter(connection, lease.account_id)
        give_back(connection, lease, [seq for seq, _ in pending(connection, lease)])


def pending(connection: psycopg.Connection, lease: Lease) -> list[tuple[int, int]]:
    """(seq, attempts) of the lease's rows without an outcome. In a transaction of the account."""
    return list(QUERIES.pending_of_lease(connection, **lease.messages))


def give_back(connection: psycopg.Connection, lease: Lease, unattempted: Sequence[int]) -> None:
    """Part of ending a lease, in the caller's transaction: what was not attempted is due again, the lease is gone."""
    if unattempted:
        QUERIES.return_unattempted(
            connection, account_id=lease.account_id, send_id=lease.send_id, seqs=list(unattempted), now=utc_now()
        )
    QUERIES.end_lease(connection, account_id=lease.account_id, lease_id=lease.id)
    QUERIES.finish_send(connection, account_id=lease.account_id, send_id=lease.send_id, now=utc_now())
