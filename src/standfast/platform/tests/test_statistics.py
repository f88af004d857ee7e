"""A new account's rows are known to the planner at once, and a known one's cost nothing."""

import psycopg
import pytest

from standfast.platform import postgres, statistics

TABLE = "idempotent_answer"
ACCOUNTS = iter(range(7_000_000, 8_000_000))


@pytest.fixture
def account(database):
    """A new one, with 5,000 rows, of which the statistics do not know: they were taken with some rows of another."""
    other, account = next(ACCOUNTS), next(ACCOUNTS)
    with psycopg.connect(postgres.dsn(database, "owner"), autocommit=True) as owner:
        fill(owner, other, 500)
        owner.execute(f"ANALYZE {TABLE}")
        fill(owner, account, 5000)
        yield account
        owner.execute(f"DELETE FROM {TABLE} WHERE account_id = ANY(%s)", [[other, account]])


def fill(connection, account_id: int, count: int) -> None:
    connection.execute(
        f"INSERT INTO {TABLE} (account_id, key_hash, request, created_at)"
        " SELECT %s, sha256(n::text::bytea), '', '2026-01-01Z' FROM generate_series(1, %s) n",
        [account_id, count],
    )


def expected(connection, account_id: int) -> float:
    plan = connection.execute(f"EXPLAIN (FORMAT JSON) SELECT FROM {TABLE} WHERE account_id = {account_id}").fetchone()
    return plan[0][0]["Plan"]["Plan Rows"]


def taken(connection) -> int:
    connection.execute("SELECT pg_stat_clear_snapshot()")
    return connection.execute("SELECT analyze_count FROM pg_stat_user_tables WHERE relname = %s", [TABLE]).fetchone()[0]


def test_the_planner_learns_of_a_new_account_by_the_applications_role(account, loader, app_connection):
    assert expected(loader, account) < 500
    with app_connection.transaction():
        statistics.learn(app_connection, table=TABLE, account_id=account, rows_at_least=5000)
    assert 2500 < expected(loader, account) < 10_000


def test_what_is_known_or_lost_in_the_mass_is_not_looked_at_again(account, database):
    with psycopg.connect(postgres.dsn(database, "owner"), autocommit=True) as owner:
        owner.execute(f"ANALYZE {TABLE}")
        before = taken(owner)
        for rows_at_least in (5000, 40, 10):
            owner.execute("SELECT platform_learn(%s::regclass, %s, %s)", [TABLE, account, rows_at_least])
        statistics.learn(owner, table=TABLE, account_id=next(ACCOUNTS), rows_at_least=999)
        assert taken(owner) == before


def test_only_our_tables_are_looked_at(app_connection):
    for name in ("pg_catalog.pg_class", "audience_contact_v"):
        assert app_connection.execute("SELECT platform_learn(%s::regclass, 1, 1000000)", [name]).fetchone() == (False,)
        app_connection.rollback()
    with pytest.raises(psycopg.errors.InvalidName):
        statistics.learn(app_connection, table='x"; DROP TABLE event; --', account_id=1, rows_at_least=1_000_000)
