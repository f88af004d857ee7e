"""The way of rows into the contact table: COPY into a temporary table, then one statement for all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from standfast.components.audience.queries import QUERIES

_COLUMNS = "n, email, email_key, uid, first_name, last_name, phone, fax, time_zone, fields, tag_ids"


class IncomingRow(NamedTuple):
    """One person as text for COPY; None means "not given". `fields` is a JSON object, `tag_ids` an array literal such as {1,2}."""

    n: int
    email: str
    email_key: str
    uid: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    fax: str | None = None
    time_zone: str | None = None
    fields: str | None = None
    tag_ids: str | None = None


class Choices(NamedTuple):
    """What may happen to rows. `stamp` is the time written into what they change."""

    stamp: dt.datetime
    create_new: bool = True
    update_known: bool = True
    dry: bool = False


def fill(cursor: Any, rows: Iterable[Sequence[Any]]) -> None:
    """Put rows (IncomingRow order; one per address) on the landing of this transaction."""
    cursor.execute(QUERIES.make_incoming.sql)
    cursor.execute(QUERIES.clear_incoming.sql)
    with cursor.copy(f"COPY audience_incoming ({_COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def taken_uids(cursor: Any, *, account_id: int) -> list[int]:
    """Take the rows off the landing whose own number belongs to somebody else, or to a later row; returns their n."""
    cursor.execute(QUERIES.taken_uids.sql, {"account_id": account_id})
    taken = [row[0] for row in cursor.fetchall()]
    if taken:
        cursor.execute("DELETE FROM audience_incoming WHERE n = ANY(%s)", [taken])
    return taken


def land(cursor: Any, *, account_id: int, choices: Choices) -> None:
    """Make and change contacts from what is on the landing; what became of each stands in audience_landed."""
    cursor.execute(QUERIES.land.sql, {"account_id": account_id, **choices._asdict()})
