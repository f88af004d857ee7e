"""Subscribing, confirming, choosing and leaving: what the public forms do to the table of `subscribers`.

Whoever asks learns nothing of who is subscribed: asking writes at most a pending row and always one letter or challenge to
the address itself, and only what is in it can confirm, choose or leave. Letters wait in the table `confirmation`, written
in the same transaction, and are sent by the desk until they went out: a kill loses none.
"""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from standfast.operations.log import Log
from standfast.operations.map import Map
from standfast.operations.status_page import subscribers
from standfast.operations.status_page.subscribers import Subscriber
from standfast.protocols.address import AddressError, parse_address

PENDING_FOR = timedelta(days=7)
QUARANTINED_FOR = timedelta(days=60)  # then it is dropped
UNSUBSCRIBED_FOR = timedelta(days=30)
LETTERS_A_DAY = 3  # to one address: asking again and again does not fill somebody's mailbox
URL_LENGTH_MAX = 500
RETRY_MINUTES = (1, 2, 5, 15, 60)

_SCHEMA = """
create table if not exists confirmation (
    subscriber text primary key,
    number integer not null,
    attempts integer not null default 0,
    next_at text not null,
    first_at text not null,
    due integer not null default 1
);
"""


class SubscribeError(ValueError):
    """What was typed cannot be subscribed; the text says why."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter or challenge to be sent now. `number` tells letters to one subscriber apart."""

    subscriber: Subscriber
    number: int
    attempts: int


def prepare(log: Log) -> None:
    subscribers.prepare(log)
    log.prepare(_SCHEMA)


def email_address(text: str) -> str:
    """The address with a lower-case domain. Raises SubscribeError."""
    try:
        parsed = parse_address(text.strip())
    except AddressError as error:
        raise SubscribeError("This is not an e-mail address.") from error
    return parsed.email


def webhook_address(text: str, *, allow_private: bool = False) -> str:
    """An https address without user, password or fragment. Raises SubscribeError. What it resolves to is judged on sending."""
    address = text.strip()
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise SubscribeError("This is not a web address.") from error
    if len(address) > URL_LENGTH_MAX or not host or any(ord(c) <= 32 or ord(c) > 126 for c in address) or port == 0:
        raise SubscribeError("This is not a web address of at most 500 plain characters.")
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise SubscribeError("A webhook's address begins with https://")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise SubscribeError("Leave out user, password and #fragment: deliveries are signed instead.")
    return address


def scope(
    the_map: Map, components: Iterable[str], clusters: Iterable[str]
) -> tuple[list[str] | None, list[str] | None]:
    """What was ticked as lists for the table; nothing or everything ticked is None, all."""
    ticked, chosen = set(components), set(clusters)
    parts = [part.id for part in the_map.components if part.id in ticked]
    cells = [cluster.id for cluster in the_map.clusters if cluster.id in chosen]
    return (
        parts if parts and len(parts) < len(the_map.components) else None,
        cells if cells and len(cells) < len(the_map.clusters) else None,
    )


def subscribe(
    log: Log,
    *,
    channel: str,
    address: str,
    components: list[str] | None,
    clusters: list[str] | None,
    now: datetime,
) -> None:
    """Write a pending subscriber where none is, and have a letter or challenge sent. Raises LogError."""
    with log.transaction() as connection:
        row = connection.execute(
            "select id, state from subscriber where channel = ? and address = ?", (channel, address)
        ).fetchone()
        key = row["id"] if row else f"s{secrets.token_hex(10)}"
        if row is None:
            connection.execute(
                "insert into subscriber (id, channel, address, secret, created_at) values (?, ?, ?, ?, ?)",
                (key, channel, address, _secret() if channel == "webhook" else "", now.isoformat()),
            )
        if row is None or row["state"] in ("pending", "unsubscribed"):
            _choose(connection, key, components, clusters)
            connection.execute(
                "update subscriber set state = 'pending', created_at = ? where id = ?", (now.isoformat(), key)
            )
        _letter(connection, key, now)


def confirm(log: Log, text: str, *, now: datetime) -> Subscriber | None:
    """The subscriber of a confirmation link, confirmed now if not before; None where the link is none (or has been purged)."""
    with log.transaction() as connection:
        one = _of(connection, "confirm", text)
        if one is None or one.state == "unsubscribed":
            return None
        if one.state != "confirmed":
            connection.execute(
                "update subscriber set state = 'confirmed', confirmed_at = ?, quarantined_at = null, bounces = 0 where id = ?",
                (now.isoformat(), one.id),
            )
        return one


def confirm_link(connection: sqlite3.Connection, subscriber: str) -> str:
    """What a confirmation link carries; another than the one for leaving, which letters carry for years."""
    return f"{subscriber}.{subscribers.token(connection, f'confirm:{subscriber}').rpartition('.')[2]}"


def known(log: Log, text: str, *, purpose: str = "manage") -> Subscriber | None:
    """The subscriber of a link, for showing its page; changes nothing."""
    return _of(log.connection, purpose, text)


def unsubscribe(log: Log, text: str) -> Subscriber | None:
    """Told nothing from now on. None where the link is none; once more is as well as once."""
    with log.transaction() as connection:
        one = _of(connection, "manage", text)
        if one is not None:
            connection.execute("update subscriber set state = 'unsubscribed' where id = ?", (one.id,))
        return one


def choose(log: Log, text: str, components: list[str] | None, clusters: list[str] | None) -> Subscriber | None:
    """Other components and clusters."""
    with log.transaction() as connection:
        one = _of(connection, "manage", text)
        if one is not None:
            _choose(connection, one.id, components, clusters)
        return one


def waiting(log: Log, *, now: datetime, limit: int = 20) -> list[Waiting]:
    """The letters that are due, marked as tried so that another attempt comes later, not at once."""
    found = []
    with log.transaction() as connection:
        rows = connection.execute(
            "select * from confirmation where due = 1 and next_at <= ? order by next_at limit ?",
            (now.isoformat(), limit),
        ).fetchall()
        every = subscribers.by_id(connection, [row["subscriber"] for row in rows])
        for row in rows:
            later = now + timedelta(minutes=RETRY_MINUTES[min(row["attempts"], len(RETRY_MINUTES) - 1)])
            connection.execute(
                "update confirmation set attempts = attempts + 1, next_at = ?, due = ? where subscriber = ?",
                (later.isoformat(), int(row["attempts"] + 1 < len(RETRY_MINUTES)), row["subscriber"]),
            )
            one = every.get(row["subscriber"])
            if one is not None:
                found.append(Waiting(one, row["number"], row["attempts"] + 1))
    return found


def sent(log: Log, subscriber: str, *, number: int) -> None:
    """The letter went out: it is not due any more, unless another one was asked for meanwhile."""
    with log.transaction() as connection:
        connection.execute(
            "update confirmation set due = 0, attempts = 0 where subscriber = ? and number = ?", (subscriber, number)
        )


def purge(log: Log, *, now: datetime) -> int:
    """Drop what was never confirmed, has bounced for long, or has left. Returns how many."""
    with log.transaction() as connection:
        dropped = connection.execute(
            "delete from subscriber where (state = 'pending' and created_at < ?)"
            " or (state = 'quarantined' and quarantined_at < ?) or (state = 'unsubscribed' and created_at < ?)",
            tuple((now - age).isoformat() for age in (PENDING_FOR, QUARANTINED_FOR, UNSUBSCRIBED_FOR)),
        ).rowcount
        connection.execute("delete from confirmation where subscriber not in (select id from subscriber)")
    return dropped


def counts(connection: sqlite3.Connection) -> list[sqlite3.Row]:
    """(channel, state, number) of all subscribers."""
    return connection.execute(
        "select channel, state, count(*) as number from subscriber group by channel, state order by channel, state"
    ).fetchall()


def quarantined(connection: sqlite3.Connection) -> list[sqlite3.Row]:
    return connection.execute(
        "select id, channel, address, bounces, quarantined_at from subscriber where state = 'quarantined'"
        " order by quarantined_at desc limit 200"
    ).fetchall()


def _of(connection: sqlite3.Connection, purpose: str, text: str) -> Subscriber | None:
    subscriber, _, signature = text.partition(".")
    if purpose == "manage":
        return subscribers.of_token(connection, text)
    if not secrets.compare_digest(confirm_link(connection, subscriber).encode(), f"{subscriber}.{signature}".encode()):
        return None
    return subscribers.by_id(connection, [subscriber]).get(subscriber)


def _choose(
    connection: sqlite3.Connection, subscriber: str, components: list[str] | None, clusters: list[str] | None
) -> None:
    connection.execute(
        "update subscriber set components = ?, clusters = ? where id = ?",
        (
            json.dumps(components) if components is not None else None,
            json.dumps(clusters) if clusters is not None else None,
            subscriber,
        ),
    )


def _letter(connection: sqlite3.Connection, subscriber: str, now: datetime) -> None:
    """Have one sent, unless the address got its share of today."""
    row = connection.execute("select * from confirmation where subscriber = ?", (subscriber,)).fetchone()
    today = row is not None and now - datetime.fromisoformat(row["first_at"]) < timedelta(days=1)
    if row is None:
        connection.execute(
            "insert into confirmation (subscriber, number, next_at, first_at) values (?, 1, ?, ?)",
            (subscriber, now.isoformat(), now.isoformat()),
        )
    elif not (today and row["number"] % 100 >= LETTERS_A_DAY):
        number = row["number"] + 1 if today else (row["number"] // 100 + 1) * 100 + 1
        connection.execute(
            "update confirmation set number = ?, attempts = 0, due = 1, next_at = ?, first_at = ? where subscriber = ?",
            (number, now.isoformat(), row["first_at"] if today else now.isoformat(), subscriber),
        )


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
