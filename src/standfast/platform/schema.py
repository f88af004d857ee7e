"""Bring the database to the shape this version needs: roles, migrations, the log's partitions. Safe to repeat."""

from __future__ import annotations

import datetime as dt
import os

import psycopg

from standfast.platform import events, postgres
from standfast.platform.config import Config


def migrate(config: Config) -> None:
    """Create roles and run all migrations, in this process and as the owner: call it in a process of its own."""
    os.environ["STANDFAST_DATABASE_ROLE"] = "owner"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standfast.settings")
    postgres.ensure_database(config)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    ensure_partitions(config)


def ensure_partitions(config: Config) -> None:
    """Make the event log's partitions for the coming months."""
    with psycopg.connect(postgres.dsn(config, "owner")) as connection, connection.cursor() as cursor:
        events.ensure_partitions(cursor, today=dt.datetime.now(dt.UTC).date())
