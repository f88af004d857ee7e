"""Made-up logs for the tests of tracking, and what they must come to, counted one event after the other in Python."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

from standfast.components.tracking.consumers import COUNTERS
from standfast.platform import consumers, events, tenancy
from standfast.platform.events import Event

START = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
SEND, LATER_SEND = 71, 72
KINDS = ["opened"] * 6 + ["clicked"] * 5 + ["delivered"] * 4 + [
    "deferred", "bounced", "uncertain", "uncertain", "failed", "skipped", "unsubscribed", "resubscribed", "complained",
    "contact_updated",
]  # fmt: skip


def event(
    kind: str, seq: int = 1, minutes: float = 0, send_id: int = SEND, contact_id: int | None = None, **data: Any
) -> Event:
    contact = 1000 + seq if contact_id is None else contact_id
    return Event(START + dt.timedelta(minutes=minutes), kind, contact, send_id, seq, data or None)


def opened(seq: int = 1, minutes: float = 0, verdict: str = "human", **more: Any) -> Event:
    return event("opened", seq, minutes, verdict=verdict, ua="Mozilla/5.0", ip="192.0.2.1", **more)


def clicked(seq: int = 1, minutes: float = 0, link: int = 1, verdict: str = "human", **more: Any) -> Event:
    return event(
        "clicked",
        seq,
        minutes,
        verdict=verdict,
        link=link,
        url=f"https://shop.example/{link}",
        ua="M",
        ip="::1",
        **more,
    )


def random_log(seed: int, count: int) -> list[Event]:
    """Few people and many events, in no order of time."""
    draw = random.Random(seed)
    told = []
    for _ in range(count):
        kind, seq, minutes = draw.choice(KINDS), draw.randint(1, 12), draw.uniform(0, 300)
        verdict = draw.choice(["human", "machine"])
        if kind == "opened":
            one = opened(seq, minutes, verdict)
        elif kind == "clicked":
            one = clicked(seq, minutes, draw.randint(0, 3), verdict)
        elif kind == "bounced":
            data = {"class": draw.choice(["InvalidRecipient", "QuotaIssues"]), "hard": draw.random() < 0.5}
            one = event(kind, seq, minutes, **data, **({"by": "report"} if draw.random() < 0.5 else {}))
        else:
            one = event(kind, seq, minutes, **({"code": 451} if kind == "deferred" else {}))
        told.append(
            one._replace(send_id=draw.choice([SEND, LATER_SEND]), contact_id=draw.choice([one.contact_id] * 9 + [0]))
        )
    return told


def append(connection: Any, account_id: int, told: Iterable[Event]) -> None:
    """Append and commit."""
    with connection.transaction(), connection.cursor() as cursor:
        tenancy.enter(cursor, account_id)
        events.append(cursor, account_id=account_id, events=list(told), bulk=True)


def fold_all(connection: Any, account_id: int, *, batch: int = 10_000) -> None:
    while consumers.advance(connection, COUNTERS, account_id, batch=batch):
        pass


def counters(connection: Any, account_id: int, send_id: int = SEND) -> dict[str, int]:
    rows = connection.execute(
        "SELECT name, value FROM tracking_sendcounter WHERE account_id = %s AND send_id = %s AND value <> 0",
        [account_id, send_id],
    ).fetchall()
    connection.commit()
    return dict(rows)


def expected(told: Iterable[Event], send_id: int = SEND) -> dict[str, int]:
    """The totals by the rules of consumers.py, written the plain way."""
    total: Counter[str] = Counter()
    people: dict[int, dict[str, Any]] = {}
    for one in told:
        if one.send_id != send_id or not one.contact_id:
            continue
        person = people.setdefault(one.seq or 0, {"seen": set(), "uncertain": False, "left": False, "opens": 0})
        data = one.data or {}
        who = "" if data.get("verdict") == "human" else "machine_"
        match one.kind:
            case "opened" | "clicked":
                name = "opens" if one.kind == "opened" else "clicks"
                total[who + name] += 1
                person["seen"] |= {f"{who}{name}_unique", f"all_{name}_unique"}
                if not who and name == "clicks":
                    person["seen"] |= {"opens_unique", "all_opens_unique"}
                person["opens"] += name == "opens" and not who
            case "delivered" | "deferred" | "failed" | "skipped":
                total[one.kind] += 1
                if one.kind == "deferred":
                    total[f"deferral:{data['code']}"] += 1
            case "bounced" if "bounced" not in person["seen"]:
                person["seen"].add("bounced")
                person["seen"] |= {f"bounce:{data['class']}", "bounced_hard" if data["hard"] else "bounced_soft"}
                if data.get("by") == "report":
                    person["seen"].add("bounced_later")
            case "complained":
                person["seen"].add("complained")
            case "unsubscribed" | "resubscribed":
                person["left"] = one.kind == "unsubscribed"
        if one.kind in {"delivered", "deferred", "bounced", "uncertain", "failed", "skipped"}:
            person["uncertain"] = one.kind == "uncertain"
    for person in people.values():
        total.update(person["seen"])
        total["unsubscribed"] += person["left"]
        total["uncertain"] += person["uncertain"]
        total["opens"] += "clicks_unique" in person["seen"] and not person["opens"]
    return {name: value for name, value in total.items() if value}
