"""Send what is due: a lease and the attempt's row first, then the request, then its outcome."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import namedtuple_row

from standfast.components.webhooks.endpoints_of import SECRET
from standfast.components.webhooks.kinds import type_of
from standfast.components.webhooks.models import DeliveryState
from standfast.components.webhooks.queries import QUERIES
from standfast.platform import outbound, sealing, tenancy
from standfast.protocols.webhook_signature import signed_headers

if TYPE_CHECKING:
    import aiohttp

BATCH = 50
ANSWER_SECONDS = 15.0
LEASE_SECONDS = 60.0
RETRY_SECONDS = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)  # about three days in all
FAILING = dt.timedelta(days=5)  # so long without one success, and the endpoint is disabled
WORKED_EVERY = dt.timedelta(seconds=10)  # how exactly `worked_at` is kept
KEPT = dt.timedelta(days=30)
GONE = 410


class Outcome(NamedTuple):
    status: int | None
    milliseconds: int
    detail: str

    @property
    def good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Deliverer:
    """Used by one thread: `step` with a connection of the loader's role, until it returns 0."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._session: aiohttp.ClientSession | None = None

    def step(self, connection: psycopg.Connection) -> int:
        """One batch of every account with something due; returns how many attempts were made."""
        now = dt.datetime.now(dt.UTC)
        accounts = [row[0] for row in QUERIES.accounts_due(connection, now=now)]
        connection.commit()
        return sum(self._account(connection, account_id) for account_id in accounts)

    def close(self) -> None:
        if self._session is not None:
            self._runner.run(self._session.close())
        self._runner.close()

    def _account(self, connection: psycopg.Connection, account_id: int) -> int:
        now = dt.datetime.now(dt.UTC)
        with connection.transaction(), connection.cursor(row_factory=namedtuple_row) as cursor:
            tenancy.enter(cursor, account_id)
            cursor.execute(
                QUERIES.take.sql,
                {
                    "account_id": account_id,
                    "now": now,
                    "until": now + dt.timedelta(seconds=LEASE_SECONDS),
                    "size": BATCH,
                },
            )
            rows = cursor.fetchall()
        if not rows:
            return 0
        outcomes = self._runner.run(self._all(account_id, rows))
        with connection.transaction(), connection.cursor() as cursor:
            tenancy.enter(cursor, account_id)
            for row, outcome in zip(rows, outcomes, strict=True):
                _settle(cursor, account_id, row, outcome)
        return len(rows)

    async def _all(self, account_id: int, rows: list[Any]) -> list[Outcome]:
        if self._session is None:
            self._session = open_session()
        session = self._session
        return list(await asyncio.gather(*(_post(session, account_id, row) for row in rows)))


def message_id(account_id: int, endpoint_id: int, position: int) -> str:
    """The same for every attempt, so that a receiver can tell a repetition."""
    return f"evt_{account_id}_{endpoint_id}_{position}"


def body_of(account_id: int, row: Any) -> bytes:
    """The JSON of one event."""
    data: dict[str, Any] = {"account_id": account_id, "position": row.position}
    if row.contact_id:
        data["contact"] = {"id": row.contact_id, "email": row.email}
    if row.send_id is not None:
        data["message"] = {"send_id": row.send_id, "number": row.seq}
    if row.data:
        data["details"] = row.data
    event = {"type": type_of(row.kind), "timestamp": row.at.isoformat(), "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def open_session(*, answer_seconds: float = ANSWER_SECONDS) -> aiohttp.ClientSession:
    """For `post`; within a running event loop."""
    from standfast.platform import outbound_http

    return outbound_http.open_session(connections=BATCH, seconds=answer_seconds, keep_alive=False)


async def _post(session: aiohttp.ClientSession, account_id: int, row: Any) -> Outcome:
    name = message_id(account_id, row.endpoint_id, row.position)
    sealed = [one for one in (row.secret_sealed, row.former_secret_sealed) if one]
    return await post(session, url=row.url, secrets_sealed=sealed, name=name, body=body_of(account_id, row))


async def post(
    session: aiohttp.ClientSession, *, url: str, secrets_sealed: Sequence[str], name: str, body: bytes
) -> Outcome:
    """One signed request under a message id; whatever comes of it is an outcome."""
    import aiohttp

    began = time.monotonic()

    def outcome(status: int | None, detail: str) -> Outcome:
        return Outcome(status, int(1000 * (time.monotonic() - began)), detail[:255].replace("\x00", ""))

    try:
        secrets = [sealing.unseal(one, purpose=SECRET) for one in secrets_sealed]
        headers = {
            "content-type": "application/json",
            "user-agent": "standfast-webhooks/1",
            **signed_headers(*secrets, message_id=name, seconds=int(time.time()), body=body),
        }
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        await outbound.addresses(parts.hostname or "", port)  # an address written as such never reaches the resolver
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            said = (await answer.content.read(200)).decode("utf-8", "replace")
            return outcome(
                answer.status, f"{answer.status} {said}".strip() if answer.status >= 300 else str(answer.status)
            )
    except outbound.OutboundRefused as refused:
        return outcome(None, refused.text)
    except TimeoutError:
        return outcome(None, f"no answer within {session.timeout.total:g} s")
    except (aiohttp.ClientError, OSError, ValueError, sealing.SealError) as error:
        return outcome(None, f"{type(error).__name__}: {error}")


def _settle(cursor: Any, account_id: int, row: Any, outcome: Outcome) -> None:
    now = dt.datetime.now(dt.UTC)
    where = {"account_id": account_id, "endpoint_id": row.endpoint_id, "position": row.position, "n": row.attempts}
    cursor.execute(
        QUERIES.note_attempt.sql,
        {**where, "status": outcome.status, "milliseconds": outcome.milliseconds, "detail": outcome.detail},
    )
    over = outcome.good or outcome.status == GONE or row.tries > len(RETRY_SECONDS)
    state = DeliveryState.DONE if outcome.good else DeliveryState.FAILED if over else DeliveryState.DUE
    wait = 0 if over else RETRY_SECONDS[row.tries - 1]
    cursor.execute(
        QUERIES.settle.sql,
        {**where, "state": state.value, "next_at": now + dt.timedelta(seconds=wait), "detail": outcome.detail,
         "done_at": now if over else None},
    )  # fmt: skip
    endpoint = {"account_id": account_id, "endpoint_id": row.endpoint_id}
    if outcome.good:
        cursor.execute(QUERIES.endpoint_works.sql, {**endpoint, "now": now, "lately": now - WORKED_EVERY})
    else:
        gone = outcome.status == GONE
        cursor.execute(QUERIES.endpoint_failed.sql, {**endpoint, "now": now, "gone": gone, "long_ago": now - FAILING})
