"""A message has one holder, however the leases over it lie."""

import datetime as dt
from contextlib import contextmanager

import psycopg
import pytest

from standfast.components.delivery import leases
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
