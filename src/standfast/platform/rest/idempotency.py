"""Idempotency keys: the same key with the same request gets the same answer for seven days, also after a crash.

The key's row is written first, in the transaction of the call's own effects, and completed with the answer before the
commit. A second call with the key waits at that row until the first has ended: it then finds the answer, or, where the
first was rolled back, becomes the first.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

import psycopg
from django.db import connection

from standfast.platform.forgetting import forget_by_account
from standfast.platform.rest.problems import FieldFault, Problem

KEPT = dt.timedelta(days=7)
KEY_MAX = 255
HEADER = "Idempotency-Key"


class Kept(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Claim(NamedTuple):
    """A key taken by the running call; `complete` it before the commit."""

    account_id: int
    key_hash: bytes


def claim(*, account_id: int, key: str, request: bytes) -> Claim | Kept:
    """Take a key, or get the answer that it has. In the account's scope. request: what the call asks for, as bytes.

    Raises Problem where the key is not usable or was used for another request.
    """
    if not 1 <= len(key) <= KEY_MAX or not key.isprintable():
        fault = FieldFault(f"header.{HEADER}", "is not usable", f"send 1 to {KEY_MAX} printable characters")
        raise Problem(400, "The idempotency key cannot be used", faults=[fault])
    now = dt.datetime.now(dt.UTC)
    key_hash, digest = hashlib.sha256(key.encode()).digest(), hashlib.sha256(request).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM idempotent_answer WHERE account_id = %s AND key_hash = %s AND created_at < %s",
            [account_id, key_hash, now - KEPT],
        )
        cursor.execute(
            "INSERT INTO idempotent_answer (account_id, key_hash, request, created_at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (account_id, key_hash) DO NOTHING",
            [account_id, key_hash, digest, now],
        )
        if cursor.rowcount:
            return Claim(account_id, key_hash)
        cursor.execute(
            "SELECT request, status, headers, body FROM idempotent_answer WHERE account_id = %s AND key_hash = %s",
            [account_id, key_hash],
        )
        row = cursor.fetchone()
    if row is None or row[1] is None:
        raise Problem(
            409, "The first call with this key has not ended", detail="Ask again.", headers={"Retry-After": "1"}
        )
    if bytes(row[0]) != digest:
        fault = FieldFault(f"header.{HEADER}", "was used for another request", "send a new key with a new request")
        raise Problem(422, "The idempotency key was used before", faults=[fault])
    return Kept(row[1], json.loads(row[2]) if isinstance(row[2], str) else row[2], bytes(row[3]))


def complete(taken: Claim, *, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Keep the answer with the key, in the same transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE idempotent_answer SET status = %s, headers = %s, body = %s WHERE account_id = %s AND key_hash = %s",
            [status, json.dumps(dict(headers)), body, taken.account_id, taken.key_hash],
        )


def forget_old(connection: psycopg.Connection, *, at: dt.datetime) -> int:
    """Delete answers older than seven days, account by account; returns how many. `connection` is the loader's, autocommit."""
    return forget_by_account(
        connection, before=at - KEPT,
        # over accounts: where there are any
        accounts="SELECT DISTINCT account_id FROM idempotent_answer WHERE created_at < %(before)s",
        delete="DELETE FROM idempotent_answer WHERE account_id = %(account_id)s AND created_at < %(before)s",
    )  # fmt: skip
