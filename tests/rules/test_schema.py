"""The migrated database keeps the rules: foreign keys go down, tenants are walled off, tables distribute."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from standfast.platform import postgres
from tests.rules.catalogue import Table, height_of, owner_of, tables

FOREIGN_KEYS = """
SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, c.confdeltype,
       ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = ANY(c.conkey)), c.conname
FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
"""
KEYS = """
SELECT c.relname, i.indexrelid::regclass::text, i.indisunique, a.attname
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
"""
POLICIES = "SELECT tablename, qual, with_check FROM pg_policies WHERE schemaname = 'public'"


@pytest.fixture(scope="module")
def owner(database: object) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.dsn(database, "owner")) as connection:  # type: ignore[arg-type]
        yield connection


@pytest.fixture(scope="module")
def known(owner: psycopg.Connection) -> dict[str, Table]:
    return tables(owner)


def test_foreign_keys_go_down_only(owner: psycopg.Connection) -> None:
    found = []
    for child, parent, _, _, name in owner.execute(FOREIGN_KEYS):
        child_height, parent_height = height_of(child), height_of(parent)
        if child_height is None or parent_height is None:
            continue
        if child_height < parent_height or (child_height == parent_height and owner_of(child) != owner_of(parent)):
            found.append(f"{name}: {child} -> {parent}")
    assert not found, found


def test_models_refer_down_only(database: object) -> None:
    """The same for relations without a constraint in the database."""
    import django
    from django.apps import apps

    django.setup()
    found = []
    for model in apps.get_models():
        for field in model._meta.get_fields():
            target = field.related_model if field.concrete and field.is_relation else None
            if target is None or isinstance(target, str):
                continue
            here, there = height_of(model._meta.db_table), height_of(target._meta.db_table)
            if here is not None and there is not None and here < there:
                found.append(f"{model.__name__}.{field.name} -> {target.__name__}")
    assert not found, found


def test_no_small_table_refers_to_a_large_one(owner: psycopg.Connection, known: dict[str, Table]) -> None:
    found = []
    for child, parent, on_delete, columns, name in owner.execute(FOREIGN_KEYS):
        if child not in known or parent not in known or known[child].partition:
            continue
        if known[parent].large and not known[child].large:
            found.append(f"{name}: {child} is small and refers to {parent}")
        if known[child].large and ("account_id" not in columns or on_delete == "n"):
            found.append(f"{name}: a large table's foreign key includes account_id and sets nothing null")
    assert not found, found


def test_keys_of_large_tables_begin_with_the_account(owner: psycopg.Connection, known: dict[str, Table]) -> None:
    found, with_key = [], set()
    for table, index, unique, first in owner.execute(KEYS):
        if table in known and known[table].large:
            with_key |= {table} if unique else set()
            if first != "account_id":
                found.append(f"{index} of {table} begins with {first}")
    assert not found, found
    without = {name for name, table in known.items() if table.large and not table.partition} - with_key
    assert not without, f"no primary key: {without}"


def test_the_account_of_a_large_table_is_never_null(owner: psycopg.Connection, known: dict[str, Table]) -> None:
    rows = owner.execute(
        "SELECT table_name, is_nullable, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name = 'account_id'"
    ).fetchall()
    wrong = [row for row in rows if row[0] in known and known[row[0]].large and row[1:] != ("NO", "bigint")]
    assert not wrong, wrong


def test_every_tenant_table_is_walled_off(owner: psycopg.Connection, known: dict[str, Table]) -> None:
    enabled = {name for (name,) in owner.execute("SELECT relname FROM pg_class WHERE relrowsecurity")}
    policies = {name: (read, write) for name, read, write in owner.execute(POLICIES)}
    found = []
    for table in known.values():
        if not table.tenant or table.view:
            continue
        if table.name not in enabled:
            found.append(f"{table.name}: row-level security is off")
        elif not table.partition and "app.account_id" not in str(policies.get(table.name, ("", ""))[0]):
            found.append(f"{table.name}: no policy compares app.account_id")
    assert not found, found


def test_policies_hold_no_subquery(owner: psycopg.Connection) -> None:
    found = [
        name for name, read, write in owner.execute(POLICIES) if "SELECT" in f"{read} {write}".replace("current_", "")
    ]
    assert not found, found


def test_views_do_not_look_round_the_wall(owner: psycopg.Connection, known: dict[str, Table]) -> None:
    """A view reads as its owner unless it says otherwise, and its owner sees every account."""
    options: dict[str, list[str]] = dict(
        owner.execute("SELECT relname, reloptions FROM pg_class WHERE relkind = 'v'").fetchall()
    )
    found = [name for name in known if name in options and "security_invoker=true" not in (options[name] or [])]
    assert not found, f"WITH (security_invoker = true) is missing: {found}"


def test_the_applications_role_owns_and_bypasses_nothing(owner: psycopg.Connection) -> None:
    role = owner.execute(
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'standfast_app'"
    ).fetchone()
    assert role == (False, False, False, False)
    owned = owner.execute("SELECT count(*) FROM pg_class WHERE relowner = 'standfast_app'::regrole").fetchone()
    assert owned == (0,)


def test_no_trigger_hides_an_effect(owner: psycopg.Connection, known: dict[str, Table]) -> None:
    rows = owner.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal").fetchall()
    assert not [row for row in rows if row[0] in known]


def test_models_and_migrations_agree(database: object) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run makemigrations: {done.stdout[-2000:]}{done.stderr[-2000:]}"
