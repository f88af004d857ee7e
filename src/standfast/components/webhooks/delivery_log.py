"""The delivery log of an endpoint: what was told, newest first, and one delivery with its attempts and its body."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from standfast.components.webhooks.delivering import body_of, message_id
from standfast.components.webhooks.kinds import type_of
from standfast.components.webhooks.models import Attempt, Delivery, Endpoint, EndpointState
from standfast.components.webhooks.queries import QUERIES

PAGE = 25
COUNTED_MAX = 1000
ATTEMPTS_MAX = 100


class Health(NamedTuple):
    """How an endpoint does. Counts of deliveries go up to COUNTED_MAX, which then means "or more"."""

    state: str  # active, failing, paused or disabled
    waiting: int
    given_up: int


class Line(NamedTuple):
    """A delivery with its event; `at` is when that happened, None where the log no longer has it."""

    position: int
    type: str
    state: str
    attempts: int
    detail: str
    next_at: dt.datetime
    done_at: dt.datetime | None
    at: dt.datetime | None
    email: str


@dataclass(frozen=True)
class Page:
    """Deliveries from the newest to the oldest; `newer` and `older` are positions that lead on, None at an end."""

    lines: list[Line]
    newer: int | None
    older: int | None


class Try(NamedTuple):
    """An attempt; without status and `said` it was cut off. `said` is the beginning of the answer, or why there was none."""

    n: int
    at: dt.datetime
    status: int | None
    milliseconds: int | None
    said: str


@dataclass(frozen=True)
class Told:
    """One delivery in full. `body` is the JSON as it goes out, with line breaks for reading."""

    line: Line
    attempts: list[Try]
    message_id: str
    body: str


def health(*, account_id: int) -> dict[int, Health]:
    """Of every endpoint of the account, by its id. In the account's scope."""
    states = Endpoint.objects.filter(account_id=account_id).values_list("pk", "state", "failing_since")
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.health.sql, {"account_id": account_id, "most": COUNTED_MAX})
        counts = {row[0]: row[1:] for row in cursor.fetchall()}
    return {pk: Health(_condition(state, failing), *counts.get(pk, (0, 0))) for pk, state, failing in states}


def _condition(state: str, failing_since: dt.datetime | None) -> str:
    return "failing" if state == EndpointState.ACTIVE and failing_since is not None else state


def page(endpoint: Endpoint, *, state: str = "", before: int | None = None, after: int | None = None) -> Page:
    """Some deliveries, those of one state alone where it is given. Pages by position (primary key, webhooks_delivery_log)."""
    found = Delivery.objects.filter(account_id=endpoint.account_id, endpoint_id=endpoint.pk)
    if state:
        found = found.filter(state=state)
    if after is not None:
        rows = list(found.filter(position__gt=after).order_by("position")[: PAGE + 1])
        more, rows = len(rows) > PAGE, rows[:PAGE][::-1]
        newer, older = more, True
    else:
        rows = list(
            (found.filter(position__lt=before) if before is not None else found).order_by("-position")[: PAGE + 1]
        )
        newer, older, rows = before is not None, len(rows) > PAGE, rows[:PAGE]
    events = _events(endpoint.account_id, [row.position for row in rows])
    lines = [_line(row, events.get(row.position)) for row in rows]
    if not lines:
        return Page([], None, None)
    return Page(lines, lines[0].position if newer else None, lines[-1].position if older else None)


def told(endpoint: Endpoint, position: int) -> Told | None:
    """A delivery in full; None where the endpoint has no such one."""
    row = Delivery.objects.filter(account_id=endpoint.account_id, endpoint_id=endpoint.pk, position=position).first()
    if row is None:
        return None
    event = _events(endpoint.account_id, [position]).get(position)
    attempts = Attempt.objects.filter(account_id=endpoint.account_id, endpoint_id=endpoint.pk, position=position)
    return Told(
        _line(row, event),
        [_try(one) for one in attempts.order_by("-n")[:ATTEMPTS_MAX]],
        message_id(endpoint.account_id, endpoint.pk, position),
        _readable(body_of(endpoint.account_id, event)) if event is not None else "",
    )


class _Event(NamedTuple):
    position: int
    kind: str
    at: dt.datetime
    contact_id: int | None
    send_id: int | None
    seq: int | None
    data: Any
    email: str | None


def _events(account_id: int, positions: Iterable[int]) -> dict[int, _Event]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.events_told.sql, {"account_id": account_id, "positions": list(positions)})
        rows = [_Event(*row) for row in cursor.fetchall()]
    # Django's connections leave JSON as text
    return {row.position: row._replace(data=json.loads(row.data) if row.data else None) for row in rows}


def _line(row: Delivery, event: _Event | None) -> Line:
    return Line(
        row.position, type_of(row.kind), row.state, row.attempts, row.detail or "", row.next_at, row.done_at,
        event.at if event else None, (event.email if event else None) or "",
    )  # fmt: skip


def _try(one: Attempt) -> Try:
    said = (one.detail or "").removeprefix(str(one.status)).strip()  # the detail begins with the status
    return Try(one.n, one.at, one.status, one.milliseconds, said)


def _readable(body: bytes) -> str:
    return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
