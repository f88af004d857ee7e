"""Make or change contacts by their address: one or some thousands at a time, with an event for each."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from standfast.components.audience.landing import Choices, IncomingRow, fill, land, taken_uids
from standfast.components.audience.locking import lock_people
from standfast.components.audience.queries import QUERIES
from standfast.platform import events
from standfast.protocols.address import AddressError, parse_address

ROWS_MAX = 10_000
FEW = 50  # up to so many go by one statement
TAKEN = "this uid belongs to somebody else"
TEXT_FIELDS = ("first_name", "last_name", "phone", "fax", "time_zone", "uid")


class ContactRow(NamedTuple):
    """A person to make or change. None leaves what is there; `fields` are merged by key, one that is None is taken away;
    `tag_ids` are added, `drop_tag_ids` taken away, of up to FEW rows.
    """

    email: str
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    fax: str | None = None
    time_zone: str | None = None
    uid: str | None = None
    fields: Mapping[str, Any] | None = None
    tag_ids: Sequence[int] | None = None
    drop_tag_ids: Sequence[int] | None = None


class Landed(NamedTuple):
    """What became of a row: created, updated, unchanged, left_out or refused; then `contact_id` is None and `reason` says why."""

    outcome: str
    contact_id: int | None
    reason: str = ""


def upsert_contacts(cursor: Any, *, account_id: int, rows: Iterable[ContactRow]) -> list[Landed]:
    """Upsert up to 10,000 contacts in the cursor's transaction, within the account's scope; one result per row, in order.

    Of several rows with one address the last wins. Appends `contact_created` and `contact_updated`, so call it last before
    the commit. Raises ValueError for more rows than that.
    """
    given = list(rows)
    if len(given) > ROWS_MAX:
        raise ValueError(f"{len(given)} rows: pass at most {ROWS_MAX:,} at a time.")
    results: list[Landed | None] = [None] * len(given)
    last: dict[str, IncomingRow] = {}
    keys: list[str | None] = []
    for n, row in enumerate(given):
        try:
            address = parse_address(row.email)
        except AddressError as error:
            results[n] = Landed("refused", None, error.reason)
            keys.append(None)
            continue
        keys.append(address.key)
        last[address.key] = _incoming(n, row, address.email, address.key)
    lock_people(cursor, account_id=account_id)
    now = dt.datetime.now(dt.UTC)
    way = _in_one_statement if len(given) <= FEW else _by_landing
    drops = {key: _ids(given[one.n].drop_tag_ids) for key, one in last.items()}
    landed = way(cursor, account_id, last, drops, now) if last else {}
    _tell(cursor, account_id, now, landed.values())
    for n, key in enumerate(keys):
        if key is not None:
            results[n] = landed[key]
    return [result for result in results if result is not None]


def _by_landing(
    cursor: Any, account_id: int, last: Mapping[str, IncomingRow], drops: Mapping[str, Any], now: dt.datetime
) -> dict[str, Landed]:
    if any(drops.values()):
        raise ValueError(f"Tags are taken away from at most {FEW} people at a time.")
    fill(cursor, last.values())
    taken = set(taken_uids(cursor, account_id=account_id))
    land(cursor, account_id=account_id, choices=Choices(now))
    emptied = [key for key, row in last.items() if row.fields and "null" in row.fields]
    if emptied:
        cursor.execute(QUERIES.take_values_away.sql, {"account_id": account_id, "keys": emptied})
    cursor.execute("SELECT email_key, outcome, contact_id FROM audience_landed")
    landed = {key: Landed(outcome, contact_id) for key, outcome, contact_id in cursor.fetchall()}
    return landed | {key: Landed("refused", None, TAKEN) for key, row in last.items() if row.n in taken}


def _in_one_statement(
    cursor: Any, account_id: int, last: Mapping[str, IncomingRow], drops: Mapping[str, Any], now: dt.datetime
) -> dict[str, Landed]:
    rows = list(last.values())
    columns = {name: [getattr(row, name) for row in rows] for name in IncomingRow._fields}
    cursor.execute(
        QUERIES.upsert_few.sql,
        {**columns, "drop_tag_ids": [drops[row.email_key] for row in rows], "account_id": account_id, "at": now},
    )
    keys = {row.n: row.email_key for row in rows}
    return {
        keys[n]: Landed("refused", None, TAKEN) if outcome == "taken" else Landed(outcome, contact_id)
        for n, contact_id, outcome in cursor.fetchall()
    }


def _incoming(n: int, row: ContactRow, email: str, key: str) -> IncomingRow:
    texts = {name: _clean(getattr(row, name)) for name in TEXT_FIELDS}
    fields = json.dumps(row.fields, ensure_ascii=False).replace("\\u0000", "") if row.fields else None
    uid = texts["uid"] or None
    return IncomingRow(n, email, key, fields=fields, tag_ids=_ids(row.tag_ids), **{**texts, "uid": uid})


def _ids(given: Sequence[int] | None) -> str | None:
    """As an array literal."""
    return "{" + ",".join(str(int(one)) for one in given) + "}" if given else None


def _clean(text: str | None) -> str | None:
    return None if text is None else text.replace("\0", "").strip()[:255]


def _tell(cursor: Any, account_id: int, at: dt.datetime, landed: Iterable[Landed]) -> None:
    kinds = {"created": "contact_created", "updated": "contact_updated"}
    told = [events.Event(at, kinds[one.outcome], one.contact_id) for one in landed if one.outcome in kinds]
    if told:
        events.append(cursor, account_id=account_id, events=told)
