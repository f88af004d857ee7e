"""Mail that programs hand in one by one: a stream is a send that never ends, its recipients appended as they come.

An accepted message is a row of the ledger and a row of `delivery_submission` that holds what it is made of: the values for a
source of the stream, or the whole message as it was given. Both are written in the caller's transaction; the answer to the
program comes after its commit. The workers lease a stream's ranges before any campaign's.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db import connection

from standfast.components.audience.api import bear_brand
from standfast.components.delivery.models import Send, SendKind, StreamSource
from standfast.components.delivery.queries import QUERIES

SAME_WITHIN = dt.timedelta(hours=24)
"""A message that comes again under the same key within this time is the same message."""

_APPEND = QUERIES.append_submissions.sql.replace("%(raws)s", "%(raws)b")


@dataclass(frozen=True, slots=True)
class Submission:
    """One message for one recipient.

    source_id: a StreamSource that it is rendered from, with `values` (tag, and what overrides the source's headers); or raw:
    the message as given, CRLF lines. due_at: not before then. key: what the program calls the message (its Message-ID):
    the same key and recipient within a day are one message. brand_id: whose do-not-mail holds, instead of the general.
    """

    contact_id: int
    email: str
    source_id: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    ignore_do_not_mail: bool = False
    due_at: dt.datetime | None = None
    key: str = ""
    brand_id: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """Where a submission is in the ledger; `again`: it had been taken before."""

    seq: int
    again: bool


def open_stream(*, account_id: int, sources: Mapping[str, Any]) -> Send:
    """A stream. `sources` as for `freeze_send`: the defaults that a message's own values go over. In the account's scope."""
    return Send.objects.create(
        account_id=account_id, campaign_id=None, kind=SendKind.STREAM, sources=dict(sources), nonce=secrets.token_hex(5)
    )


def name_stream(*, account_id: int, send_id: int, name: str, subject: str) -> None:
    """What reports call the stream. In the account's scope."""
    stream = Send.objects.only("sources").get(account_id=account_id, pk=send_id)
    stream.sources = {**stream.sources, "campaign": {"name": name}, "subject": subject}
    stream.save(update_fields=["sources"])


def stream_source(*, account_id: int, send_id: int, sources: Mapping[str, Any]) -> int:
    """The id of a frozen source of the stream, made where it is new: many messages share one. In the account's scope."""
    text = json.dumps(sources, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    made, _ = StreamSource.objects.get_or_create(
        account_id=account_id, send_id=send_id, digest=digest, defaults={"sources": dict(sources)}
    )
    return int(made.pk)


def submit(*, account_id: int, send_id: int, messages: Sequence[Submission]) -> list[Taken]:
    """Append messages to a stream, in the caller's transaction and the account's scope; one Taken each, in order.

    The row of the send is locked until the commit, so that numbers have no gap and a key is looked up and taken by one at a
    time: hand in many messages at once. Raises LookupError where the stream is not there or was ended, or a brand is not there.
    """
    now = dt.datetime.now(dt.UTC)
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.lock_stream.sql, {"account_id": account_id, "send_id": send_id})
        row = cursor.fetchone()
        if row is None:
            raise LookupError(f"there is no open stream {send_id}")
        total = int(row[0])
        known = _known(cursor, account_id, send_id, messages, now)
        found: list[Taken] = []
        fresh: list[tuple[int, Submission, str | None]] = []
        for message in messages:
            key = _key(message) if message.key else None
            if key is not None and key in known:
                found.append(Taken(known[key], again=True))
                continue
            total += 1
            if key is not None:
                known[key] = total
            fresh.append((total, message, key))
            found.append(Taken(total, again=False))
        if fresh:
            _append(account_id, send_id, fresh, now)
    branded = {seq: one.brand_id for seq, one, _ in fresh if one.brand_id is not None}
    if branded:
        bear_brand(account_id=account_id, send_id=send_id, brand_of=branded)
    return found


def _known(
    cursor: Any, account_id: int, send_id: int, messages: Sequence[Submission], now: dt.datetime
) -> dict[str, int]:
    keys = [_key(message) for message in messages if message.key]
    if not keys:
        return {}
    cursor.execute(
        QUERIES.known_submissions.sql,
        {"account_id": account_id, "send_id": send_id, "keys": keys, "since": now - SAME_WITHIN},
    )
    return dict(cursor.fetchall())


def _append(
    account_id: int, send_id: int, fresh: Sequence[tuple[int, Submission, str | None]], now: dt.datetime
) -> None:
    messages = [message for _, message, _ in fresh]
    # Not Django's cursor, which writes the values into the statement: 0.3 ms for 10 KB, and as bytes a hundredth.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            _APPEND,
            {
                "account_id": account_id,
                "send_id": send_id,
                "now": now,
                "seqs": [seq for seq, _, _ in fresh],
                "contacts": [message.contact_id for message in messages],
                "emails": [message.email for message in messages],
                "dues": [message.due_at if message.due_at and message.due_at > now else None for message in messages],
                "sources": [message.source_id for message in messages],
                "values": [json.dumps(message.values) for message in messages],
                "raws": [message.raw for message in messages],
                "ignores": [message.ignore_do_not_mail for message in messages],
                "keys": [key for _, _, key in fresh],
            },
        )


def _key(message: Submission) -> str:
    """The program's name for the message and its recipient, of one length whatever was given."""
    return hashlib.sha256(f"{message.key}\n{message.email.lower()}".encode("utf-8", "surrogatepass")).hexdigest()
