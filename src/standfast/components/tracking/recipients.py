"""The ledger beside the responses: every recipient of a send, what became of the message and what they did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from django.db import connection

from standfast.components.delivery.api import RecipientStatus
from standfast.components.tracking.queries import QUERIES

PAGE = 50
CHUNK_ROWS = 2000
PART_CHARS_MAX = 320
SEARCHED_MAX = 250_000  # recipients that one page reads in search of a part of an address
PASSED_MAX = 500_000  # and of a status that few have


class Show(StrEnum):
    """Which recipients."""

    ALL = "all"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    MACHINES = "machines"
    BOUNCED = "bounced"
    UNCERTAIN = "uncertain"
    DEFERRED = "deferred"
    WAITING = "waiting"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


LABELS = {
    Show.ALL: "Everybody",
    Show.DELIVERED: "Delivered",
    Show.OPENED: "Opened",
    Show.CLICKED: "Clicked",
    Show.MACHINES: "Fetched by machines",
    Show.BOUNCED: "Bounced",
    Show.UNCERTAIN: "Uncertain",
    Show.DEFERRED: "Deferred",
    Show.WAITING: "Waiting",
    Show.FAILED: "Not rendered",
    Show.CANCELLED: "Not sent",
    Show.UNSUBSCRIBED: "Unsubscribed",
    Show.COMPLAINED: "Complained",
}
_R = RecipientStatus
_STATUSES = {
    Show.DELIVERED: [_R.DELIVERED],
    Show.DEFERRED: [_R.DEFERRED],
    Show.WAITING: [_R.PENDING],
    Show.FAILED: [_R.FAILED],
    Show.CANCELLED: [_R.CANCELLED],
    Show.UNCERTAIN: [_R.UNCERTAIN],
}
_RARE = {
    Show.WAITING,
    Show.FAILED,
    Show.CANCELLED,
}  # without an index of their own: each would be one more to keep while sending
_DID = {Show.OPENED, Show.CLICKED, Show.MACHINES, Show.BOUNCED, Show.UNCERTAIN, Show.UNSUBSCRIBED, Show.COMPLAINED}


class Row(NamedTuple):
    """A recipient. Times are aware UTC; None means never."""

    seq: int
    contact_id: int
    email: str
    status: int
    attempts: int
    code: int | None
    reply: str | None
    updated_at: dt.datetime | None
    next_attempt_at: dt.datetime | None
    opened_at: dt.datetime | None
    opens: int | None
    clicked_at: dt.datetime | None
    clicks: int | None
    machine_opened_at: dt.datetime | None
    machine_clicked_at: dt.datetime | None
    unsubscribed_at: dt.datetime | None
    complained_at: dt.datetime | None
    bounced_at: dt.datetime | None

    @property
    def state(self) -> str:
        """What stands in the badge: a bounce that was told later ends a delivery."""
        return "bounced" if self.bounced_at else RecipientStatus(self.status).name.lower()

    @property
    def state_label(self) -> str:
        return "Bounced" if self.bounced_at else str(RecipientStatus(self.status).label)


@dataclass(frozen=True)
class Page:
    """Some recipients in the order of their numbers; `before` and `after` lead on, None at an end.

    `searched`: from which to which number, where not all were looked through.
    """

    rows: list[Row]
    before: int | None
    after: int | None
    searched: tuple[int, int] | None = None


def page(
    *,
    account_id: int,
    send_id: int,
    show: Show = Show.ALL,
    q: str = "",
    after: int | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> Page:
    """At most `limit` recipients (PAGE) after or before a number. `q` is an address or a part of one. In the account's scope."""
    limit = limit or PAGE
    query, values = _question(account_id, send_id, show, q)
    if values["part"] is not None or show in _RARE:
        most = SEARCHED_MAX if values["part"] is not None else PASSED_MAX
        return _search(query, values, after=after, before=before, most=most, limit=limit)
    back = before is not None
    rows, more = _read(query, values | {"after": None if back else after, "before": before}, back=back, limit=limit)
    if not rows:
        return Page([], None, None)
    newer, older = (more, True) if back else (after is not None, more)
    return Page(rows, rows[0].seq if newer else None, rows[-1].seq if older else None)


def newest(
    *,
    account_id: int,
    send_id: int,
    total: int,
    show: Show = Show.ALL,
    q: str = "",
    after: int | None = None,
    before: int | None = None,
) -> Page:
    """The same from the highest number down, as a stream is read: `after` leads to newer ones, `before` to older ones.

    `total`: how many the send has. Of the page, too, `after` leads to newer and `before` to older ones.
    """
    first = after is None and before is None
    found = page(
        account_id=account_id, send_id=send_id, show=show, q=q, after=after, before=total + 1 if first else before
    )
    return Page(found.rows[::-1], found.before, None if first else found.after, found.searched)


def _read(query: str, values: dict[str, Any], *, back: bool, limit: int) -> tuple[list[Row], bool]:
    """A page of rows in their order, and whether there are more of them."""
    with connection.cursor() as cursor:
        cursor.execute(f"{query} ORDER BY {'r.seq DESC' if back else 'r.seq'} LIMIT {limit + 1}", values)
        rows = [Row(*row) for row in cursor.fetchall()]
    more, rows = len(rows) > limit, rows[:limit]
    if back:
        rows.reverse()
    return rows, more


def _search(
    query: str, values: dict[str, Any], *, after: int | None, before: int | None, most: int, limit: int
) -> Page:
    """What has no index: a page reads the next `most` numbers, says so, and leads on."""
    back = before is not None
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.last_recipient.sql, values)
        last = int(cursor.fetchone()[0] or 0)
    low = max((before or 0) - most - 1, 0) if back else after or 0
    high = min(before or 0, last + 1) if back else min(low + most, last) + 1
    rows, more = _read(query, values | {"after": low, "before": high}, back=back, limit=limit)
    if back:
        newer = rows[0].seq if more else low + 1 if low else None
        return Page(rows, newer, rows[-1].seq if rows else high - 1, (low + 1, high - 1) if low else None)
    older = rows[-1].seq if more else high - 1 if high <= last else None
    cut = low > 0 or high <= last
    return Page(rows, (rows[0].seq if rows else low + 1) if low else None, older, (low + 1, high - 1) if cut else None)


def every(*, account_id: int, send_id: int, show: Show = Show.ALL, q: str = "") -> Iterator[Row]:
    """All of them, through a cursor of the server: a million take no more memory than some thousands. In the account's scope."""
    query, values = _question(account_id, send_id, show, q)
    for row in streamed(f"{query} ORDER BY r.seq", values | {"after": None, "before": None}):
        yield Row(*row)


def _question(account_id: int, send_id: int, show: Show, q: str) -> tuple[str, dict[str, Any]]:
    part = q.strip().lower()[:PART_CHARS_MAX]
    contact_id = _contact_of(account_id, part) if "@" in part else None
    values: dict[str, Any] = {
        "account_id": account_id, "send_id": send_id, "did": str(show), "contact_id": contact_id,
        "part": part if part and contact_id is None else None,
        "statuses": [int(status) for status in _STATUSES[show]] if show in _STATUSES else None,
        "not_bounced": show is Show.DELIVERED,  # delivered, and not sent back later
    }  # fmt: skip
    query = QUERIES.ledger_of_responses if show in _DID else QUERIES.ledger
    return query.sql.rstrip().rstrip(";"), values


def _contact_of(account_id: int, address: str) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.contact_of_address.sql, {"account_id": account_id, "email_key": address})
        row = cursor.fetchone()
    return int(row[0]) if row else None


def streamed(query: str, values: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Rows through a cursor of the server. Within a transaction."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(CHUNK_ROWS):
            yield from rows
