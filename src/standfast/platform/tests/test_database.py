"""Few round trips: statements together, and a connection asked for its life only where there is a sign."""

import select

import psycopg
import pytest
from django.db import DataError, ProgrammingError, connection

from standfast.platform import postgres, tenancy
from standfast.platform.database import at_once, begun
from standfast.platform.tests.traffic import traffic

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(database):
    with psycopg.connect(postgres.dsn(database, "owner"), autocommit=True) as connection:
        yield connection


def rested() -> int:
    """As the connection is when a request comes; the number of its process at the server."""
    connection.ensure_connection()
    connection.close_if_unusable_or_obsolete()
    return connection.connection.info.backend_pid


def account_seen() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.account_id', true), '')")
        return cursor.fetchone()[0]


def test_a_scope_begins_in_one_round_trip_and_ends_with_its_transaction():
    with traffic() as seen, tenancy.account_scope(7):
        pass
    assert (seen.asked, seen.done) == (2, ["BEGIN", "SET", "COMMIT"])
    with tenancy.account_scope(7):
        assert account_seen() == "7"
        with tenancy.account_scope(7):
            assert account_seen() == "7"
    assert account_seen() == ""
    with tenancy.scope_asking(8, "SELECT json_build_object('n', %(n)s)", {"n": 3}) as answer:
        assert answer == {"n": 3} and account_seen() == "8"
    assert account_seen() == ""


def test_a_question_alone_is_one_round_trip_and_leaves_nothing_behind():
    with traffic() as seen:
        assert tenancy.ask(9, "SELECT to_json(current_setting('app.account_id'))", {}) == "9"
        assert tenancy.ask(9, "SELECT to_json(1) WHERE %(no)s", {"no": False}) is None
        assert tenancy.ask(9, "SELECT NULL", {}) is None
    assert seen.asked == 3
    assert not begun() and account_seen() == ""


@pytest.mark.parametrize(
    ("sql", "kind"), [("SELECT nothing", ProgrammingError), ("SELECT '99'::char::int / 0", DataError)]
)
def test_a_statement_that_fails_raises_as_a_cursor_does_and_takes_the_scope_back(sql, kind):
    with pytest.raises(kind), tenancy.scope_asking(7, sql, {}):
        raise AssertionError("not entered")
    assert not begun() and account_seen() == ""
    with pytest.raises(kind):
        at_once("SELECT 1", sql)
    assert not begun()


def test_parameters_carry_no_sql():
    evil = "'; DROP TABLE event; --\\"
    assert tenancy.ask(7, "SELECT to_json(%(text)s::text)", {"text": evil}) == evil
    with pytest.raises(ValueError):
        tenancy.ask("1'; --", "SELECT 1", {})  # type: ignore[arg-type]


def test_a_connection_that_rested_is_not_asked_whether_it_lives(owner):
    before = rested()
    with traffic() as seen, tenancy.account_scope(7):
        pass
    assert seen.asked == 2 and rested() == before


def test_one_that_the_server_ended_is_replaced_before_it_is_used(owner):
    before = rested()
    assert owner.execute("SELECT pg_terminate_backend(%s, 10000)", [before]).fetchone() == (True,)
    with tenancy.account_scope(7):
        assert account_seen() == "7"
    assert rested() != before


def test_one_with_something_to_read_is_asked_and_kept(owner):
    before = rested()
    connection.connection.execute("LISTEN something")
    owner.execute("NOTIFY something")
    assert select.select([connection.connection.pgconn.socket], [], [], 10)[0], "nothing came"
    with traffic() as seen, tenancy.account_scope(7):
        pass
    assert seen.asked == 3 and rested() == before
    connection.connection.execute("UNLISTEN *")
