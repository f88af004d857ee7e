"""The roll-ups equal the log, whoever cuts the batches where and kills the consumer when."""

from __future__ import annotations

import itertools

import psycopg
import pytest

from standfast.components.tracking.consumers import COUNTERS, fold
from standfast.components.tracking.tests import log
from standfast.components.tracking.tests.log import SEND, append, clicked, counters, event, fold_all, opened
from standfast.platform import consumers, postgres
from standfast.platform.consumers import Consumer

_accounts = itertools.count(7_100_000)
TABLES = (
    "tracking_response",
    "tracking_sendcounter",
    "tracking_sendhour",
    "tracking_linkcounter",
    "tracking_linkcontact",
)


@pytest.fixture
def account_id(database: object) -> int:
    return next(_accounts)


def everything(connection: psycopg.Connection, account_id: int) -> dict[str, set[tuple]]:
    """All rows of the account without zeros and without its number."""
    found = {}
    for table in TABLES:
        zeros = "AND value <> 0" if table in ("tracking_sendcounter", "tracking_sendhour") else ""
        rows = connection.execute(f"SELECT * FROM {table} WHERE account_id = %s {zeros}", [account_id]).fetchall()
        found[table] = {tuple(value for value in row if value != account_id) for row in rows}
    connection.commit()
    return found


@pytest.mark.parametrize("seed", range(8))
def test_roll_ups_equal_a_plain_count_of_the_log(loader, account_id, seed):
    told = log.random_log(seed, 400)
    append(loader, account_id, told)
    fold_all(loader, account_id, batch=1 + seed * 13)
    for send_id in (log.SEND, log.LATER_SEND):
        assert counters(loader, account_id, send_id) == log.expected(told, send_id)


@pytest.mark.parametrize("seed", range(4))
def test_where_the_batches_are_cut_makes_no_difference(loader, account_id, seed):
    told = log.random_log(100 + seed, 300)
    other = next(_accounts)
    for account, batch in ((account_id, 300), (other, 1 + seed * 3)):
        append(loader, account, told)
        fold_all(loader, account, batch=batch)
    assert everything(loader, account_id) == everything(loader, other)


def test_hours_add_up_to_the_totals(loader, account_id):
    append(loader, account_id, log.random_log(7, 500))
    fold_all(loader, account_id, batch=37)
    rows = loader.execute(
        "SELECT name, sum(value)::int FROM tracking_sendhour WHERE account_id = %s AND send_id = %s "
        "GROUP BY name HAVING sum(value) <> 0",
        [account_id, SEND],
    ).fetchall()
    assert dict(rows) == {n: v for n, v in counters(loader, account_id).items() if ":" not in n}


def test_a_click_stands_for_an_opening_until_one_is_seen(loader, account_id):
    append(loader, account_id, [clicked(1), clicked(2)])
    fold_all(loader, account_id)
    assert counters(loader, account_id) == {
        "clicks": 2, "clicks_unique": 2, "all_clicks_unique": 2, "opens": 2, "opens_unique": 2, "all_opens_unique": 2,
    }  # fmt: skip
    append(loader, account_id, [opened(1, -5), opened(1, 3), opened(1, 3)])
    fold_all(loader, account_id)
    found = counters(loader, account_id)
    assert (found["opens"], found["opens_unique"]) == (4, 2)


def test_machines_are_not_people(loader, account_id):
    append(
        loader, account_id, [opened(1, verdict="machine"), clicked(1, verdict="machine", link=0), event("opened", 2)]
    )
    fold_all(loader, account_id)
    found = counters(loader, account_id)
    assert not {"opens", "opens_unique", "clicks", "clicks_unique"} & found.keys()
    assert (found["machine_opens_unique"], found["machine_clicks"], found["all_opens_unique"]) == (2, 1, 2)


def test_test_sends_count_for_nobody(loader, account_id):
    append(loader, account_id, [opened(1, contact_id=0), event("delivered", 1, contact_id=0), clicked(1, contact_id=0)])
    fold_all(loader, account_id)
    assert not any(everything(loader, account_id).values())


def test_an_unsubscription_taken_back_no_longer_counts(loader, account_id):
    append(loader, account_id, [event("unsubscribed", 1), event("unsubscribed", 1, 2), event("unsubscribed", 2)])
    fold_all(loader, account_id)
    assert counters(loader, account_id) == {"unsubscribed": 2}
    append(loader, account_id, [event("resubscribed", 1, 3)])
    fold_all(loader, account_id)
    assert counters(loader, account_id) == {"unsubscribed": 1}


def test_uncertain_ends_with_the_next_outcome(loader, account_id):
    append(loader, account_id, [event("uncertain", 1), event("uncertain", 2)])
    fold_all(loader, account_id)
    assert counters(loader, account_id) == {"uncertain": 2}
    append(loader, account_id, [event("delivered", 2, 9)])
    fold_all(loader, account_id)
    assert counters(loader, account_id) == {"uncertain": 1, "delivered": 1}


def test_a_bounce_told_twice_is_one(loader, account_id):
    first = event("bounced", 1, **{"class": "InvalidRecipient", "hard": True, "by": "report"})
    append(loader, account_id, [first, first])
    fold_all(loader, account_id, batch=1)
    assert counters(loader, account_id) == {
        "bounced": 1,
        "bounced_hard": 1,
        "bounced_later": 1,
        "bounce:InvalidRecipient": 1,
    }


def test_odd_events_stop_nobody(loader, account_id):
    odd = {"verdict": "human", "link": "x", "url": None}
    append(loader, account_id, [event("clicked", 1, **odd), event("bounced", 2, **{"class": "x" * 99, "hard": "?"}),
                                event("deferred", 3, code={"a": "b"}), event("opened", 4)._replace(seq=None)])  # fmt: skip
    fold_all(loader, account_id)
    assert counters(loader, account_id)["clicks"] == 1
    assert not everything(loader, account_id)["tracking_linkcounter"]


def test_killed_between_fold_and_commit_counts_once(database, loader, account_id):
    """The server ends the connection when everything is folded and nothing committed."""
    told = log.random_log(3, 200)
    append(loader, account_id, told)

    def fold_and_die(cursor, *span):
        fold(cursor, *span)
        loader.execute("SELECT pg_terminate_backend(%s)", [cursor.connection.info.backend_pid])
        loader.commit()

    for _ in range(3):
        with psycopg.connect(postgres.dsn(database, "loader")) as doomed, pytest.raises(psycopg.OperationalError):
            consumers.advance(doomed, Consumer(COUNTERS.name, fold_and_die), account_id, batch=60)
        consumers.advance(loader, COUNTERS, account_id, batch=60)
    fold_all(loader, account_id)
    assert counters(loader, account_id) == log.expected(told)


def test_two_consumers_at_once_count_once(database, loader, account_id):
    told = log.random_log(4, 200)
    append(loader, account_id, told)
    consumers.advance(
        loader, COUNTERS, account_id, batch=50
    )  # the position is there; before, the second one waits for it
    with psycopg.connect(postgres.dsn(database, "loader")) as other:

        def fold_beside(cursor, *span):
            fold(cursor, *span)
            assert consumers.advance(other, COUNTERS, account_id) == 0

        while consumers.advance(loader, Consumer(COUNTERS.name, fold_beside), account_id, batch=50):
            pass
    assert counters(loader, account_id) == log.expected(told)


def test_another_account_is_not_touched(loader, app_connection, account_id):
    charlie = next(_accounts)
    append(loader, account_id, [opened(1)])
    append(loader, charlie, [opened(1), opened(1)])
    fold_all(loader, account_id)
    assert not any(everything(loader, charlie).values())
    app_connection.execute(f"SET LOCAL app.account_id = '{charlie}'")
    for table in TABLES:
        assert app_connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
