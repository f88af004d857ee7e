"""Consumers of the event log: each reads an account's events in order and commits its position with its effects.

So an effect happens exactly once, whoever is killed when, and a consumer can be replayed from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog

from standfast.platform import tenancy

log = structlog.get_logger("consumers")
BATCH_EVENTS_MAX = 10_000


@dataclass(frozen=True)
class Consumer:
    """`fold(cursor, account_id, after, upto)` applies the events with after < position <= upto, in the cursor's transaction."""

    name: str
    fold: Callable[[Any, int, int, int], None]


def accounts_behind(connection: psycopg.Connection, consumer: Consumer) -> list[int]:
    """Accounts with events that the consumer has not read. No lock: a hint where to look."""
    rows = connection.execute(
        "SELECT h.account_id FROM event_head h "
        "LEFT JOIN event_cursor c ON c.account_id = h.account_id AND c.consumer = %s "
        "WHERE h.position > coalesce(c.position, 0) ORDER BY h.account_id",
        [consumer.name],
    ).fetchall()
    connection.commit()
    return [int(row[0]) for row in rows]


def advance(
    connection: psycopg.Connection, consumer: Consumer, account_id: int, *, batch: int = BATCH_EVENTS_MAX
) -> int:
    """Fold the account's next batch; returns the number of events read, 0 when up to date or another process is at it."""
    with connection.transaction(), connection.cursor() as cursor:
        tenancy.enter(cursor, account_id)
        cursor.execute(
            "INSERT INTO event_cursor (account_id, consumer, position) VALUES (%s, %s, 0) ON CONFLICT DO NOTHING",
            [account_id, consumer.name],
        )
        cursor.execute(
            "SELECT position FROM event_cursor WHERE account_id = %s AND consumer = %s FOR UPDATE SKIP LOCKED",
            [account_id, consumer.name],
        )
        row = cursor.fetchone()
        if row is None:
            return 0
        after = int(row[0])
        cursor.execute("SELECT position FROM event_head WHERE account_id = %s", [account_id])
        last = cursor.fetchone()
        upto = min(int(last[0]) if last else 0, after + batch)
        if upto <= after:
            return 0
        consumer.fold(cursor, account_id, after, upto)
        cursor.execute(
            "UPDATE event_cursor SET position = %s WHERE account_id = %s AND consumer = %s",
            [upto, account_id, consumer.name],
        )
        return upto - after


def advance_all(connection: psycopg.Connection, consumers: Sequence[Consumer]) -> int:
    """One round over every consumer and account behind; returns the events read. A batch each, so that nobody waits for a giant.

    An account whose fold fails stays where it is, is told in the log, and is tried again in the next round: nobody waits for it.
    """
    read = 0
    for consumer in consumers:
        for account_id in accounts_behind(connection, consumer):
            try:
                read += advance(connection, consumer, account_id)
            except psycopg.OperationalError:
                raise  # the database, not the account
            except Exception:
                log.exception("events could not be folded", consumer=consumer.name, account=account_id)
    return read


def positions(cursor: Any, *, account_id: int) -> tuple[int, int]:
    """The last event's position, and how far the slowest consumer has read; equal when everything is folded."""
    cursor.execute(
        "SELECT h.position, coalesce((SELECT min(c.position) FROM event_cursor c WHERE c.account_id = %s), 0) "
        "FROM event_head h WHERE h.account_id = %s",
        [account_id, account_id],
    )
    row = cursor.fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))
