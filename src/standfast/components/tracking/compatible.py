"""Reports of an account in the reference product's interface, by page and streamed (marketing-cloud.md section 2.9)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection

from standfast.components.audience.api import Contact, CustomField
from standfast.components.delivery.api import Send
from standfast.components.tracking.queries import QUERIES
from standfast.components.tracking.recipients import streamed
from standfast.platform.rest.answers import EASTERN, Answer, paged
from standfast.platform.rest.call import Call, CallError, invalid
from standfast.platform.rest.finding import span
from standfast.platform.rest.routes import Handler, route
from standfast.platform.rest.streaming import streamed_answer
from standfast.protocols.address import AddressError, parse_address

SECTION = "2.9"
KINDS = {
    "opens": "opened",
    "clicks": "clicked",
    "bounces": "bounced",
    "unsubscribes": "unsubscribed",
    "complaints": "complained",
}
_HOURS = {"opened": "opens", "clicked": "clicks"}
STANDARD = ("id", "email", "first_name", "last_name", "phone", "fax", "uid", "time_zone", "created_at", "updated_at")
FIELDS_MAX = 100
EVER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
CHUNK = 500
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for. contact_id: of one person; NOBODY where the address or uid is nobody's."""

    account_id: int
    kind: str
    since: dt.datetime
    until: dt.datetime
    unique: bool
    contact_id: int | None
    hard: bool | None
    fields: tuple[str, ...]

    @property
    def by_event(self) -> bool:
        """Whether every one counts, not only the first of a recipient."""
        return self.kind in _HOURS and not self.unique


def asked(call: Call, kind: str) -> Asked:
    """The parameters of a call. Raises CallError where one of them cannot be."""
    since, until = _day(call, "from"), _day(call, "to")
    type_ = call.text("type").lower()
    if type_ and (kind != "bounced" or type_ not in ("hard", "soft")):
        raise invalid(type="is hard or soft, and of bounces only")
    fields = tuple(dict.fromkeys(call.texts("fields")))
    if len(fields) > FIELDS_MAX:
        raise invalid(fields=f"are more than {FIELDS_MAX}")
    known = {*STANDARD, *CustomField.objects.filter(account_id=call.account_id).values_list("key", flat=True)}
    if fields and not call.holder.may("contacts:read"):
        raise CallError(403, {"error": "This API key lacks the right “contacts:read”, which `fields` needs."})
    if unknown := [name for name in fields if name not in known]:
        raise invalid(fields=f"hold “{unknown[0][:50]}”, which is no field of a contact")
    return Asked(
        account_id=call.account_id,
        kind=kind,
        since=since or EVER,
        until=until + dt.timedelta(days=1) if until else dt.datetime(9000, 1, 1, tzinfo=dt.UTC),
        unique=call.flag("unique"),
        contact_id=_contact_id(call),
        hard=type_ == "hard" if type_ else None,
        fields=fields,
    )


def rows(one: Asked, *, skip: int, take: int | None) -> Iterator[dict[str, Any]]:
    """Rows through a cursor of the server, with the contact's fields that were asked for. In the account's scope."""
    query = QUERIES.account_events if one.by_event else QUERIES.account_responses
    values = {**_values(one), "skip": skip, "take": take if take is not None else 2**53}
    campaigns: dict[int, int | None] = {}
    found = streamed(query.sql, values)
    while some := list(islice(found, CHUNK)):
        missing = {send_id for send_id, *_ in some} - campaigns.keys()
        sends = Send.objects.filter(account_id=one.account_id, pk__in=missing)
        campaigns.update(sends.values_list("pk", "campaign_id"))
        contacts = _contacts(one, [contact_id for _, contact_id, *_ in some])
        for send_id, contact_id, email, uid, at, data in some:
            who = {"campaign_id": campaigns.get(send_id), "contact_id": contact_id, "email": email, "uid": uid}
            row = _row(one, who, at, json.loads(data or "{}"))
            yield row | {"contact": contacts.get(contact_id, {})} if one.fields else row


def total(one: Asked) -> int:
    """How many rows: of one person counted, of everybody from the roll-ups by hour."""
    if one.contact_id is not None:
        query = QUERIES.account_events if one.by_event else QUERIES.account_responses
        inner = query.sql.rstrip().rstrip(";")
        with connection.cursor() as cursor:
            everything = {**_values(one), "skip": 0, "take": 2**53}
            cursor.execute(f"SELECT count(*) FROM ({inner}) q", everything)  # noqa: S608 - a query of ours
            return int(cursor.fetchone()[0])
    name = _HOURS.get(one.kind, one.kind)
    if one.unique and one.kind in _HOURS:
        name += "_unique"
    elif one.hard is not None:
        name = "bounced_hard" if one.hard else "bounced_soft"
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"account_id": one.account_id, "name": name, "since": one.since, "until": one.until}
        cursor.execute(QUERIES.account_hours.sql, values)
        return max(int(cursor.fetchone()[0]), 0)


def columns(one: Asked) -> list[str]:
    """The names of a row, for CSV: the contact's fields at its end."""
    names = ["account_id", "campaign_id", "contact_id", "email", "uid"]
    if one.kind in _HOURS:
        names += ["browser", "ip_address", "recorded_at", *(["url"] if one.kind == "clicked" else [])]
    else:
        names += ["recorded_on", *(["type", "class", "code", "reason"] if one.kind == "bounced" else [])]
    return [*names, *(f"contact.{name}" for name in one.fields)]


def _by_page(kind: str) -> Handler:
    def by_page(call: Call) -> Answer:
        one = asked(call, kind)
        page, per = call.page()
        found = list(rows(one, skip=(page - 1) * per, take=per))
        return paged(found, total=total(one), per=per, root="records")

    return by_page


def _stream(kind: str) -> Handler:
    def stream(call: Call) -> Answer:
        one = asked(call, kind)
        skip, take = span(call)
        return streamed_answer(
            account_id=call.account_id, form=call.path["format"], columns=columns(one),
            rows=lambda: rows(one, skip=skip, take=take),
        )  # fmt: skip

    return stream


for _name, _kind in KINDS.items():
    route("GET", f"reports/{_name}", scope="reports:read", section=SECTION)(_by_page(_kind))
    route("GET", f"reports/{_name}", scope="reports:read", section=SECTION, host="stream")(_stream(_kind))


def _row(one: Asked, who: Mapping[str, Any], at: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    row = {"account_id": one.account_id, **who}
    if one.kind in _HOURS:
        row |= {"browser": data.get("ua"), "ip_address": data.get("ip"), "recorded_at": at}
        return row | {"url": data.get("url")} if one.kind == "clicked" else row
    if one.kind == "bounced":
        kind = "hard" if data.get("hard") is True else "soft"
        row |= {"type": kind, "class": data.get("class"), "code": data.get("code"), "reason": data.get("text")}
    return row | {"recorded_on": at}


def _contacts(one: Asked, ids: list[int]) -> dict[int, dict[str, Any]]:
    """The fields that were asked for, by contact."""
    if not one.fields:
        return {}
    found = {}
    for contact in Contact.objects.filter(account_id=one.account_id, id__in=set(ids)):
        own = contact.fields or {}
        found[contact.id] = {name: getattr(contact, name) if name in STANDARD else own.get(name) for name in one.fields}
    return found


def _values(one: Asked) -> dict[str, Any]:
    return {
        "account_id": one.account_id, "kind": one.kind, "since": one.since, "until": one.until,
        "contact_id": one.contact_id, "hard": one.hard,
    }  # fmt: skip


def _day(call: Call, name: str) -> dt.datetime | None:
    """Midnight in the East at the begin of a day given as YYYY-MM-DD."""
    text = call.text(name, most=40).strip()
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text[:10])
        if not 2000 <= day.year <= 2999:
            raise ValueError
        return dt.datetime.combine(day, dt.time(), EASTERN)
    except ValueError:
        raise invalid(**{name: "is no day such as 2026-05-25"}) from None


def _contact_id(call: Call) -> int | None:
    email, uid = call.text("email", call.text("contact[email]"), most=320), call.text("uid")
    if not email and not uid:
        return None
    mine = Contact.objects.filter(account_id=call.account_id)
    if email:
        try:
            mine = mine.filter(email_key=parse_address(email).key)
        except AddressError as error:
            raise invalid(email=f"is no address: {error.reason}") from None
    if uid:
        mine = mine.filter(uid=uid)
    return mine.values_list("id", flat=True).first() or NOBODY
