"""The tests' own PostgreSQL (the same embedded server as `make run`) and the cast: Alice owns the account, Bob is on her team,
Charlie belongs to another account and must never see anything of it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

_VAR = Path(tempfile.mkdtemp(prefix="sf-test-"))
os.environ["STANDFAST_VAR"] = str(_VAR)
os.environ["DJANGO_SETTINGS_MODULE"] = "standfast.settings"
os.environ.pop("STANDFAST_DATABASE_ROLE", None)
os.environ.pop("DATABASE_URL", None)

import django  # noqa: E402 - the settings read the environment above

django.setup()

from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402

# Made to be slow, half a second of a core for each sign-in; what the number of rounds is good for, no test shows.
PBKDF2PasswordHasher.iterations = 1_000

# The application's role may not truncate; tests that commit make their own accounts and leave them.
TransactionTestCase._fixture_teardown = lambda self: None  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def config():
    from standfast.platform import config

    return config.load()


@pytest.fixture(scope="session")
def database(config) -> Iterator[object]:
    """A running, migrated server for the whole session; yields the installation's Config (see platform.postgres.dsn)."""
    from benchmarks import kept_database

    from standfast.platform import postgres

    kept_database.lay(config, durable=False)
    process = postgres.start(config)
    try:
        yield config
    finally:
        postgres.stop(process)


@pytest.fixture(scope="session")
def django_db_setup(database, django_db_blocker) -> None:
    """pytest-django: use the migrated database as the application's role; tests are rolled back, or make their own account."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Each process of a parallel run makes a database of its own: with this one's environment pytest-django would read the
    settings, and with them this one's database, before the process gets here."""
    for name in ("DJANGO_SETTINGS_MODULE", "STANDFAST_VAR"):
        os.environ.pop(name, None)


def pytest_sessionfinish(session) -> None:
    shutil.rmtree(_VAR, ignore_errors=True)


@pytest.fixture
def loader(database) -> Iterator[psycopg.Connection]:
    """A connection of the worker's role: it may COPY and sees every account."""
    from standfast.platform import postgres

    with psycopg.connect(postgres.dsn(database, "loader")) as connection:
        yield connection


@pytest.fixture
def app_connection(database) -> Iterator[psycopg.Connection]:
    """A connection of the application's role: sees nothing until the account is set."""
    from standfast.platform import postgres

    with psycopg.connect(postgres.dsn(database, "app")) as connection:
        yield connection


@dataclass
class Cast:
    """Two accounts and three people. `account` is Alice's and Bob's, `other` is Charlie's."""

    account: object
    other: object
    alice: object
    bob: object
    charlie: object


@pytest.fixture
def cast(db) -> Cast:
    """Within the test's transaction (pytest-django's `db`); with `transactional_db` it is committed."""
    import secrets

    from django.db import connection, transaction

    from standfast.components.accounts.api import Account, Membership, Role, User
    from standfast.platform import tenancy

    mark = secrets.token_hex(4)
    account = Account.objects.create(name=f"Alice's shop {mark}", address="1 High Street, Toronto")
    other = Account.objects.create(name=f"Charlie's shop {mark}", address="2 Low Street, Toronto")
    people = {}
    for name, where, role in (
        ("alice", account, Role.ADMIN),
        ("bob", account, Role.MEMBER),
        ("charlie", other, Role.ADMIN),
    ):
        user = User.objects.create_user(f"{name}-{mark}@example.com", "correct horse battery", name=name.title())
        with transaction.atomic():
            tenancy.enter(connection.cursor(), where.pk)
            Membership.objects.create(account=where, user=user, role=role)
        people[name] = user
    return Cast(account=account, other=other, **people)
