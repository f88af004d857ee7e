"""Who is told what: one row for each update, subscriber and channel, written before anything is sent.

The rows of an update are made in the transaction that moves the cursor over its log entry, so none is missed and none made
twice. A row is `due`, then `trying` (on disk before the first byte leaves), then `done` or `failed`. A row found `trying`
after a kill, and one whose outcome the other side left unknown, is due again under the same message id and counted in
`unknown`: the receiver can tell, and so can we.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from standfast.operations.clock import Clock
from standfast.operations.incidents.entries import Kind
from standfast.operations.incidents.state import State
from standfast.operations.log import Log
from standfast.operations.status_page import subscribers

RETRY_SECONDS = (10, 30, 60, 300, 900, 1800, 3600, 7200, 14400, 28800)  # then the row has failed
BOUNCES_MAX = 3  # so many refused in a row, and the subscriber is quarantined

_SCHEMA = """
create table if not exists notification (
    update_id text not null,
    subscriber text not null,
    channel text not null,
    state text not null default 'due',
    attempts integer not null default 0,
    unknown integer not null default 0,
    next_at real not null default 0,
    detail text not null default '',
    settled_at text,
    primary key (update_id, subscriber, channel)
) without rowid;
create index if not exists notification_due on notification (next_at) where state in ('due', 'trying');
create table if not exists cursor (name text primary key, position integer not null);
"""


@dataclass(frozen=True, slots=True)
class Due:
    """One notification to be sent now; `message` is the same at every attempt."""

    update: str
    subscriber: subscribers.Subscriber
    channel: str
    attempts: int

    @property
    def message(self) -> str:
        """The part of Message-ID or webhook-id that names this notification."""
        return f"{self.update}.{self.subscriber.id}"


@dataclass(frozen=True, slots=True)
class Delivered:
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """Not delivered now, or `unknown`: it may have been."""

    detail: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Bounced:
    """The address does not take it, and another attempt would get the same answer; gone = for good."""

    detail: str
    gone: bool = False


Result = Delivered | Later | Bounced


class Ledger:
    """The ledger in the log's file. All functions raise LogError where it cannot be written."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self.log, self.clock = log, clock
        log.prepare(_SCHEMA)
        subscribers.prepare(log)

    def recover(self) -> int:
        """After a start: what was being tried has an unknown outcome and is due again. Returns how many.

        Our own end is no failure of the receiver's: it does not count towards giving up.
        """
        with self.log.transaction() as connection:
            return connection.execute(
                "update notification set state = 'due', next_at = 0, unknown = unknown + 1, attempts = max(attempts - 1, 0),"
                " detail = 'stopped while it was being sent' where state = 'trying'"
            ).rowcount

    def enqueue(self, state: State) -> int:
        """Make the rows of every post after the cursor whose author wanted people told. Returns how many."""
        made = 0
        with self.log.transaction() as connection:
            row = connection.execute("select position from cursor where name = 'notified'").fetchone()
            position = row["position"] if row else 0
            if position >= state.position:
                return 0
            for entry in self.log.after(position, kind=Kind.POST):
                if entry.position > state.position:
                    break
                incident = state.incidents.get(entry.data["incident"])
                if incident is None or incident.vetoed or not entry.data.get("notify", True):
                    continue
                for one in subscribers.matching(connection, list(incident.squares)):
                    made += connection.execute(
                        "insert or ignore into notification (update_id, subscriber, channel) values (?, ?, ?)",
                        (entry.data["update"], one.id, one.channel),
                    ).rowcount
            connection.execute(
                "insert into cursor (name, position) values ('notified', ?)"
                " on conflict (name) do update set position = excluded.position",
                (state.position,),
            )
        return made

    def take(self, limit: int, *, channel: str) -> list[Due]:
        """The next due rows of a channel, marked as being tried; what its subscriber no longer wants is dropped."""
        with self.log.transaction() as connection:
            rows = connection.execute(
                "select update_id, subscriber, channel, attempts from notification"
                " where state = 'due' and next_at <= ? and channel = ? order by next_at, update_id limit ?",
                (self.clock.now().timestamp(), channel, limit),
            ).fetchall()
            known = subscribers.by_id(connection, [row["subscriber"] for row in rows])
            found = []
            for row in rows:
                one = known.get(row["subscriber"])
                wanted = one is not None and one.state == "confirmed"
                self._set(
                    connection,
                    (row["update_id"], row["subscriber"], row["channel"]),
                    "state = 'trying', attempts = attempts + 1"
                    if wanted
                    else "state = 'failed', detail = 'no longer subscribed'",
                )
                if one is not None and wanted:
                    found.append(Due(row["update_id"], one, row["channel"], row["attempts"] + 1))
        return found

    def settle(self, results: Sequence[tuple[Due, Result]]) -> None:
        """Write down what became of each, in one transaction."""
        now = self.clock.now()
        with self.log.transaction() as connection:
            for due, result in results:
                key = (due.update, due.subscriber.id, due.channel)
                if isinstance(result, Delivered):
                    self._set(
                        connection, key, "state = 'done', settled_at = ?, detail = ?", now.isoformat(), result.detail
                    )
                    subscribers.delivered(connection, due.subscriber.id)
                elif isinstance(result, Bounced):
                    self._set(
                        connection, key, "state = 'failed', settled_at = ?, detail = ?", now.isoformat(), result.detail
                    )
                    most = 1 if result.gone else BOUNCES_MAX
                    subscribers.bounced(connection, due.subscriber.id, now=now, most=most)
                elif due.attempts > len(RETRY_SECONDS):
                    self._set(
                        connection, key, "state = 'failed', settled_at = ?, detail = ?", now.isoformat(), result.detail
                    )
                    subscribers.bounced(connection, due.subscriber.id, now=now, most=BOUNCES_MAX)
                else:
                    next_at = now.timestamp() + RETRY_SECONDS[due.attempts - 1]
                    self._set(
                        connection, key, "state = 'due', next_at = ?, unknown = unknown + ?, detail = ?",
                        next_at, int(result.unknown), result.detail,
                    )  # fmt: skip

    def counts(self) -> dict[str, int]:
        """Rows by state, and `unknown`: how many attempts had an outcome nobody knows."""
        rows = self.log.connection.execute(
            "select state, count(*) as number, sum(unknown) as unknown from notification group by state"
        ).fetchall()
        return {row["state"]: row["number"] for row in rows} | {"unknown": sum(row["unknown"] for row in rows)}

    @staticmethod
    def _set(connection: sqlite3.Connection, key: tuple[str, str, str], what: str, *values: object) -> None:
        connection.execute(
            f"update notification set {what} where update_id = ? and subscriber = ? and channel = ?",  # noqa: S608
            (*values, *key),
        )
