"""The event log: gapless positions, bulk and plain the same, a spool's batch counted once, consumers exactly once."""

import datetime as dt
import itertools

import pytest

from standfast.platform import consumers, events
from standfast.platform.events import Event

NOW = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
ACCOUNTS = itertools.count(70_000)


@pytest.fixture
def account_id() -> int:
    return next(ACCOUNTS)


def stored(connection, account_id):
    return connection.execute(
        "SELECT position, kind, contact_id, seq, data FROM event WHERE account_id = %s ORDER BY position", [account_id]
    ).fetchall()


@pytest.mark.parametrize("bulk", [True, False])
def test_positions_have_no_gaps(loader, account_id, bulk):
    for _ in range(3):
        with loader.transaction():
            events.append(
                loader.cursor(), account_id=account_id, bulk=bulk,
                events=[Event(NOW, "opened", 5, 6, 7, {"a": 1}), Event(NOW, "clicked")],
            )  # fmt: skip
    with pytest.raises(RuntimeError), loader.transaction():
        events.append(loader.cursor(), account_id=account_id, events=[Event(NOW, "lost")], bulk=bulk)
        raise RuntimeError("rolled back")
    with loader.transaction():
        assert events.append(loader.cursor(), account_id=account_id, events=[Event(NOW, "opened")], bulk=bulk) == 7
    rows = stored(loader, account_id)
    assert [row[0] for row in rows] == list(range(1, 8))
    assert rows[0][1:] == ("opened", 5, 7, {"a": 1})
    assert rows[1][1:] == ("clicked", None, None, None)


def test_a_spool_hands_over_once(loader, account_id):
    batch = [(0, Event(NOW, "opened")), (100, Event(NOW, "clicked"))]
    for expected in (2, 0):
        with loader.transaction():
            taken = events.append_from_source(loader.cursor(), account_id=account_id, node="n1", records=batch)
        assert taken == expected
    with loader.transaction():
        overlapping = [*batch, (200, Event(NOW, "opened"))]
        assert events.append_from_source(loader.cursor(), account_id=account_id, node="n1", records=overlapping) == 1
    assert len(stored(loader, account_id)) == 3


def test_a_consumer_that_fails_leaves_its_position(loader, account_id):
    with loader.transaction():
        events.append(loader.cursor(), account_id=account_id, events=[Event(NOW, "opened")] * 5)
    seen = []

    def fold(cursor, account, after, upto):
        seen.append((after, upto))
        if len(seen) == 1:
            raise RuntimeError("killed")

    consumer = consumers.Consumer(f"test{account_id}", fold)
    with pytest.raises(RuntimeError):
        consumers.advance(loader, consumer, account_id)
    assert consumers.advance(loader, consumer, account_id, batch=3) == 3
    assert consumers.advance(loader, consumer, account_id, batch=3) == 2
    assert consumers.advance(loader, consumer, account_id) == 0
    assert seen == [(0, 5), (0, 3), (3, 5)]
