"""The event log: what happened, one row each, in the order of its account.

A position is the next number of the account's own sequence, taken under that account's row lock as the last thing of the
transaction: positions have no gaps and commit in order, so "everything up to here" means exactly that.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

COLUMNS = "account_id, position, at, kind, contact_id, send_id, seq, data"
TYPES = ["int8", "int8", "timestamptz", "text", "int8", "int8", "int4", "jsonb"]


class Event(NamedTuple):
    """`at` is aware UTC; `kind` a past participle; `data` small and JSON."""

    at: dt.datetime
    kind: str
    contact_id: int | None = None
    send_id: int | None = None
    seq: int | None = None
    data: Mapping[str, Any] | None = None


def append(cursor: Any, *, account_id: int, events: Sequence[Event], bulk: bool = False) -> int:
    """Append events in the cursor's transaction, last thing before its commit; returns the last position.

    `bulk` uses binary COPY, which needs a role that bypasses row-level security (the loader).
    """
    if not events:
        return head(cursor, account_id=account_id)
    if not bulk:
        return _insert(cursor, account_id, events)
    last = take_positions(cursor, account_id=account_id, count=len(events))
    _copy(cursor, account_id, last - len(events) + 1, events)
    return last


def take_positions(cursor: Any, *, account_id: int, count: int) -> int:
    """Reserve the next `count` positions and lock the account's log until the commit; returns the last of them."""
    cursor.execute(
        "INSERT INTO event_head AS h (account_id, position) VALUES (%s, %s) "
        "ON CONFLICT (account_id) DO UPDATE SET position = h.position + excluded.position RETURNING position",
        [account_id, count],
    )
    return int(cursor.fetchone()[0])


def _copy(cursor: Any, account_id: int, first: int, events: Sequence[Event]) -> None:
    with cursor.copy(f"COPY event ({COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(TYPES)
        for position, event in enumerate(events, first):
            data = Jsonb(event.data) if event.data else None
            copy.write_row(
                (account_id, position, event.at, event.kind, event.contact_id, event.send_id, event.seq, data)
            )


def _insert(cursor: Any, account_id: int, events: Sequence[Event]) -> int:
    """In one statement, for all others of the account wait from its beginning to the commit. One JSON text for all of them:
    written as arrays, their escaping by psycopg costs more than everything else of a call."""
    rows = [
        {
            "at": at.isoformat(),
            "kind": kind,
            "contact_id": contact_id,
            "send_id": send_id,
            "seq": seq,
            "data": data or None,
        }
        for at, kind, contact_id, send_id, seq, data in events
    ]
    cursor.execute(
        "WITH head AS (INSERT INTO event_head AS h (account_id, position) VALUES (%(account_id)s, %(count)s) "  # noqa: S608
        "ON CONFLICT (account_id) DO UPDATE SET position = h.position + excluded.position RETURNING position), "
        f"written AS (INSERT INTO event ({COLUMNS}) "
        "SELECT %(account_id)s, head.position - %(count)s + ord, at, kind, contact_id, send_id, seq, data "
        "FROM head CROSS JOIN ROWS FROM (json_to_recordset(%(rows)s::json) "
        "AS (at timestamptz, kind text, contact_id bigint, send_id bigint, seq int, data jsonb)) "
        "WITH ORDINALITY AS e(at, kind, contact_id, send_id, seq, data, ord)) "
        "SELECT position FROM head",
        {
            "account_id": account_id,
            "count": len(events),
            "rows": json.dumps(rows, default=dict, separators=(",", ":")),
        },
    )
    return int(cursor.fetchone()[0])


def head(cursor: Any, *, account_id: int) -> int:
    """The position of the account's last event, 0 where there is none."""
    cursor.execute("SELECT position FROM event_head WHERE account_id = %s", [account_id])
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def append_from_source(cursor: Any, *, account_id: int, node: str, records: Sequence[tuple[int, Event]]) -> int:
    """Append what a spool hands over, once: records at or below the position already taken from `node` are skipped.

    `records` are (position in the spool, event), rising. Returns how many were new. The row of (account, node) is locked,
    so two shippers of one spool cannot both append.
    """
    cursor.execute(
        "INSERT INTO event_source (account_id, node, position) VALUES (%s, %s, -1) ON CONFLICT DO NOTHING",
        [account_id, node],
    )
    cursor.execute(
        "SELECT position FROM event_source WHERE account_id = %s AND node = %s FOR UPDATE", [account_id, node]
    )
    taken = int(cursor.fetchone()[0])
    new = [(position, event) for position, event in records if position > taken]
    if new:
        cursor.execute(
            "UPDATE event_source SET position = %s WHERE account_id = %s AND node = %s", [new[-1][0], account_id, node]
        )
        append(cursor, account_id=account_id, events=[event for _, event in new], bulk=True)
    return len(new)


def ensure_partitions(cursor: Any, *, today: dt.date, months_ahead: int = 3) -> None:
    """Make the monthly partitions from last month to `months_ahead`. Run by the owner, daily; a gap falls into event_other."""
    month = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    for _ in range(months_ahead + 2):
        following = (month + dt.timedelta(days=32)).replace(day=1)
        name = f"event_{month:%Y_%m}"
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is None:
            cursor.execute(
                f"CREATE TABLE {name} PARTITION OF event FOR VALUES FROM ('{month} 00:00+00') TO ('{following} 00:00+00')"
            )
            # the policy is the parent's; without one of its own nobody reads a partition round it
            cursor.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        month = following
