"""Pieces of a send for tests: an account with people, an inbox that plays providers, and a sender that works until the end."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from pathlib import Path

import psycopg
from benchmarks.installation import free_ports
from psycopg_pool import ConnectionPool

from standfast.components.delivery.api import Sender
from standfast.platform import postgres, tenancy
from standfast.platform.config import Config
from standfast.protocols.keys import derive

NEWSLETTER = Path(__file__).parents[2] / "src/standfast/components/content/examples/newsletter.html"
_numbers = itertools.count(1)


def free_port() -> int:
    return free_ports(1)[0]


def add_people(connection: psycopg.Connection, account_id: int, list_id: int, count: int) -> None:
    """`count` subscribed contacts, written as SQL: the importer has tests of its own."""
    now = dt.datetime.now(dt.UTC)
    mark = next(_numbers)
    with connection.transaction():
        tenancy.enter(connection, account_id)
        connection.execute(
            "INSERT INTO audience_contact (account_id, email, email_key, first_name, fields, created_at, updated_at) "
            "SELECT %(a)s, 'p' || n || '@m' || %(mark)s || '.example', 'p' || n || '@m' || %(mark)s || '.example', 'Person ' || n, "
            "jsonb_build_object('city', 'Town ' || n), %(now)s, %(now)s FROM generate_series(1, %(n)s) AS n",
            {"a": account_id, "n": count, "now": now, "mark": mark},
        )
        connection.execute(
            "INSERT INTO audience_subscription (account_id, list_id, contact_id, status, since_at) "
            "SELECT account_id, %s, id, 'subscribed', %s FROM audience_contact WHERE account_id = %s AND email LIKE %s",
            [list_id, now, account_id, f"p%@m{mark}.example"],
        )


def sources(from_email: str, html: str | None = None) -> dict[str, object]:
    return {
        "subject": "Hello {{ contact.first_name }}",
        "preheader": "What is new",
        "html": html if html is not None else NEWSLETTER.read_text(),
        "source_kind": "html",
        "text": "",
        "inline_css": True,
        "from_name": "Alice's shop",
        "from_email": from_email,
        "reply_to": "",
        "tracker_url": "http://127.0.0.1:8001",
        "bounce_domain": "bounces.standfast.test",
        "campaign": {"id": 7, "name": "Spring", "address": "1 High Street, Toronto"},
    }


async def send_until(config: Config, send_id: int, state: str, *, seconds: float = 60) -> Sender:
    """Run one sender until the send is in that state; raises TimeoutError."""
    with ConnectionPool(postgres.dsn(config, "loader"), min_size=1, max_size=8) as pool:
        sender = Sender(
            pool=pool, journals=config.journal_dir, key=derive(config.secret(), "tokens"), ehlo_name="test.example"
        )
        running = asyncio.create_task(sender.run())
        try:
            async with asyncio.timeout(seconds):
                while (await sender.database(lambda c: _state(c, send_id))) != state:
                    await asyncio.sleep(0.05)
        finally:
            sender.stop.set()
            await running
        return sender


async def send_until_finished(config: Config, account_id: int, send_id: int, *, seconds: float = 60) -> Sender:
    """Run one sender until the send is finished; raises TimeoutError."""
    return await send_until(config, send_id, "finished", seconds=seconds)


def _state(connection: psycopg.Connection, send_id: int) -> str:
    row = connection.execute("SELECT state FROM delivery_send WHERE id = %s", [send_id]).fetchone()
    assert row is not None
    return row[0]
