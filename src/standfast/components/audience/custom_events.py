"""What programs say that people did: appended to the event log under a name of theirs, each once.

Within a transaction: find the people, take the ids that are new, make who is to be made, append. Nothing is answered before its
commit, and a batch that is sent again finds its ids taken.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection

from standfast.components.audience.queries import QUERIES
from standfast.components.audience.upsert import ContactRow, upsert_contacts
from standfast.platform import events
from standfast.protocols.address import AddressError, parse_address

KIND = "custom_"
PROPERTIES_MAX = 100
PROPERTIES_BYTES_MAX = 8 * 1024
AHEAD_MAX = dt.timedelta(hours=1)
EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
ONCE_WITHIN = dt.timedelta(days=7)
"""So long an id is remembered: the same again is the same event."""


class Happening(NamedTuple):
    """What somebody did. One of contact_id, email and uid says who; `key`, where there is one, makes it happen once."""

    name: str
    at: dt.datetime
    contact_id: int | None = None
    email: str | None = None
    uid: str | None = None
    properties: Mapping[str, Any] | None = None
    key: str | None = None


class Noted(NamedTuple):
    """What became of it: taken (at a position of the log), again (its id was taken before) or refused, and why."""

    outcome: str
    position: int | None = None
    contact_id: int | None = None
    reason: str | None = None


class _Who(NamedTuple):
    """contact_id: None where the person is to be made."""

    contact_id: int | None
    key: str = ""


def note_events(
    *, account_id: int, happenings: Sequence[Happening], create_contacts: bool, now: dt.datetime
) -> list[Noted]:
    """Append what happened, in order; one result each. In the account's scope, last before the commit.

    create_contacts: whether an address that nobody has makes a person; else it is refused.
    """
    results: list[Noted | None] = [_fault(one, now) for one in happenings]
    with connection.cursor() as cursor:
        people = _find(
            cursor, account_id, [one for one, wrong in zip(happenings, results, strict=True) if wrong is None]
        )
        who: dict[int, _Who] = {}
        for n, one in enumerate(happenings):
            if results[n] is None:
                found = people.of(one, create_contacts)
                if isinstance(found, str):
                    results[n] = Noted("refused", reason=found)
                else:
                    who[n] = found
        for n in _taken_before(cursor, account_id, {n: happenings[n].key for n in who}, now):
            results[n] = Noted("again", contact_id=who.pop(n).contact_id)
        made = _make(cursor, account_id, {one.key: happenings[n] for n, one in who.items() if one.contact_id is None})
        ids = {n: made[one.key] if one.contact_id is None else one.contact_id for n, one in who.items()}
        last = events.append(cursor, account_id=account_id, events=[_event(happenings[n], ids[n]) for n in ids])
    for position, n in enumerate(ids, last - len(ids) + 1):
        results[n] = Noted("taken", position, ids[n])
    return [one for one in results if one is not None]


def _fault(one: Happening, now: dt.datetime) -> Noted | None:
    """Why it cannot be, whoever did it."""
    if one.at > now + AHEAD_MAX:
        return Noted("refused", reason="occurred_at is in the future")
    if one.at < EARLIEST:
        return Noted("refused", reason=f"occurred_at is before {EARLIEST:%Y}")
    if sum(given is not None for given in (one.contact_id, one.email, one.uid)) != 1:
        return Noted("refused", reason="name the person by one of contact_id, email and uid")
    if one.properties:
        if len(one.properties) > PROPERTIES_MAX:
            return Noted("refused", reason=f"more than {PROPERTIES_MAX} properties")
        try:
            text = json.dumps(one.properties, allow_nan=False)
        except ValueError:
            return Noted("refused", reason="a property holds a number out of range")
        if len(text) > PROPERTIES_BYTES_MAX:
            return Noted("refused", reason=f"the properties are larger than {PROPERTIES_BYTES_MAX:,} bytes of JSON")
        if "\\u0000" in text:
            return Noted("refused", reason="a property holds a NUL character")
    return None


class _People:
    """Those of a batch: by id, by address, by number of their own."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self.by_key: dict[str, int] = {}
        self.by_uid: dict[str, int] = {}
        self.keys: dict[str, str] = {}
        self.wrong: dict[str, str] = {}

    def of(self, one: Happening, create: bool) -> _Who | str:
        """Who did it, or why nobody can have."""
        if one.contact_id is not None:
            return _Who(one.contact_id) if one.contact_id in self.ids else f"there is no contact {one.contact_id}"
        if one.uid is not None:
            return _Who(self.by_uid[one.uid]) if one.uid in self.by_uid else "there is nobody with this uid"
        email = one.email or ""
        if email in self.wrong:
            return self.wrong[email]
        key = self.keys[email]
        if key in self.by_key:
            return _Who(self.by_key[key], key)
        return _Who(None, key) if create else "nobody has this address; set create_contacts to make the person"


def _find(cursor: Any, account_id: int, happenings: Sequence[Happening]) -> _People:
    people = _People()
    for email in {one.email for one in happenings if one.email is not None}:
        try:
            people.keys[email] = parse_address(email).key
        except AddressError as error:
            people.wrong[email] = error.reason
    ids = {one.contact_id for one in happenings if one.contact_id is not None}
    uids = {one.uid for one in happenings if one.uid is not None}
    if ids:
        cursor.execute(QUERIES.contacts_of_ids.sql, {"account_id": account_id, "ids": list(ids)})
        people.ids = {row[0] for row in cursor.fetchall()}
    if people.keys:
        cursor.execute(QUERIES.contacts_of_keys.sql, {"account_id": account_id, "keys": list(people.keys.values())})
        people.by_key = dict(cursor.fetchall())
    if uids:
        cursor.execute(QUERIES.contacts_of_uids.sql, {"account_id": account_id, "uids": list(uids)})
        people.by_uid = dict(cursor.fetchall())
    return people


def _taken_before(cursor: Any, account_id: int, keys: Mapping[int, str | None], now: dt.datetime) -> list[int]:
    """Take the ids that are new; the numbers of those that were taken before, in this batch too."""
    first: dict[str, int] = {}
    again = []
    for n, key in keys.items():
        if key is not None and first.setdefault(_digest(key), n) != n:
            again.append(n)
    if not first:
        return []
    cursor.execute(
        QUERIES.take_event_keys.sql,
        {"account_id": account_id, "keys": ",".join(first), "now": now, "before": now - ONCE_WITHIN},
    )
    new = {bytes(row[0]).hex() for row in cursor.fetchall()}
    return again + [n for digest, n in first.items() if digest not in new]


def _digest(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def _make(cursor: Any, account_id: int, missing: Mapping[str, Happening]) -> dict[str, int]:
    """Contacts for the addresses that nobody has, by key."""
    if not missing:
        return {}
    rows = [ContactRow(one.email or "") for one in missing.values()]
    landed = upsert_contacts(cursor, account_id=account_id, rows=rows)
    return {key: one.contact_id for key, one in zip(missing, landed, strict=True) if one.contact_id is not None}


def _event(one: Happening, contact_id: int) -> events.Event:
    data = {"properties": one.properties} if one.properties else None
    return events.Event(one.at, KIND + one.name, contact_id, data=data)
