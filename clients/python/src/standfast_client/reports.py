"""What became of a campaign: figures, over time, links, recipients, and everything row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from os import PathLike
from typing import Any, BinaryIO, Literal, TypeAlias, TypedDict, Unpack

from standfast_client.calls import Group, at
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages
from standfast_client.streaming import lines_of, written_to
from standfast_client.values import Moment, Reading, parameters

ReportName: TypeAlias = Literal[
    "delivered", "open", "click", "link", "bounce", "soft_bounce", "hard_bounce", "unsubscribe", "complaint"
]
Form: TypeAlias = Literal["csv", "jsonl"]
Status: TypeAlias = Literal[
    "all", "delivered", "opened", "clicked", "machines", "bounced", "uncertain", "deferred", "waiting", "failed",
    "cancelled", "unsubscribed", "complained",
]  # fmt: skip


class Responses(TypedDict):
    opened: int
    clicked: int
    opens: int
    clicks: int


class BounceCount(TypedDict):
    name: str
    text: str
    count: int


class Bounces(TypedDict):
    total: int
    hard: int
    soft: int
    by_class: list[BounceCount]


class Report(TypedDict):
    """Recipients, where no unit is said; what people did and what machines did stand apart."""

    campaign_id: int
    name: str
    subject: str
    state: str
    created_at: Moment
    finished_at: Moment | None
    recipients: int
    delivered: int
    bounced: Bounces
    uncertain: int
    failed: int
    skipped: int
    open: int
    deferrals: int
    people: Responses
    machines: Responses
    unsubscribed: int
    complained: int


class ReportRow(TypedDict):
    campaign_id: int
    name: str
    subject: str
    state: str
    created_at: Moment
    recipients: int
    delivered: int
    opened: int
    clicked: int
    bounced: int
    bounced_hard: int
    unsubscribed: int
    complained: int


class Hour(TypedDict):
    hour_at: Moment
    delivered: int
    opens: int
    clicks: int
    machine_opens: int
    machine_clicks: int


class Link(TypedDict):
    link: int
    url: str
    clicks: int
    people: int
    machine_clicks: int


class Recipient(TypedDict):
    number: int
    contact_id: int
    email: str
    status: str
    attempts: int
    code: int | None
    reply: str | None
    updated_at: Moment | None
    next_attempt_at: Moment | None
    opened_at: Moment | None
    opens: int
    clicked_at: Moment | None
    clicks: int
    machine_opened_at: Moment | None
    machine_clicked_at: Moment | None
    unsubscribed_at: Moment | None
    complained_at: Moment | None
    bounced_at: Moment | None


class Reports(Group):
    @operation("GET", "/reports")
    def all(self, *, limit: int = 500, **more: Unpack[Reading]) -> Pages[ReportRow]:
        """The campaigns that were sent with their figures, the newest first."""

        def read(cursor: str | None) -> Page[ReportRow]:
            return self._calls.get(Page[ReportRow], "/reports", parameters(cursor=cursor, limit=limit), **more)

        return Pages(read)

    @operation("GET", "/campaigns/{campaign_id}/report")
    def get(self, campaign_id: int, **more: Unpack[Reading]) -> Report:
        return self._calls.get(Report, at("/campaigns/{}/report", campaign_id), **more)

    @operation("GET", "/campaigns/{campaign_id}/report/hours")
    def hours(self, campaign_id: int, *, limit: int = 500, **more: Unpack[Reading]) -> Pages[Hour]:
        """The hours in which something happened."""

        def read(cursor: str | None) -> Page[Hour]:
            where = at("/campaigns/{}/report/hours", campaign_id)
            return self._calls.get(Page[Hour], where, parameters(cursor=cursor, limit=limit), **more)

        return Pages(read)

    @operation("GET", "/campaigns/{campaign_id}/report/links")
    def links(self, campaign_id: int, *, limit: int = 500, **more: Unpack[Reading]) -> Pages[Link]:
        def read(cursor: str | None) -> Page[Link]:
            where = at("/campaigns/{}/report/links", campaign_id)
            return self._calls.get(Page[Link], where, parameters(cursor=cursor, limit=limit), **more)

        return Pages(read)

    @operation("GET", "/campaigns/{campaign_id}/report/recipients")
    def recipients(
        self, campaign_id: int, *, status: Status = "all", q: str = "", limit: int = 500, **more: Unpack[Reading]
    ) -> Pages[Recipient]:
        """status: what became of the message, or what they did; q: an address, or a part of one."""

        def read(cursor: str | None) -> Page[Recipient]:
            where = at("/campaigns/{}/report/recipients", campaign_id)
            asked = parameters(status=status, q=q, cursor=cursor, limit=limit)
            return self._calls.get(Page[Recipient], where, asked, **more)

        return Pages(read)

    def rows(
        self,
        campaign_id: int,
        report: ReportName | Literal["recipients"],
        *,
        unique: bool = False,
        machines: bool = False,
        timeout: float | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Every row of a report while it arrives, whatever its length. Raises Interrupted where it ends before its end."""
        where, asked = _export(campaign_id, report, "jsonl", unique, machines)
        with self._calls.stream(where, asked, timeout=timeout) as pieces:
            for line in lines_of(pieces):
                yield json.loads(line)

    @operation("GET", "/campaigns/{campaign_id}/report/exports/recipients")
    def export_recipients(
        self,
        campaign_id: int,
        to: str | PathLike[str] | BinaryIO,
        *,
        format: Form = "csv",
        timeout: float | None = None,
    ) -> int:
        """Write every recipient to a path or an open file; returns the bytes. A file at a path is whole or not there."""
        where, asked = _export(campaign_id, "recipients", format, False, False)
        return self._written(where, asked, to, timeout)

    @operation("GET", "/campaigns/{campaign_id}/report/exports/{report}")
    def export(
        self,
        campaign_id: int,
        report: ReportName,
        to: str | PathLike[str] | BinaryIO,
        *,
        format: Form = "csv",
        unique: bool = False,
        machines: bool = False,
        timeout: float | None = None,
    ) -> int:
        """The same for one of the nine reports. unique: only first openings and clicks; machines: machines' too."""
        where, asked = _export(campaign_id, report, format, unique, machines)
        return self._written(where, asked, to, timeout)

    def _written(
        self, where: str, asked: list[tuple[str, str]], to: str | PathLike[str] | BinaryIO, timeout: float | None
    ) -> int:
        with self._calls.stream(where, asked, timeout=timeout) as pieces:
            return written_to(to, pieces)


def _export(
    campaign_id: int, report: str, form: Form, unique: bool, machines: bool
) -> tuple[str, list[tuple[str, str]]]:
    where = at("/campaigns/{}/report/exports/{}", campaign_id, report)
    ways = parameters(unique=unique, machines=machines) if report != "recipients" else []
    return where, [*parameters(format=form), *ways]
