"""Who wants to be told: by e-mail (double opt-in) or by signed webhook, about chosen components and clusters.

The table lies in the operations log's SQLite file, so that the ledger's rows are made in one transaction with its cursor.
A subscriber that bounces is quarantined: it is kept, and told nothing, until somebody confirms it again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from standfast.operations.log import Log
from standfast.operations.map import Square

_SCHEMA = """
create table if not exists subscriber (
    id text primary key,
    channel text not null check (channel in ('email', 'webhook')),
    address text not null,
    secret text not null default '',
    components text,
    clusters text,
    state text not null default 'pending' check (state in ('pending', 'confirmed', 'unsubscribed', 'quarantined')),
    bounces integer not null default 0,
    created_at text not null,
    confirmed_at text,
    quarantined_at text,
    unique (channel, address)
);
create index if not exists subscriber_state on subscriber (state);
create table if not exists subscriber_key (id integer primary key check (id = 1), key text not null);
"""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """secret: of a webhook, `whsec_` and base64. components and clusters: ids, None for all."""

    id: str
    channel: str
    address: str
    secret: str
    components: tuple[str, ...] | None
    clusters: tuple[str, ...] | None
    state: str
    bounces: int

    def wants(self, squares: Iterable[Square]) -> bool:
        """Whether one of the squares is among those chosen."""
        return any(
            (self.components is None or square.component in self.components)
            and (self.clusters is None or square.cluster in self.clusters)
            for square in squares
        )


def prepare(log: Log) -> None:
    """Make the tables where they are missing, and the key of the links in letters. Raises LogError."""
    log.prepare(_SCHEMA)
    with log.transaction() as connection:
        connection.execute("insert or ignore into subscriber_key (id, key) values (1, ?)", (secrets.token_hex(32),))


def token(connection: sqlite3.Connection, subscriber: str) -> str:
    """What a letter's links carry: the subscriber's id and a signature over it, so that nobody else's can be made up."""
    key = bytes.fromhex(connection.execute("select key from subscriber_key").fetchone()["key"])
    return f"{subscriber}.{hmac.digest(key, subscriber.encode(), hashlib.sha256).hex()[:40]}"


def of_token(connection: sqlite3.Connection, text: str) -> Subscriber | None:
    """The subscriber whose token this is, whatever the state; None for anything else."""
    subscriber = text.partition(".")[0]
    if not hmac.compare_digest(token(connection, subscriber).encode(), text.encode()):
        return None
    return by_id(connection, [subscriber]).get(subscriber)


def matching(connection: sqlite3.Connection, squares: Iterable[Square]) -> list[Subscriber]:
    """The confirmed subscribers who want to hear of one of these squares."""
    wanted = list(squares)
    rows = connection.execute("select * from subscriber where state = 'confirmed' order by id").fetchall()
    return [one for one in map(_subscriber, rows) if one.wants(wanted)]


def by_id(connection: sqlite3.Connection, ids: Iterable[str]) -> Mapping[str, Subscriber]:
    """Subscribers by id, whatever their state."""
    wanted = list(ids)
    marks = ", ".join("?" * len(wanted))
    rows = connection.execute(f"select * from subscriber where id in ({marks})", wanted).fetchall()  # noqa: S608
    return {row["id"]: _subscriber(row) for row in rows}


def delivered(connection: sqlite3.Connection, subscriber: str) -> None:
    """A notification arrived: what bounced before is forgotten."""
    connection.execute("update subscriber set bounces = 0 where id = ? and bounces > 0", (subscriber,))


def bounced(connection: sqlite3.Connection, subscriber: str, *, now: datetime, most: int) -> None:
    """A notification was refused; after `most` in a row the subscriber is quarantined."""
    connection.execute("update subscriber set bounces = bounces + 1 where id = ?", (subscriber,))
    connection.execute(
        "update subscriber set state = 'quarantined', quarantined_at = ?"
        " where id = ? and state = 'confirmed' and bounces >= ?",
        (now.isoformat(), subscriber, most),
    )


def _subscriber(row: sqlite3.Row) -> Subscriber:
    return Subscriber(
        row["id"], row["channel"], row["address"], row["secret"],
        tuple(json.loads(row["components"])) if row["components"] else None,
        tuple(json.loads(row["clusters"])) if row["clusters"] else None,
        row["state"], row["bounces"],
    )  # fmt: skip
