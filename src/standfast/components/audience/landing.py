"""The way of rows into the contact table: COPY into a temporary table, then set-wise into contact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from standfast.components.audience.queries import QUERIES


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


def fill(cursor: Any, rows: Iterable[IncomingRow]) -> None:
    """Put rows (one per address) on the landing of this transaction."""
    with _copy(cursor, IncomingRow._fields) as copy:
        for row in rows:
            copy.write_row(row)


def fill_lines(cursor: Any, columns: Sequence[str], lines: bytes) -> None:
    """The same with lines in COPY's text format."""
    with _copy(cursor, columns) as copy:
        copy.write(lines)


def _copy(cursor: Any, columns: Sequence[str]) -> Any:
    cursor.execute(QUERIES.make_incoming.sql)
    cursor.execute(QUERIES.clear_incoming.sql)
    return cursor.copy(f"COPY audience_incoming ({', '.join(columns)}) FROM STDIN")


def taken_uids(cursor: Any, *, account_id: int) -> list[int]:
    """Take the rows off the landing whose own number belongs to somebody else, or to a later row; returns their n."""
    cursor.execute(QUERIES.taken_uids.sql, {"account_id": account_id})
    taken = [row[0] for row in cursor.fetchall()]
    if taken:
        cursor.execute("DELETE FROM audience_incoming WHERE n = ANY(%s)", [taken])
    return taken


def land(cursor: Any, *, account_id: int, choices: Choices) -> int:
    """Make and change contacts from what is on the landing; what became of each stands in audience_landed.

    Returns how many were known before.
    """
    how = {"account_id": account_id, **choices._asdict()}
    cursor.execute(QUERIES.land_known.sql, how)
    known: int = cursor.rowcount
    if known and not choices.dry:
        cursor.execute(QUERIES.change_known.sql, how)
    may_make = choices.create_new and not choices.dry
    cursor.execute((QUERIES.make_new if may_make else QUERIES.land_absent).sql, how)
    return known
