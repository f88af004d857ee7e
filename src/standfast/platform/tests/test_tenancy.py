"""Row-level security: without an account nothing is seen; Charlie sees nothing of Alice's."""

import datetime as dt

import psycopg
import pytest

from standfast.platform import events, tenancy

NOW = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)


def test_a_query_without_an_account_sees_nothing(loader, app_connection):
    with loader.transaction():
        events.append(loader.cursor(), account_id=9001, events=[events.Event(NOW, "opened")])
    assert app_connection.execute("SELECT count(*) FROM event").fetchone() == (0,)


def test_charlie_sees_nothing_of_alices(loader, app_connection):
    with loader.transaction():
        events.append(loader.cursor(), account_id=9002, events=[events.Event(NOW, "opened")])
    with app_connection.transaction():
        tenancy.enter(app_connection, 9003)
        assert app_connection.execute("SELECT count(*) FROM event").fetchone() == (0,)
    with app_connection.transaction():
        tenancy.enter(app_connection, 9002)
        assert app_connection.execute("SELECT count(*) FROM event").fetchone() == (1,)


def test_writing_into_another_account_is_refused(app_connection):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), app_connection.transaction():
        tenancy.enter(app_connection, 9004)
        events.append(app_connection.cursor(), account_id=9005, events=[events.Event(NOW, "opened")])


def test_the_application_can_neither_make_tables_nor_leave_its_role(app_connection):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app_connection.execute("CREATE TABLE mine (n int)")
    app_connection.rollback()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app_connection.execute("SET ROLE standfast_loader")
