"""Outcomes into the ledger and, in the same transaction, into the event log."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from standfast.components.delivery.journal import Noted
from standfast.components.delivery.models import RecipientStatus
from standfast.components.delivery.queries import QUERIES
from standfast.platform import events
from standfast.protocols.bounces import classify, is_hard

_KINDS: dict[int, str] = {
    RecipientStatus.DELIVERED: "delivered",
    RecipientStatus.DEFERRED: "deferred",
    RecipientStatus.BOUNCED: "bounced",
    RecipientStatus.UNCERTAIN: "uncertain",
    RecipientStatus.EXPIRED: "bounced",
    RecipientStatus.FAILED: "failed",
    RecipientStatus.CANCELLED: "skipped",
}


class Backoff(NamedTuple):
    """How a deferral is tried again: doubling from `first_seconds` to `max_seconds`, given up `life_seconds` after the start."""

    first_seconds: float
    max_seconds: float
    life_seconds: float
    started_at: float
    is_stream: bool = False  # its messages begin when they come, and an uncertain one is sent again

    def next_attempt(self, attempt: int, at: float) -> float | None:
        """Unix seconds of the next attempt, or None to give up. Jitter keeps a burst of deferrals from coming back as one."""
        wait = self._wait(attempt)
        due = at + wait * random.uniform(0.85, 1.15)  # noqa: S311 - jitter
        if self.is_stream:
            lived = sum(self._wait(each) for each in range(1, min(attempt, 1000) + 1))
            return due if lived < self.life_seconds else None
        return due if due < self.started_at + self.life_seconds else None

    def _wait(self, attempt: int) -> float:
        return float(min(self.first_seconds * 2 ** min(attempt - 1, 30), self.max_seconds))


def record(
    connection: psycopg.Connection, *, account_id: int, send_id: int, noted: Sequence[Noted], backoff: Backoff
) -> int:
    """Apply outcomes, once each however often they are replayed; returns how many were new. In the caller's transaction,
    which must set the account and commit soon: the account's log is locked from here to the commit."""
    if not noted:
        return 0
    times = [_time(one.at) for one in noted]
    due: list[float | None] = []
    statuses: list[int] = []
    told_as: list[int] = []
    for one in noted:
        status, next_at = one.status, None
        again = backoff.is_stream and status == RecipientStatus.UNCERTAIN
        if again or status == RecipientStatus.DEFERRED:
            seconds = backoff.next_attempt(one.attempt, one.at)
            if seconds is None:
                status = status if again else RecipientStatus.EXPIRED
            else:
                status, next_at = RecipientStatus.DEFERRED, seconds
        statuses.append(int(status))
        told_as.append(int(one.status) if again else int(status))
        due.append(next_at)
    replies = [one.text[:255] or None for one in noted]
    applied = list(
        QUERIES.record_outcomes(
            connection, account_id=account_id, send_id=send_id,
            seqs=_array([one.seq for one in noted]), statuses=_array(statuses),
            attempts=_array([one.attempt for one in noted]), next_attempts=_array(due),
            ats=_array([one.at for one in noted]), codes=_array([one.code or None for one in noted]),
            replies=replies if any(replies) else _array(replies),
        )
    )  # fmt: skip
    contacts = dict(applied)
    told = [
        events.Event(at, _KINDS[status], contacts[one.seq], send_id, one.seq, _details(one, status))
        for one, status, at in zip(noted, told_as, times, strict=True)
        if one.seq in contacts
    ]
    events.append(connection.cursor(), account_id=account_id, events=told, bulk=True)
    return len(told)


def _details(one: Noted, status: int) -> dict[str, Any] | None:
    """What the event keeps: nothing for a delivery, which is the mass of them."""
    if status == RecipientStatus.DELIVERED:
        return None
    details: dict[str, Any] = {"code": one.code, "text": one.text, "attempt": one.attempt}
    if status in (RecipientStatus.BOUNCED, RecipientStatus.EXPIRED):
        kind = classify(one.code or None, None, one.text)
        details["class"] = "MessageExpired" if status == RecipientStatus.EXPIRED else str(kind)
        details["hard"] = status == RecipientStatus.BOUNCED and is_hard(kind)
    return details


def _array(numbers: Sequence[float | str | None]) -> str:
    """Numbers as an array's literal: the driver's own way takes them one by one, which costs three times as much."""
    return "{" + ",".join(["NULL" if number is None else str(number) for number in numbers]) + "}"


def _time(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
