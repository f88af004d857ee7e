"""What became of a send, from the roll-ups: four small queries a report, however many people got it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils import timezone

from standfast.components.delivery.api import Send, SendKind, SendState
from standfast.components.tracking.models import LinkCounter, SendCounter, SendHour

HOURS_MAX = 24 * 10  # a longer story is told by days
LINKS_MAX = 200
BARS_MAX = 48  # more columns are a line
COLUMNS_MIN = 12
HOURLY = ("opens", "clicks", "machine_opens", "machine_clicks", "delivered")
_COMPARED = (
    "delivered",
    "bounced_later",
    "opens_unique",
    "clicks_unique",
    "bounced",
    "bounced_hard",
    "unsubscribed",
    "complained",
    "uncertain",
    "failed",
    "skipped",
)

BOUNCE_LABELS = {
    "InvalidRecipient": "No such mailbox",
    "BadDomain": "No such domain",
    "InactiveMailbox": "Mailbox is closed",
    "InvalidSender": "Sender not accepted",
    "QuotaIssues": "Mailbox is full",
    "NoAnswerFromHost": "No answer from the server",
    "BadConnection": "Connection failed",
    "DNSFailure": "Name could not be looked up",
    "RoutingErrors": "No way to the mailbox",
    "TransientFailure": "Temporary failure",
    "MessageExpired": "Given up after all attempts",
    "ProtocolErrors": "Protocol error",
    "AuthenticationFailed": "Authentication failed (SPF, DKIM, DMARC)",
    "PolicyRelated": "Refused by policy or content",
    "TooManyRecipients": "Too many recipients",
    "Uncategorized": "Other refusals",
}


class SendFigures(NamedTuple):
    """One line of the report on many sends; recipients, machines left out."""

    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    bounced: int = 0
    bounced_hard: int = 0
    unsubscribed: int = 0
    complained: int = 0
    ended: int = 0  # however; the others are on their way

    def waiting(self, total: int) -> int:
        """How many of `total` have no end so far."""
        return max(total - self.ended, 0)


class Line(NamedTuple):
    """A label and how many."""

    label: str
    value: int


class LinkLine(NamedTuple):
    """`share` is the link's part of all clicks that are shown, 0 to 100; `heat` the same against the strongest link."""

    link: int
    url: str
    clicks: int
    contacts: int
    machine_clicks: int
    share: float
    heat: float


@dataclass(frozen=True)
class Summary:
    """All numbers of one send. Figures of people, or with `machines` of everybody; where no unit is said, recipients."""

    account_id: int
    send_id: int
    campaign_id: int | None
    title: str
    subject: str
    state: str
    is_stream: bool
    created_at: dt.datetime
    finished_at: dt.datetime | None
    machines: bool
    total: int
    counters: Mapping[str, int]
    hours: Mapping[str, Any]
    links: list[LinkLine]

    def _of(self, name: str) -> int:
        return max(self.counters.get(name, 0), 0)

    @property
    def is_live(self) -> bool:
        return self.state in (SendState.READY, SendState.PAUSED)

    @property
    def every_seconds(self) -> int:
        """How often a page asks for the figures again; for what is below them see `detail_every_seconds`."""
        return 2 if self.state == SendState.READY and not self.is_stream else 20

    @property
    def detail_every_seconds(self) -> int:
        return 10 if self.state == SendState.READY and not self.is_stream else 60

    @property
    def accepted(self) -> int:
        """Taken by a server, also those that came back later."""
        return self._of("delivered")

    @property
    def delivered(self) -> int:
        return max(self.accepted - self._of("bounced_later"), 0)

    @property
    def opened(self) -> int:
        return self._of("all_opens_unique" if self.machines else "opens_unique")

    @property
    def clicked(self) -> int:
        return self._of("all_clicks_unique" if self.machines else "clicks_unique")

    @property
    def opens(self) -> int:
        """Openings."""
        return self._of("opens") + (self.machine_opens if self.machines else 0)

    @property
    def clicks(self) -> int:
        """Clicks."""
        return self._of("clicks") + (self.machine_clicks if self.machines else 0)

    @property
    def machine_opened(self) -> int:
        return self._of("machine_opens_unique")

    @property
    def machine_clicked(self) -> int:
        return self._of("machine_clicks_unique")

    @property
    def machine_opens(self) -> int:
        """Openings by machines."""
        return self._of("machine_opens")

    @property
    def machine_clicks(self) -> int:
        """Clicks by machines."""
        return self._of("machine_clicks")

    @property
    def unsubscribed(self) -> int:
        return self._of("unsubscribed")

    @property
    def complained(self) -> int:
        return self._of("complained")

    @property
    def bounced(self) -> int:
        return self._of("bounced")

    @property
    def bounced_hard(self) -> int:
        return self._of("bounced_hard")

    @property
    def bounced_soft(self) -> int:
        return self._of("bounced_soft")

    @property
    def uncertain(self) -> int:
        return self._of("uncertain")

    @property
    def failed(self) -> int:
        return self._of("failed")

    @property
    def skipped(self) -> int:
        """Left out while sending: deleted or put on do-not-mail after the freeze."""
        return self._of("skipped")

    @property
    def deferrals(self) -> int:
        """Answers "try again later", of whatever end."""
        return self._of("deferred")

    @property
    def open(self) -> int:
        """Without an end so far: waiting, deferred, or never to leave where the send was cancelled."""
        ended = self.accepted + self.bounced - self._of("bounced_later") + self.uncertain + self.failed + self.skipped
        return max(self.total - ended, 0)

    @property
    def funnel(self) -> list[Line]:
        return [
            Line("Submitted" if self.is_stream else "Audience", self.total),
            Line("Delivered", self.delivered),
            Line("Opened", self.opened),
            Line("Clicked", self.clicked),
        ]

    @property
    def bounces(self) -> list[Line]:
        """By class, most first."""
        return self._group("bounce:", BOUNCE_LABELS)

    @property
    def deferrals_by_code(self) -> list[Line]:
        return self._group("deferral:", {"0": "No connection", "None": "No connection", "?": "Unknown"})

    def _group(self, prefix: str, labels: Mapping[str, str]) -> list[Line]:
        found = {name.removeprefix(prefix): value for name, value in self.counters.items() if name.startswith(prefix)}
        lines = [Line(labels.get(name, name), value) for name, value in found.items() if value > 0]
        return sorted(lines, key=lambda line: -line.value)


def sends(*, account_id: int) -> Any:
    """The account's sends that are campaigns', with `title` and `subject` and without their long sources."""
    return (
        Send.objects.filter(account_id=account_id, campaign_id__isnull=False)
        .defer("sources")
        .annotate(
            title=KeyTextTransform("name", KeyTransform("campaign", "sources")),
            subject=KeyTextTransform("subject", "sources"),
        )
    )


def summary(*, account_id: int, send_id: int, machines: bool = False) -> Summary | None:
    """All numbers of a send; None where the account has no such send. In the account's scope."""
    send = (
        Send.objects.filter(account_id=account_id, pk=send_id)
        .defer("sources")
        .annotate(
            title=KeyTextTransform("name", KeyTransform("campaign", "sources")),
            subject=KeyTextTransform("subject", "sources"),
        )
        .first()
    )
    if send is None:
        return None
    mine = {"account_id": account_id, "send_id": send_id}
    return Summary(
        account_id=account_id, send_id=send_id, campaign_id=send.campaign_id, title=send.title or f"Send {send_id}",
        subject=send.subject or "", state=send.state, is_stream=send.kind == SendKind.STREAM, created_at=send.created_at,
        finished_at=send.finished_at, machines=machines, total=send.total,
        counters=dict(SendCounter.objects.filter(**mine).values_list("name", "value")),
        hours=_over_time(SendHour.objects.filter(**mine, name__in=HOURLY).values_list("name", "hour_at", "value"), machines),
        links=_links(LinkCounter.objects.filter(**mine, link__gt=0), machines),
    )  # fmt: skip


def hours(
    *, account_id: int, send_id: int, after: dt.datetime | None, limit: int
) -> list[tuple[dt.datetime, dict[str, int]]]:
    """The hours (UTC) in which something happened, with the counts of each, in their order. In the account's scope."""
    mine = SendHour.objects.filter(account_id=account_id, send_id=send_id, name__in=HOURLY)
    later = mine if after is None else mine.filter(hour_at__gt=after)
    chosen = list(later.order_by("hour_at").values_list("hour_at", flat=True).distinct()[:limit])
    found: dict[dt.datetime, dict[str, int]] = {at: dict.fromkeys(HOURLY, 0) for at in chosen}
    for at, name, value in mine.filter(hour_at__in=chosen).values_list("hour_at", "name", "value"):
        found[at][name] = max(value, 0)
    return list(found.items())


def links(*, account_id: int, send_id: int, after: int, limit: int) -> list[LinkCounter]:
    """The links that were clicked, in the order of their numbers; 0 is the one that no person sees. In the account's scope."""
    mine = LinkCounter.objects.filter(account_id=account_id, send_id=send_id, link__gt=max(after, 0))
    return list(mine.order_by("link")[:limit])


def by_send(*, account_id: int, send_ids: Iterable[int | None]) -> dict[int, SendFigures]:
    """Figures of many sends in one query; a send of which nothing is known is not in it. In the account's scope."""
    wanted = [send_id for send_id in send_ids if send_id is not None]
    found: dict[int, dict[str, int]] = {}
    rows = SendCounter.objects.filter(account_id=account_id, send_id__in=wanted, name__in=_COMPARED)
    for send_id, name, value in rows.values_list("send_id", "name", "value"):
        found.setdefault(send_id, {})[name] = value
    return {send_id: _figures(values) for send_id, values in found.items()}


def _figures(values: Mapping[str, int]) -> SendFigures:
    delivered = max(values.get("delivered", 0) - values.get("bounced_later", 0), 0)
    return SendFigures(
        delivered=delivered,
        opened=values.get("opens_unique", 0),
        clicked=values.get("clicks_unique", 0),
        **{name: values.get(name, 0) for name in ("bounced", "bounced_hard", "unsubscribed", "complained")},
        ended=delivered + sum(values.get(name, 0) for name in ("bounced", "uncertain", "failed", "skipped")),
    )


def _over_time(rows: Iterable[tuple[str, dt.datetime, int]], machines: bool) -> dict[str, Any]:
    """Data of a chart: openings and clicks by hour, by day where the story is long. Empty where nobody opened or
    clicked; otherwise from the first delivery on.

    Hours and days are the account's (the current time zone). Few columns are bars: a line needs points to go through.
    """
    zone = timezone.get_current_timezone()
    values: dict[tuple[str, dt.datetime], int] = {}
    for name, at, value in rows:
        if machines or not name.startswith("machine_"):
            key = name.removeprefix("machine_"), at
            values[key] = values.get(key, 0) + value
    times = [at for (_, at), value in values.items() if value]
    if not any(value for (name, _), value in values.items() if name != "delivered"):
        return {}
    first, last = min(times), max(times)
    hourly = (last - first) < dt.timedelta(hours=HOURS_MAX)
    columns = _hours(values, first, last, zone) if hourly else _days(values, first, last, zone)
    series = [("Openings", "opens", "accent"), ("Clicks", "clicks", "blue")]
    return {
        "labels": [label for label, _ in columns],
        "by": "hour" if hourly else "day",
        "zone": str(zone),
        "kind": "bar" if len(columns) <= BARS_MAX else "line",
        "series": [
            {"name": label, "values": [column.get(name, 0) for _, column in columns], "colour": colour}
            for label, name, colour in series
        ],
    }


Column = tuple[str, dict[str, int]]


def _hours(
    values: Mapping[tuple[str, dt.datetime], int], first: dt.datetime, last: dt.datetime, zone: dt.tzinfo
) -> list[Column]:
    """One column an hour, at least `COLUMNS_MIN`: the first hour of a send is one of several, not a wall."""
    names = {name for name, _ in values}
    count = max(int((last - first).total_seconds() // 3600) + 1, COLUMNS_MIN)
    hours = [first + dt.timedelta(hours=number) for number in range(count)]
    return [
        (f"{at.astimezone(zone):%H:%M\n%-d %b}", {name: values.get((name, at), 0) for name in names}) for at in hours
    ]


def _days(
    values: Mapping[tuple[str, dt.datetime], int], first: dt.datetime, last: dt.datetime, zone: dt.tzinfo
) -> list[Column]:
    """One column a day of the account's calendar."""
    found: dict[dt.date, dict[str, int]] = {}
    for (name, at), value in values.items():
        day = found.setdefault(at.astimezone(zone).date(), {})
        day[name] = day.get(name, 0) + value
    begin, end = first.astimezone(zone).date(), last.astimezone(zone).date()
    days = [begin + dt.timedelta(days=number) for number in range((end - begin).days + 1)]
    return [(f"{day:%-d %b\n%Y}", found.get(day, {})) for day in days]


def _links(counters: Any, machines: bool) -> list[LinkLine]:
    """Most clicked first. Link 0 is the one that no person sees."""

    def shown(one: LinkCounter) -> int:
        return one.clicks + (one.machine_clicks if machines else 0)

    found = sorted(counters, key=lambda one: (-shown(one), one.link))
    total, most = sum(map(shown, found)) or 1, max(map(shown, found), default=0) or 1
    return [
        LinkLine(
            one.link,
            one.url,
            shown(one),
            one.contacts,
            one.machine_clicks,
            100 * shown(one) / total,
            100 * shown(one) / most,
        )
        for one in found[:LINKS_MAX]
    ]
