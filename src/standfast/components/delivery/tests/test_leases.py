"""A message has one holder, however the leases over it lie."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from tests.flows.sending import add_people, sources

from standfast.components.audience.api import List
from standfast.components.delivery import api as delivery
from standfast.components.delivery import leases
from standfast.components.delivery.queries import QUERIES
from standfast.components.delivery.streams import Submission, open_stream, submit
from standfast.platform import postgres, tenancy

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stream(transactional_db, cast):
    with tenancy.account_scope(cast.account.pk):
        return open_stream(account_id=cast.account.pk, sources={"from_email": "shop@example.test"})


@pytest.fixture
def worker(database):
    with psycopg.connect(postgres.dsn(database, "loader")) as connection:
        yield connection


def hand_in(stream, *dues: dt.datetime | None) -> None:
    messages = [Submission(contact_id=0, email=f"{n}@example.net", raw=b"x", due_at=due) for n, due in enumerate(dues)]
    with tenancy.account_scope(stream.account_id):
        submit(account_id=stream.account_id, send_id=stream.pk, messages=messages)


@contextmanager
def a_later_time(monkeypatch, **later: int):
    """As the leases see it."""
    with monkeypatch.context() as patch:
        patch.setattr(leases, "utc_now", lambda: dt.datetime.now(dt.UTC) + dt.timedelta(**later))
        yield


def take(worker, stream):
    return leases.take(worker, account_id=stream.account_id, send_id=stream.pk, node="here", journal="j")


def held(worker, lease) -> tuple[list[int], list[int]]:
    """What the lease's worker would send, and what a recovery would settle for it."""
    read = [row.seq for row in leases.recipients(worker, lease)]
    with worker.transaction():
        tenancy.enter(worker, lease.account_id)
        return read, [seq for seq, _ in leases.pending(worker, lease)]


def test_what_becomes_due_before_a_range_is_read_is_of_one_lease(stream, worker, monkeypatch):
    hand_in(stream, None, dt.datetime.now(dt.UTC) + dt.timedelta(hours=1), None)
    whole = take(worker, stream)
    assert (whole.lo, whole.hi) == (1, 3)
    with a_later_time(monkeypatch, hours=2):
        due = take(worker, stream)
    assert due.seqs == [2]
    assert held(worker, whole) == ([1, 3], [1, 3])
    assert held(worker, due) == ([2], [2])
    leases.abandon(worker, whole)
    assert held(worker, due) == ([2], [2]), "giving the range back takes nothing from the other lease"


def test_of_two_leases_that_name_a_message_the_later_one_holds_it(stream, worker, monkeypatch):
    hand_in(stream, dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    take(worker, stream)
    with a_later_time(monkeypatch, hours=2):
        first = take(worker, stream)
    with worker.transaction():  # it was deferred, and written down so, while the first lease went on with others
        tenancy.enter(worker, stream.account_id)
        worker.execute(
            "UPDATE delivery_recipient SET status = 2, attempts = 1, next_attempt_at = %s"
            " WHERE account_id = %s AND send_id = %s",
            [dt.datetime.now(dt.UTC), stream.account_id, stream.pk],
        )
    second = take(worker, stream)
    assert first.seqs == second.seqs == [1]
    assert held(worker, first) == ([], [])
    assert held(worker, second) == ([1], [1])


@pytest.fixture
def fresh(transactional_db, cast, worker, database):
    """A send of an account that is filled since autovacuum last looked, when there were Charlie's people and send alone."""
    with psycopg.connect(postgres.dsn(database, "owner")) as owner:
        freeze(cast.other, worker, people=400)
        owner.execute("ANALYZE audience_contact, audience_donotmail, delivery_recipient")
    return freeze(cast.account, worker, people=2000)


def freeze(account, worker, *, people: int):
    with tenancy.account_scope(account.pk):
        everybody = List.objects.create(account=account, name="Everybody")
        delivery.add_domain(account_id=account.pk, domain="shop.example")
        add_people(worker, account.pk, everybody.pk, people)
        worker.execute(
            "INSERT INTO audience_donotmail (account_id, email_key, email, reason, created_at)"
            " SELECT account_id, email_key, email, 'unsubscribed', created_at FROM audience_contact"
            " WHERE account_id = %s ORDER BY id DESC LIMIT %s",
            [account.pk, people // 4],
        )
        worker.commit()
        send, _ = delivery.freeze_send(
            account_id=account.pk, campaign_id=1, sources=sources("news@shop.example"), list_ids=[everybody.pk],
            suppressed_list_ids=[],
        )  # fmt: skip
    return send


@pytest.mark.parametrize("query", ["leased_recipients", "pending_of_lease", "record_outcomes"])
def test_a_lease_of_a_new_account_costs_its_own_messages_and_no_others(fresh, worker, query):
    lease = leases.take(worker, account_id=fresh.account_id, send_id=fresh.pk, node="here", journal="j", size=100)
    outcomes = {"statuses": [1] * 100, "attempts": [1] * 100, "next_attempts": [None] * 100, "ats": [0.0] * 100,
                "codes": [250] * 100, "replies": [None] * 100}  # fmt: skip
    plan = plan_of(worker, getattr(QUERIES, query).sql, lease.messages | outcomes)
    assert plan["Actual Rows"] == 100
    assert [step for rows, step in rows_seen(plan) if rows > 100] == []


def plan_of(worker, query: str, values: dict) -> dict:
    """What PostgreSQL did for the query. A table of a few pages may be read as a whole sooner than by any index: not here."""
    with worker.transaction():
        tenancy.enter(worker, values["account_id"])
        worker.execute("SET LOCAL enable_seqscan = off")
        (explained,) = worker.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query, values).fetchone()
    return explained[0]["Plan"]


def rows_seen(node: dict) -> Iterator[tuple[int, dict]]:
    """By each step of a plan, those it threw away among them, with the step."""
    removed = sum(count for name, count in node.items() if name.startswith("Rows Removed"))
    yield round((node["Actual Rows"] + removed) * node["Actual Loops"]), {**node, "Plans": ...}
    for child in node.get("Plans", []):
        yield from rows_seen(child)
