"""Run an import: batches of rows, each committed with its counts, so that a killed import goes on where it was.

A check is the same run with nothing written but its counts and the file of refused rows.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from standfast.components.audience.csv_file import FileProblem, detect
from standfast.components.audience.csv_rows import BadRow, CsvRows
from standfast.components.audience.import_rows import Convert, make_convert
from standfast.components.audience.landing import Choices, fill, land, taken_uids
from standfast.components.audience.locking import lock_people
from standfast.components.audience.queries import QUERIES
from standfast.components.audience.reading_ahead import read_ahead
from standfast.components.audience.rejects import Rejects
from standfast.platform import events, tenancy

log = structlog.get_logger("import")
BATCH_ROWS = 10_000
REASONS_MAX = 200
TAGS_MAX = 2_000
TAKEN_UID = "the number (UID) belongs to somebody else"
TOO_MANY_TAGS = f"more than {TAGS_MAX:,} different tags in the account"


class Stopped(Exception):
    """Somebody cancelled the import, or another worker has taken it over."""


@dataclass
class _Batch:
    """Some rows of the file: `rows` by address in IncomingRow's order, `cells` of each for the file of refused rows."""

    records: int = 0
    bytes_done: int = 0
    rows: dict[str, list[Any]] = field(default_factory=dict)
    source: dict[int, tuple[int, list[str]]] = field(default_factory=dict)
    duplicates: int = 0
    rejects: list[tuple[int, str, list[str]]] = field(default_factory=list)


def run_import(connection: psycopg.Connection, *, account_id: int, import_id: int, dry: bool = False) -> None:
    """Run or go on with an import to its end; a check (`dry`) always begins anew.

    `connection` is of the loader's role and outside a transaction. A problem of the file ends the import as failed, with the
    sentence in its row; what was imported until then stays. Ends quietly when the import was cancelled or does not exist.
    """
    job = _claim(connection, account_id, import_id, dry)
    if job is None:
        return
    try:
        _run(connection, job, dry)
    except (FileProblem, ValueError, OSError) as error:
        log.warning("import failed", account=account_id, id=import_id, error=str(error))
        _end(connection, job, "failed", str(error))
    except psycopg.OperationalError:
        raise  # the database went away, or a deadlock: the job is run again and goes on
    except psycopg.Error as error:
        _end(connection, job, "failed", f"The database refused a row: {error}. What was imported until then stays.")
        raise
    except Stopped:
        log.info("import stopped", account=account_id, id=import_id)


def _claim(connection: psycopg.Connection, account_id: int, import_id: int, dry: bool) -> dict[str, Any] | None:
    ready = ("waiting", "checking") if dry else ("waiting", "running")
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        tenancy.enter(cursor, account_id)
        cursor.execute(
            "UPDATE audience_import SET state = %s, started_at = coalesce(started_at, %s) "
            "WHERE account_id = %s AND id = %s AND state = ANY(%s) RETURNING *",
            ["checking" if dry else "running", dt.datetime.now(dt.UTC), account_id, import_id, list(ready)],
        )
        job = cursor.fetchone()
        if job and dry:
            cursor.execute(
                "UPDATE audience_import SET rows_done = 0, bytes_done = 0, created_count = 0, updated_count = 0, "
                "subscribed_count = 0, duplicate_count = 0, rejected_count = 0, unchanged_count = 0, left_out_count = 0, "
                "kept_unsubscribed_count = 0, do_not_mail_count = 0, rejects_bytes = 0, reasons = '{}' "
                "WHERE account_id = %s AND id = %s RETURNING *",
                [account_id, import_id],
            )
            job = cursor.fetchone()
        return job


def _run(connection: psycopg.Connection, job: dict[str, Any], dry: bool) -> None:
    path = Path(job["path"])
    if not path.exists():
        raise FileProblem("The uploaded file is gone. Upload it again.")
    rows = CsvRows(path, detect(path)._replace(encoding=job["encoding"]), job["delimiter"])
    rejects = Rejects(Path(job["rejects_path"]), header=job["header"], keep_bytes=job["rejects_bytes"])
    try:
        with connection.transaction():
            connection.execute(QUERIES.forget_seen.sql)
        batches = _batches(rows, _converter(connection, job))
        with read_ahead(batches) as ahead:
            done = _skip(connection, ahead, job) if job["rows_done"] else 0
            for batch in ahead:
                done += _commit(connection, job, batch, rejects, done, dry=dry)
    finally:
        rejects.close()
        rows.close()
    _end(connection, job, "checked" if dry else "done", "")


def _converter(connection: psycopg.Connection, job: dict[str, Any]) -> Convert:
    with connection.transaction():
        found = connection.execute(
            "SELECT key, field_type, label FROM audience_customfield WHERE account_id = %s", [job["account_id"]]
        ).fetchall()
    types = {key: (kind, label) for key, kind, label in found}
    return make_convert(
        mapping=job["mapping"], width=len(job["header"]), types=types, day_first=bool(job["options"].get("day_first"))
    )


def _batches(rows: CsvRows, convert: Convert) -> Iterator[_Batch]:
    """The file after its header, in batches of the same rows at every run."""
    records = iter(rows)
    next(records, None)
    while True:
        batch = _Batch()
        landing, source = batch.rows, batch.source
        n = -1
        for n, record in enumerate(itertools.islice(records, BATCH_ROWS)):
            if isinstance(record, BadRow):
                batch.rejects.append((record.line, record.reason, record.cells))
                continue
            try:
                row = convert(n, record[1])
            except ValueError as error:
                batch.rejects.append((record[0], str(error), record[1]))
                continue
            landing.pop(row[2], None)  # the last row wins
            landing[row[2]] = row
            source[n] = record
        if n < 0:
            return
        batch.records = n + 1
        batch.bytes_done = rows.bytes_done
        batch.duplicates = batch.records - len(landing) - len(batch.rejects)
        yield batch


def _skip(connection: psycopg.Connection, batches: Iterator[_Batch], job: dict[str, Any]) -> int:
    """Pass over what a run before this one committed, and remember whom it met."""
    done = 0
    for batch in batches:
        with connection.transaction(), connection.cursor() as cursor:
            fill(cursor, ([*row[:10], None] for row in batch.rows.values()))
            cursor.execute(QUERIES.note_seen.sql)
        done += batch.records
        if done >= job["rows_done"]:
            break
    if done != job["rows_done"]:
        raise FileProblem("The uploaded file has changed since the import began. Upload it again.")
    return done


def _commit(
    connection: psycopg.Connection, job: dict[str, Any], batch: _Batch, rejects: Rejects, done: int, *, dry: bool
) -> int:
    """One batch, its counts and its events, in one transaction; returns how many rows that were."""
    account_id, options = job["account_id"], job["options"]
    stamp = job["started_at"]
    with connection.transaction(), connection.cursor() as cursor:
        tenancy.enter(cursor, account_id)
        cursor.execute("SET LOCAL random_page_cost = 1.1")
        _still_ours(cursor, job, done)
        lock_people(cursor, account_id=account_id)
        refused = list(batch.rejects) + _resolve_tags(cursor, account_id, batch, options, dry)
        fill(cursor, batch.rows.values())
        if "uid" in job["mapping"].values():
            taken = taken_uids(cursor, account_id=account_id)
            refused += [(batch.source[n][0], TAKEN_UID, batch.source[n][1]) for n in taken]
        choices = Choices(stamp, options.get("create_new", True), options.get("update_known", True), dry)
        land(cursor, account_id=account_id, choices=choices)
        cursor.execute(QUERIES.note_seen.sql)
        counts = _subscribe(cursor, job, choices)
        logged = _count(cursor, account_id, counts)
        refused.sort(key=lambda reject: reject[0])
        counts["duplicate_count"] += batch.duplicates
        counts["rejected_count"] = len(refused)
        counts["rejects_bytes"] = rejects.write(refused) - job["rejects_bytes"]
        job["rejects_bytes"] = rejects.length
        _save(cursor, job, batch, counts, Counter(reason for _, reason, _ in refused))
        if logged and not dry:
            last = events.take_positions(cursor, account_id=account_id, count=logged)
            _tell(cursor, job, last)
    return batch.records


def _tell(cursor: Any, job: dict[str, Any], last: int) -> None:
    created = {"import": job["id"], "change": "created"}
    if job["target_list_id"] and job["options"].get("subscribe", True):
        created["list"] = job["target_list_id"]
    cursor.execute(
        QUERIES.log_landed.sql,
        {"account_id": job["account_id"], "last": last, "at": dt.datetime.now(dt.UTC), "import_id": job["id"],
         "created": Jsonb(created)},
    )  # fmt: skip


def _still_ours(cursor: Any, job: dict[str, Any], done: int) -> None:
    cursor.execute(
        "SELECT state, rows_done FROM audience_import WHERE account_id = %s AND id = %s FOR UPDATE",
        [job["account_id"], job["id"]],
    )
    if cursor.fetchone() != (job["state"], done):
        raise Stopped


def _resolve_tags(
    cursor: Any, account_id: int, batch: _Batch, options: dict[str, Any], dry: bool
) -> list[tuple[int, str, list[str]]]:
    """Names of tags to an array of their ids, made where they are new; the options' tags go to everybody."""
    always = [int(tag) for tag in options.get("tag_ids", ())]
    named = {name for row in batch.rows.values() for name in row[10] or ()}
    if not named:
        for row in batch.rows.values():
            row[10] = _array(always) if always else None
        return []
    cursor.execute("SELECT name, id FROM audience_tag WHERE account_id = %s", [account_id])
    ids = dict(cursor.fetchall())
    new = sorted(named - ids.keys())[: max(0, TAGS_MAX - len(ids))]
    if dry:
        ids |= {name: -number for number, name in enumerate(new, 1)}
    elif new:
        cursor.execute(
            "INSERT INTO audience_tag (account_id, name, created_at) SELECT %s, unnest(%s::text[]), %s RETURNING name, id",
            [account_id, new, dt.datetime.now(dt.UTC)],
        )
        ids |= dict(cursor.fetchall())
    refused = []
    for key, row in list(batch.rows.items()):
        if any(name not in ids for name in row[10] or ()):
            refused.append((batch.source[row[0]][0], TOO_MANY_TAGS, batch.source[row[0]][1]))
            del batch.rows[key]
            continue
        chosen = sorted({*always, *(ids[name] for name in row[10] or ())})
        row[10] = _array(chosen) if chosen else None
    return refused


def _array(ids: list[int]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"


def _subscribe(cursor: Any, job: dict[str, Any], choices: Choices) -> Counter[str]:
    counts: Counter[str] = Counter()
    if job["target_list_id"] and job["options"].get("subscribe", True):
        cursor.execute(
            QUERIES.join_list.sql,
            {"account_id": job["account_id"], "list_id": job["target_list_id"], "stamp": choices.stamp, "dry": choices.dry,
             "resubscribe": bool(job["options"].get("resubscribe"))},
        )  # fmt: skip
        counts["subscribed_count"], counts["kept_unsubscribed_count"] = cursor.fetchone()
    cursor.execute(QUERIES.count_do_not_mail.sql, {"account_id": job["account_id"]})
    counts["do_not_mail_count"] = cursor.fetchone()[0]
    return counts


def _count(cursor: Any, account_id: int, counts: Counter[str]) -> int:
    """Add what became of the rows; returns how many people changed and get an event."""
    cursor.execute(QUERIES.count_landed.sql)
    changed = 0
    for outcome, people, again, told in cursor.fetchall():
        counts[f"{outcome}_count"] += people
        counts["duplicate_count"] += again
        changed += told
    return changed


def _save(cursor: Any, job: dict[str, Any], batch: _Batch, counts: Counter[str], reasons: Counter[str]) -> None:
    known: dict[str, int] = job["reasons"]
    for reason, number in reasons.items():
        name = reason if reason in known or len(known) < REASONS_MAX else "other reasons (see the file)"
        known[name] = known.get(name, 0) + number
    raised = ", ".join(f"{column} = {column} + %s" for column in counts)
    cursor.execute(
        f"UPDATE audience_import SET {raised}, rows_done = rows_done + %s, bytes_done = %s, reasons = %s "  # noqa: S608 - our names
        "WHERE account_id = %s AND id = %s",
        [*counts.values(), batch.records, batch.bytes_done, Jsonb(known), job["account_id"], job["id"]],
    )


def _end(connection: psycopg.Connection, job: dict[str, Any], state: str, problem: str) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        tenancy.enter(cursor, job["account_id"])
        cursor.execute(
            "UPDATE audience_import SET state = %s, problem = %s, finished_at = %s, "
            "bytes_done = CASE WHEN %s THEN size_bytes ELSE bytes_done END WHERE account_id = %s AND id = %s AND state = %s",
            [state, problem[:2000], dt.datetime.now(dt.UTC), not problem, job["account_id"], job["id"], job["state"]],
        )
