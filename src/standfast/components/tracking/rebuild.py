"""Make the roll-ups again from the log, and tell where what stands differs.

The fold runs on temporary tables of the same names, which PostgreSQL finds before the real ones: what stands is read but not
touched until the differences are known. Meanwhile the account's consumer waits (its position is locked); everything else goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from standfast.components.tracking.consumers import COUNTERS, fold
from standfast.platform import config, postgres, tenancy

BATCH = 50_000
EXAMPLES_MAX = 5
# table -> its key without the account
KEYS = {
    "tracking_response": ("send_id", "seq"),
    "tracking_sendcounter": ("send_id", "name"),
    "tracking_sendhour": ("send_id", "name", "hour_at"),
    "tracking_linkcounter": ("send_id", "link"),
    "tracking_linkcontact": ("send_id", "link", "seq"),
}
_ZEROS = {"tracking_sendcounter": "value <> 0", "tracking_sendhour": "value <> 0"}


@dataclass(frozen=True)
class Difference:
    """`wrong` rows of a table stand with other values than the log gives, `missing` do not stand, `extra` should not."""

    table: str
    wrong: int
    missing: int
    extra: int
    examples: list[str] = field(default_factory=list)


def rebuild(connection: psycopg.Connection, *, account_id: int, apply: bool = False) -> list[Difference]:
    """Compare the account's roll-ups with its log as far as the consumer has read; with `apply` put them right.

    The connection must be the loader's. One transaction; without differences, or without `apply`, nothing is changed.
    """
    with connection.transaction(force_rollback=not apply), connection.cursor() as cursor:
        tenancy.enter(cursor, account_id)
        upto = _lock(cursor, account_id)
        for table in KEYS:
            cursor.execute(
                f"CREATE TEMP TABLE {table} (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES) ON COMMIT DROP"
            )
        for after in range(0, upto, BATCH):
            fold(cursor, account_id, after, min(after + BATCH, upto))
            if after == 0:
                cursor.execute("ANALYZE tracking_response, tracking_linkcontact")
        found = [one for table in KEYS if (one := _compare(cursor, account_id, table))]
        if apply:
            for difference in found:
                _replace(cursor, account_id, difference.table)
        for table in KEYS:
            cursor.execute(f"DROP TABLE pg_temp.{table}")
    return found


def _lock(cursor: Any, account_id: int) -> int:
    cursor.execute(
        "SELECT position FROM event_cursor WHERE account_id = %s AND consumer = %s FOR UPDATE",
        [account_id, COUNTERS.name],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _compare(cursor: Any, account_id: int, table: str) -> Difference | None:
    """Rows of the one kind against the other by key; a counter of zero is the same as none."""
    key = sql.SQL(", ").join(map(sql.Identifier, KEYS[table]))
    condition = sql.SQL(_ZEROS.get(table, "true"))
    query = sql.SQL(
        "SELECT {key}, s.whole AS stands, f.whole AS folded FROM "
        "(SELECT {key}, to_jsonb(x) AS whole FROM public.{table} x WHERE account_id = %(account_id)s AND {condition}) s "
        "FULL JOIN (SELECT {key}, to_jsonb(x) AS whole FROM pg_temp.{table} x WHERE account_id = %(account_id)s AND {condition}) f "
        "USING ({key}) WHERE s.whole IS DISTINCT FROM f.whole"
    ).format(key=key, table=sql.Identifier(table), condition=condition)
    counted = sql.SQL(
        "SELECT count(*) FILTER (WHERE stands IS NOT NULL AND folded IS NOT NULL), count(*) FILTER (WHERE stands IS NULL), "
        "count(*) FILTER (WHERE folded IS NULL) FROM ({}) d"
    ).format(query)
    cursor.execute(counted, {"account_id": account_id})
    wrong, missing, extra = cursor.fetchone()
    if not wrong + missing + extra:
        return None
    cursor.execute(
        query + sql.SQL(" ORDER BY {} LIMIT %(limit)s").format(key), {"account_id": account_id, "limit": EXAMPLES_MAX}
    )
    examples = [_told(KEYS[table], row) for row in cursor.fetchall()]
    return Difference(table, wrong, missing, extra, examples)


def _told(key: tuple[str, ...], row: tuple[Any, ...]) -> str:
    """`send_id=1 name=opens: value stands 5, folded 4`"""
    where = " ".join(f"{name}={value}" for name, value in zip(key, row, strict=False))
    stands, folded = row[-2:]
    if stands is None or folded is None:
        return f"{where}: {'missing' if stands is None else 'should not be there'}"
    changes = [
        f"{name} stands {stands[name]}, folded {folded[name]}" for name in folded if stands.get(name) != folded[name]
    ]
    return f"{where}: {'; '.join(changes)}"


def _replace(cursor: Any, account_id: int, table: str) -> None:
    """Columns by name: a column added later stands at another place in a table made by LIKE of an older one."""
    cursor.execute(f"DELETE FROM public.{table} WHERE account_id = %s", [account_id])  # noqa: S608 - our constants
    cursor.execute(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [f"public.{table}"],
    )
    columns = cursor.fetchone()[0]
    cursor.execute(f"INSERT INTO public.{table} ({columns}) SELECT {columns} FROM pg_temp.{table}")  # noqa: S608 - our own names


def command(*, account_id: int | None, apply: bool) -> int:
    """`standfast rebuild`: one account or all; prints the differences. Exit status 1 while there are any."""
    different = False
    with psycopg.connect(postgres.dsn(config.load(), "loader")) as connection:
        for each in [account_id] if account_id else _accounts(connection):
            found = rebuild(connection, account_id=each, apply=apply)
            different |= bool(found)
            print(
                f"account {each}: "
                + ("roll-ups equal the log" if not found else "roll-ups put right" if apply else "differs")
            )
            for one in found:
                print(f"  {one.table}: {one.wrong} wrong, {one.missing} missing, {one.extra} too many")
                for example in one.examples:
                    print(f"    {example}")
    if different and not apply:
        print("Nothing was changed. Run again with --apply to put the roll-ups right.")
    return 1 if different and not apply else 0


def _accounts(connection: psycopg.Connection) -> list[int]:
    rows = connection.execute("SELECT account_id FROM event_head ORDER BY account_id").fetchall()
    connection.commit()
    return [int(row[0]) for row in rows]
