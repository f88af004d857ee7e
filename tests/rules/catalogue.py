"""What the migrated database says of itself, and whose each table is."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from tests.rules.tree import HEIGHT

PLATFORM = 0
OWN_TABLES = """
SELECT c.relname, c.relkind, c.relispartition,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped),
       EXISTS (SELECT FROM pg_constraint f JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1]
               WHERE f.conrelid = c.oid AND f.contype = 'f' AND a.attname = 'account_id' AND cardinality(f.conkey) = 1)
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
"""


@dataclass(frozen=True)
class Table:
    """A relation of ours. Large ones distribute by account: they have a plain `account_id` and no foreign key on it."""

    name: str
    owner: str
    view: bool
    partition: bool
    tenant: bool
    large: bool


def owner_of(name: str) -> str | None:
    """The component of `audience_contact`, `platform` for the event log, None for tables of libraries."""
    if name == "event" or name.startswith("event_"):
        return "platform"
    return max((each for each in HEIGHT if name.startswith(f"{each}_")), key=len, default=None)


def height_of(name: str) -> int | None:
    owner = owner_of(name)
    return PLATFORM if owner == "platform" else HEIGHT.get(owner or "")


def published(name: str) -> bool:
    """A view that others may read: `audience_mailable_v`."""
    return name.endswith("_v")


def tables(connection: psycopg.Connection) -> dict[str, Table]:
    """Every table and view of ours by its name."""
    found = {}
    for name, kind, partition, tenant, refers in connection.execute(OWN_TABLES):
        owner = owner_of(name)
        if owner:
            view = kind in "vm"
            found[name] = Table(name, owner, view, partition, tenant, large=tenant and not refers and not view)
    return found
