"""SQL stays on its own tables, names its account, holds nothing that cannot be distributed, and fits the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from standfast.platform import postgres
from tests.rules.catalogue import Table, published, tables
from tests.rules.queries import Query, in_files, in_python, named, numbered, sql_files
from tests.rules.tree import HEIGHT, PACKAGE

FORBIDDEN = {
    r"\bMERGE\s+INTO\b": "MERGE does not distribute: use INSERT ... ON CONFLICT",
    r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:CONSTRAINT\s+)?TRIGGER\b": "triggers do not distribute: say it in the function",
    r"\bset_config\s*\(": "set_config is not sent to other nodes: SET LOCAL",
    r"\bpg_(?:try_)?advisory_": "advisory locks fence nothing on other nodes: lock a row",
    r"\block_timeout\b": "lock_timeout does not reach other nodes: statement_timeout",
    r"\bON\s+DELETE\s+SET\s+NULL\b": "ON DELETE SET NULL does not distribute",
}
VOLATILE = re.compile(
    r"\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|random|gen_random_uuid|uuidv7|timeofday)\s*\("
    r"|\bcurrent_(?:timestamp|date|time)\b",
    re.IGNORECASE,
)
WRITES = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\b", re.IGNORECASE)
CHANGES = re.compile(r"\b(?:UPDATE|DELETE\s+FROM)\b", re.IGNORECASE)
PAIR_IN = re.compile(r"\(\s*[\w.]+\s*,[^()]*\)\s*(?:NOT\s+)?IN\s*\(\s*SELECT\b", re.IGNORECASE)
REFERENCE = r"\b(?:FROM|JOIN|INTO|UPDATE|USING|COPY|TABLE|TRUNCATE|LOCK|,)\s+(?:ONLY\s+)?{}\b"


@pytest.fixture(scope="module")
def owner(database: object) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.dsn(database, "owner")) as connection:  # type: ignore[arg-type]
        yield connection


@pytest.fixture(scope="module")
def known(owner: psycopg.Connection) -> dict[str, Table]:
    return tables(owner)


def referred(query: Query, known: dict[str, Table]) -> list[Table]:
    """The tables a query reads or writes, once for each time it does."""
    return [
        table for name, table in known.items() for _ in re.finditer(REFERENCE.format(name), query.words, re.IGNORECASE)
    ]


def strayed(query: Query, known: dict[str, Table]) -> set[str]:
    """Tables that are neither the component's own, nor the platform's, nor a published view of a lower floor."""
    own = query.component
    strange = set()
    for table in referred(query, known):
        if own is not None:
            if table.owner in (own, "platform"):
                continue
            if published(table.name) and HEIGHT[table.owner] < HEIGHT[own]:
                continue
        elif query.path.is_relative_to(PACKAGE / "platform") and table.owner == "platform":
            continue
        strange.add(table.name)
    return strange


def wrong_for_distribution(query: Query) -> list[str]:
    found = [reason for pattern, reason in FORBIDDEN.items() if re.search(pattern, query.words, re.IGNORECASE)]
    if WRITES.search(query.words) and VOLATILE.search(query.words):
        found.append("times, random values and uuids come as parameters")
    if CHANGES.search(query.words) and PAIR_IN.search(query.words):
        found.append("(a, b) IN (SELECT ...) does not distribute in UPDATE or DELETE: join a CTE")
    return found


def accounts_missing(query: Query, known: dict[str, Table]) -> bool:
    """Whether some large table of the query has no account_id for it."""
    large = sum(table.large for table in referred(query, known))
    return large > len(re.findall(r"\baccount_id\b|\?", query.words)) and not query.over_accounts


def test_sql_stays_on_its_own_tables(known: dict[str, Table]) -> None:
    found = {query.where: strange for query in in_files() + in_python() if (strange := strayed(query, known))}
    assert not found, f"ask the owner's api, or have it publish a view <component>_<name>_v: {found}"


def test_sql_names_no_partition(known: dict[str, Table]) -> None:
    found = [
        query.where for query in in_files() + in_python() if any(table.partition for table in referred(query, known))
    ]
    assert not found, f"row-level security is the parent's; name the parent: {found}"


def test_every_query_on_a_large_table_names_its_account(known: dict[str, Table]) -> None:
    found = [query.where for query in in_files() + in_python() if accounts_missing(query, known)]
    assert not found, f"add account_id = :account_id for each large table, or say `-- over accounts: why`: {found}"


def test_sql_can_be_distributed() -> None:
    found = {query.where: wrong for query in in_files() + in_python() if (wrong := wrong_for_distribution(query))}
    assert not found, found


def test_every_query_of_some_length_says_why() -> None:
    """The reason, and the index it stands on, in a remark before or after the name."""
    found = [
        query.where for query in in_files() if query.body.count("\n") > 4 and not re.search(r"\w{3}", query.remarks)
    ]
    assert not found, f"say the reason and the index above each: {found}"


@pytest.mark.parametrize("path", sql_files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_query_fits_the_schema(path: Path, owner: psycopg.Connection) -> None:
    """Each is prepared against the migrated schema; temporary tables the file makes are made first, in its order."""
    wrong = {}
    for number, query in enumerate(named(path)):
        try:
            with owner.transaction():
                owner.execute(query.body if makes_table(query) else f"PREPARE rule_{number} AS {prepared(query)}")
        except psycopg.Error as error:
            wrong[query.name] = str(error)
    owner.execute("DEALLOCATE ALL")
    owner.rollback()
    assert not wrong, wrong


def makes_table(query: Query) -> bool:
    return bool(re.match(r"(?:CREATE|DROP|TRUNCATE|SET|LOCK|ANALYZE)\b", query.body, re.IGNORECASE))


def prepared(query: Query) -> str:
    """The body as PREPARE takes it. COPY it does not take: its table and columns are tried by a SELECT."""
    copy = re.match(r"COPY\s+(\w+)\s*\(([^)]*)\)\s*FROM", query.body, re.IGNORECASE)
    return f"SELECT {copy.group(2)} FROM {copy.group(1)}" if copy else numbered(query.body)


def test_bad_queries_are_seen(known: dict[str, Table]) -> None:
    def query(body: str) -> Query:
        return Query(PACKAGE / "components/content/sql/bad.sql", "bad", body)

    assert strayed(query("SELECT 1 FROM delivery_recipient WHERE account_id = :a"), known) == {"delivery_recipient"}
    assert not strayed(query("SELECT name FROM content_content WHERE account_id = :a"), known)
    assert accounts_missing(query("SELECT count(*) FROM event WHERE kind = 'account_id'"), known)
    assert accounts_missing(query("SELECT 1 FROM event e JOIN event_head h ON true WHERE e.account_id = :a"), known)
    assert wrong_for_distribution(query("UPDATE content_content SET updated_at = now()"))
    assert wrong_for_distribution(query("DELETE FROM t WHERE (account_id, seq) IN (SELECT account_id, seq FROM u)"))
    assert not wrong_for_distribution(query("SELECT 'now()' , (a, b) FROM t"))
    assert numbered("SELECT :a::int, ':b', :c, :a") == "SELECT $1::int, ':b', $2, $1"
