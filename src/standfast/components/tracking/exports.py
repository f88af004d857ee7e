"""The nine reports of a campaign row by row, and everything as CSV. The only readers of the log besides the consumer."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

from standfast.components.delivery.api import Send
from standfast.components.tracking.queries import QUERIES
from standfast.components.tracking.recipients import Row, streamed

CHUNK_LINES = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Report(StrEnum):
    """The reports by the names they have in addresses."""

    DELIVERED = "delivered"
    OPEN = "open"
    CLICK = "click"
    LINK = "link"
    BOUNCE = "bounce"
    SOFT_BOUNCE = "soft_bounce"
    HARD_BOUNCE = "hard_bounce"
    UNSUBSCRIBE = "unsubscribe"
    COMPLAINT = "complaint"


_R = Report
RESPONSES = frozenset({_R.OPEN, _R.CLICK, _R.LINK})
_BOUNCES = {_R.BOUNCE: None, _R.SOFT_BOUNCE: False, _R.HARD_BOUNCE: True}


def columns(report: Report) -> list[str]:
    """The names of a report's values, in their order."""
    if report in RESPONSES:
        names = ["account_id", "campaign_id", "contact_id", "uid", "email", "browser", "ip_address", "recorded_at"]
        return names if report is _R.OPEN else [*names, "url"]
    if report is _R.DELIVERED:
        return ["email", "account_id", "campaign_id", "contact_id", "created_at", "updated_at"]
    names = ["email", "account_id", "campaign_id", "contact_id", "recorded_on"]
    return [*names, "type", "class", "code", "reason"] if report in _BOUNCES else names


def rows(
    *, account_id: int, send_id: int, report: Report, unique: bool = False, machines: bool = False
) -> Iterator[list[Any]]:
    """A report's rows as `columns` names them, streamed. In the account's scope; none where the account has no such send.

    `unique` keeps the first opening or click of a recipient, in the report on links the first of a recipient and link.
    People's only, unless `machines`. Bounces are always one a recipient.
    """
    send = Send.objects.filter(account_id=account_id, pk=send_id).only("campaign_id", "created_at").first()
    if send is None:
        return
    for email, contact_id, at, data, uid in _found(account_id, send, report, unique, machines):
        data = json.loads(data or "{}")  # Django's connections leave JSON as text
        where = [account_id, send.campaign_id, contact_id]
        if report in RESPONSES:
            row = [*where, uid, email, data.get("ua"), data.get("ip"), at]
            yield row if report is _R.OPEN else [*row, data.get("url")]
        elif report is _R.DELIVERED:
            yield [email, *where, send.created_at, at]
        elif report in _BOUNCES:
            kind = "hard" if data.get("hard") is True else "soft"
            yield [email, *where, at, kind, data.get("class"), data.get("code"), data.get("text")]
        else:
            yield [email, *where, at]


def _found(account_id: int, send: Send, report: Report, unique: bool, machines: bool) -> Iterator[tuple[Any, ...]]:
    mine: dict[str, Any] = {"account_id": account_id, "send_id": send.pk}
    if report is _R.DELIVERED:
        return streamed(QUERIES.export_delivered.sql, mine)
    if report in (_R.UNSUBSCRIBE, _R.COMPLAINT):
        did = "unsubscribed" if report is _R.UNSUBSCRIBE else "complained"
        return streamed(QUERIES.export_responses.sql, mine | {"did": did})
    # clocks of two machines differ a little
    mine |= {"since": send.created_at - dt.timedelta(hours=1), "machines": machines}
    if report in _BOUNCES:
        first = {"kind": "bounced", "by_link": False, "hard": _BOUNCES[report]}
        return streamed(QUERIES.export_first_events.sql, mine | first)
    mine["kind"] = "opened" if report is _R.OPEN else "clicked"
    if unique:
        return streamed(QUERIES.export_first_events.sql, mine | {"by_link": report is _R.LINK, "hard": None})
    return streamed(QUERIES.export_events.sql, mine)


LEDGER_COLUMNS = [
    "email", "contact_id", "status", "attempts", "code", "reply", "updated_at", "opened_at", "opens", "clicked_at", "clicks",
    "machine_opened_at", "machine_clicked_at", "unsubscribed_at", "complained_at", "bounced_at",
]  # fmt: skip


def ledger_values(row: Row) -> list[Any]:
    """A recipient as a line of the ledger's export."""
    return [row.state if name == "status" else getattr(row, name) for name in LEDGER_COLUMNS]


def csv_of(names: list[str], lines: Iterable[list[Any]]) -> Iterator[str]:
    """CSV (RFC 4180) in pieces: times as ISO 8601 in UTC, nothing that a spreadsheet would run as a formula."""
    pieces: list[str] = []
    writer = csv.writer(_Into(pieces))
    writer.writerow(names)
    for line in lines:
        writer.writerow([_cell(value) for value in line])
        if len(pieces) >= CHUNK_LINES:
            yield "".join(pieces)
            pieces.clear()
    yield "".join(pieces)


def json_lines_of(names: list[str], lines: Iterable[list[Any]]) -> Iterator[str]:
    """One JSON object a line, in pieces: times as in CSV, nothing else changed."""
    pieces: list[str] = []
    for line in lines:
        row = {name: _time(value) for name, value in zip(names, line, strict=True)}
        pieces.append(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
        if len(pieces) >= CHUNK_LINES:
            yield "".join(pieces)
            pieces.clear()
    yield "".join(pieces)


class _Into:
    """What csv.writer writes to."""

    def __init__(self, pieces: list[str]) -> None:
        self.write = pieces.append


def _cell(value: Any) -> Any:
    value = _time(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def _time(value: Any) -> Any:
    return value.astimezone(dt.UTC).isoformat(timespec="seconds") if isinstance(value, dt.datetime) else value
