"""Every page of an account with very many people and events: median time and number of queries, beside the limit of 200 ms.

`python -m benchmarks.pages [contacts] [events] [times]`   The design's size: 1000000 10000000 (builds for some minutes).

The data is made by set-based SQL, all that pages read: people, subscriptions, ledgers, responses, roll-ups, the event log. The
pages are found by walking the addresses, so that a new one is measured without being named here; the time is that of the whole
answer in the application's process (Django's test client), without the network.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from benchmarks.installation import installation

FILL = Path(__file__).with_suffix(".sql")
LIMIT_MS = 200
CONTACTS, EVENTS, TIMES = 100_000, 1_000_000, 9
LISTS, CAMPAIGNS, LINKS, HOURS = 20, 200, 40, 200
PREFIX = "accounts/<int:account_id>/"
LIFE_DAYS = 300  # over which the people came and the campaigns went out


class Page(NamedTuple):
    """A page's figures; `slowest_ms` is the slowest of the runs after the first."""

    path: str
    median_ms: float
    slowest_ms: float
    queries: int


def run(contacts: int = CONTACTS, events: int = EVENTS, times: int = TIMES) -> list[Page]:
    """Fill an account, and ask for each of its pages `times` times."""
    with installation(role="app") as config:
        from django.test import Client

        numbers, user = _account()
        began = time.perf_counter()
        _fill(config, numbers, contacts, events)
        print(f"  {contacts:,} people and {events:,} events made in {time.perf_counter() - began:,.0f} s", flush=True)
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return [page for path in _paths(numbers) if (page := _measure(client, path, times)) is not None]


def _account() -> tuple[dict[str, list[int]], Any]:
    """The account with what is small: lists, contents, campaigns with their sends, fields, tags, imports, a domain."""
    from django.db import transaction

    from standfast.components.accounts.api import User, create_account
    from standfast.components.audience.api import CustomField, Import, List, Tag
    from standfast.components.content.api import Content
    from standfast.components.delivery import api as delivery
    from standfast.platform.tenancy import account_scope

    user = User.objects.create_user("alice@shop.example", "correct horse battery", name="Alice")
    with transaction.atomic():
        account = create_account(user, name="Shop", time_zone="Europe/Berlin", address="1 High Street, Toronto")
    a = account.pk
    made: dict[str, list[int]] = {"account_id": [a]}
    with account_scope(a):
        lists = List.objects.bulk_create(List(account_id=a, name=f"List {n:03}") for n in range(LISTS))
        Tag.objects.bulk_create(Tag(account_id=a, name=f"Tag {n}") for n in range(20))
        fields = [CustomField(account_id=a, key=key, label=key.title()) for key in ("city", "orders", "since")]
        CustomField.objects.bulk_create(fields)
        contents = Content.objects.bulk_create(
            Content(
                account_id=a, name=f"Letter {n}", subject=f"News {n}", source_kind="html", source="<p>Hello</p>" * 2000
            )
            for n in range(CAMPAIGNS)
        )
        domain = delivery.add_domain(account_id=a, domain="shop.example")
        made |= {
            "list_id": [one.pk for one in lists],
            "content_id": [one.pk for one in contents],
            "domain_id": [domain.pk],
        }
        imports = [
            Import(
                account_id=a,
                file_name="people.csv",
                path="/nowhere",
                size_bytes=10**8,
                state="done",
                created_count=10**6,
            )
            for _ in range(30)
        ]
        made["import_id"] = [one.pk for one in Import.objects.bulk_create(imports)]
        made |= _sends(a, contents, lists)
    return made, user


def _sends(account_id: int, contents: list[Any], lists: list[Any]) -> dict[str, list[int]]:
    """Campaigns of every age; those of the last weeks to everybody, with a ledger, the rest with totals alone."""
    import datetime as dt

    from standfast.components.campaigns.api import Campaign
    from standfast.components.delivery.api import Send

    now = dt.datetime.now(dt.UTC)
    campaigns, sends = [], []
    for number, content in enumerate(contents):
        state = "draft" if number == CAMPAIGNS - 1 else "sending" if number == CAMPAIGNS - 2 else "sent"
        campaign = Campaign.objects.create(
            account_id=account_id, name=f"Campaign {number}", subject=f"News {number}", state=state, content=content,
            from_name="Shop", from_email="hello@shop.example", list_ids=[lists[0].pk], started_at=now, state_since_at=now,
        )  # fmt: skip
        campaigns.append(campaign.pk)
        if state == "draft":
            continue
        send = Send.objects.create(
            account_id=account_id, campaign_id=campaign.pk, nonce="x", state="ready" if state == "sending" else "finished",
            sources={"campaign": {"name": campaign.name}, "subject": campaign.subject, "html": content.source}, total=0,
        )  # fmt: skip
        Campaign.objects.filter(pk=campaign.pk).update(send=send)
        at = now - dt.timedelta(days=LIFE_DAYS * (CAMPAIGNS - number) / CAMPAIGNS)
        Send.objects.filter(pk=send.pk).update(created_at=at)
        sends.append(send.pk)
    return {"campaign_id": [campaigns[-2], campaigns[-1], campaigns[-3]], "send_id": [sends[-1]], "sends": sends}


def _fill(config: Any, numbers: dict[str, list[int]], contacts: int, events: int) -> None:
    """Everything large, as the loader; then what autovacuum would have done by the next morning."""
    from standfast.platform import postgres

    big = numbers["sends"][-3:]
    values = {"a": numbers["account_id"][0], "n": contacts, "events": events, "big": big, "life": LIFE_DAYS, "hours": HOURS,
              "links": LINKS, "first": 1}  # fmt: skip
    with psycopg.connect(postgres.dsn(config, "loader")) as connection:
        connection.execute("UPDATE delivery_send SET total = %s WHERE account_id = %s", [contacts, values["a"]])
        for statement in FILL.read_text().split(";\n"):
            name = re.search(r"INSERT INTO (\w+)", statement)
            if name:
                began = time.perf_counter()
                connection.execute(statement, values)
                print(f"    {name[1]:32} {time.perf_counter() - began:7.1f} s", flush=True)
                if name[1] == "audience_contact":
                    row = connection.execute(
                        "SELECT min(id) FROM audience_contact WHERE account_id = %(a)s", values
                    ).fetchone()
                    values["first"] = row[0] if row else 1
                    numbers["contact_id"] = [values["first"]]
    with psycopg.connect(postgres.dsn(config, "owner"), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _paths(numbers: dict[str, list[int]]) -> Iterator[str]:
    """The account's addresses with the numbers of what was made, and the ways in which their pages are asked for."""
    for route in sorted(_routes()):
        if route.endswith((".csv", "export/", "raw/", "rejects/")) or "<str:" in route:
            continue  # files, streamed: their time is their length
        names = re.findall(r"<int:(\w+)>", route)
        for position in range(len(numbers["campaign_id"]) if "campaign_id" in names else 1):
            chosen = [numbers.get(name, [1]) for name in names]
            filled = iter(str(options[min(position, len(options) - 1)]) for options in chosen)
            path = "/" + re.sub(r"<int:\w+>", lambda _, filled=filled: next(filled), route)  # type: ignore[misc]
            yield path
            yield from _questions(route, path, numbers)


def _questions(route: str, path: str, numbers: dict[str, list[int]]) -> Iterator[str]:
    """Searches, filters and the middle of long lists: what people ask for on the pages that have very much to show."""
    middle = numbers["contact_id"][0] + 50_000
    asked = {
        "people/": ("?q=p77", "?q=name12", "?q=nobody-of-this-name", f"?before={middle}"),
        "people/lists/<int:list_id>/": (f"?before={middle}",),
        "people/do-not-mail/": ("?q=p9", "?after=p5"),
        "campaigns/": ("?q=news", "?state=sent", "?page=4"),
        "campaigns/<int:campaign_id>/people/count/": tuple(f"?list_ids={pk}" for pk in numbers["list_id"][:2]),
        "reports/sends/<int:send_id>/recipients/": (
            *(f"?show={name}" for name in ("opened", "clicked", "machines", "bounced", "uncertain", "deferred", "waiting",
                                           "failed", "unsubscribed", "complained", "delivered", "cancelled")),
            "?after=90000", "?before=90000", "?q=p123@mail3.example", "?q=nobody", "?show=complained&q=p9",
        ),
        "reports/": ("?before=100",),
    }  # fmt: skip
    for query in asked.get(route.removeprefix(PREFIX), ()):
        yield path + query


def _routes(resolver: Any = None, before: str = "") -> Iterator[str]:
    from django.urls import URLResolver, get_resolver

    for each in (resolver or get_resolver()).url_patterns:
        route = before + str(each.pattern).lstrip("^")
        if isinstance(each, URLResolver):
            yield from _routes(each, route)
        elif route.startswith(PREFIX):
            yield route


def _measure(client: Any, path: str, times: int) -> Page | None:
    """None for what is no page: an address that only takes POST, or leads on."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    asked = len(queries)  # now: the next request empties the log
    if answer.status_code in (301, 302, 404, 405):
        return None
    assert answer.status_code == 200, (path, answer.status_code)
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        client.get(path)
        spent.append(1000 * (time.perf_counter() - began))
        if sum(spent) > 10_000:
            break
    return Page(path, statistics.median(spent), max(spent), asked)


def main(*arguments: str) -> None:
    print(f"  {'':5} {'page':72} {'median ms':>9} {'slowest':>8} {'queries':>7}")
    found = run(*(int(argument.replace("_", "")) for argument in arguments))
    for page in sorted(found, key=lambda one: -one.median_ms):
        met = "ok" if page.median_ms <= LIMIT_MS else "MISS"
        print(f"  {met:5} {page.path:72} {page.median_ms:9.0f} {page.slowest_ms:8.0f} {page.queries:7}")
    slowest = max(found, key=lambda one: one.median_ms)
    print(f"  {len(found)} pages; the slowest {slowest.median_ms:.0f} ms (limit {LIMIT_MS}): {slowest.path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
