"""Run an import: batches of rows, each committed with its counts, so that a killed import goes on where it was.

A check is the same run with nothing written but its counts and the file of refused rows.
"""

from __future__ import annotations

import datetime as dt
import errno
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from standfast.components.audience.csv_file import FileProblem
from standfast.components.audience.import_rows import columns_of
from standfast.components.audience.landing import Choices, fill_lines, land, taken_uids
from standfast.components.audience.locking import lock_people
from standfast.components.audience.queries import QUERIES
from standfast.components.audience.reading_ahead import ReaderDied, read_ahead
from standfast.components.audience.rejects import Rejects
from standfast.components.audience.row_batches import BATCH_ROWS, Batch
from standfast.components.audience.statistics import learn_people
from standfast.platform import events, tenancy

log = structlog.get_logger("import")
REASONS_MAX = 200
TAGS_MAX = 2_000
TAKEN_UID = "the number (UID) belongs to somebody else"
TOO_MANY_TAGS = f"more than {TAGS_MAX:,} different tags in the account"
Refusal = tuple[int, str, list[str]]
"""Line of the file, reason, cells."""


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk has no room: the import waits for it."""


LIST_GONE = "The list was deleted meanwhile. What was imported until then stays; trying again goes on without a list."


class Stopped(Exception):
    """Somebody cancelled the import, or another worker has taken it over."""


def run_import(connection: psycopg.Connection, *, account_id: int, import_id: int, dry: bool = False) -> None:
    """Run or go on with an import to its end; a check (`dry`) always begins anew.

    `connection` is of the loader's role and outside a transaction. A problem of the file, or an error of our own, ends the import
    as failed, with the sentence in its row; what was imported until then stays, and it can go on from there. Ends quietly when
    the import was cancelled or does not exist. Raises what passes (psycopg.OperationalError, OSError for a full disk, ReaderDied):
    then it is still running, and is to be run again.
    """
    connection.prepare_threshold = None  # see _plan_for_any_account
    job = _claim(connection, account_id, import_id, dry)
    if job is None:
        return
    try:
        _run(connection, job, dry)
    except (FileProblem, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        log.warning("import failed", account=account_id, id=import_id, error=str(error))
        _end(connection, job, "failed", str(error))
    except (psycopg.OperationalError, ReaderDied):
        raise  # the database went away, a deadlock, no memory: the job is run again and goes on
    except psycopg.Error as error:
        _end(connection, job, "failed", f"The database refused a row: {error}. What was imported until then stays.")
        raise
    except Stopped:
        log.info("import stopped", account=account_id, id=import_id)
    except Exception as error:  # nobody would end it otherwise
        _end(
            connection,
            job,
            "failed",
            f"An error of ours: {type(error).__name__}: {error}. Trying again goes on from there.",
        )
        raise


def give_up(connection: psycopg.Connection, *, account_id: int, import_id: int, problem: str) -> None:
    """End an import that is still running, as failed with the reason."""
    for state in ("running", "checking"):
        _end(connection, {"account_id": account_id, "id": import_id, "state": state}, "failed", problem)


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
    rejects = Rejects(Path(job["rejects_path"]), header=job["header"], keep_bytes=job["rejects_bytes"])
    try:
        with connection.transaction():
            connection.execute(QUERIES.forget_seen.sql)
        with read_ahead(_order(connection, job)) as batches:
            done = _skip(connection, batches, job) if job["rows_done"] else 0
            for batch in batches:
                done += _commit(connection, job, batch, rejects, done, dry=dry)
    finally:
        rejects.close()
    if not dry:
        _learn(connection, job)
    _end(connection, job, "checked" if dry else "done", "")


def _learn(connection: psycopg.Connection, job: dict[str, Any]) -> None:
    """Before people look at what was imported, or send to it."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT created_count + updated_count + unchanged_count FROM audience_import WHERE account_id = %s AND id = %s",
            [job["account_id"], job["id"]],
        )
        (people,) = cursor.fetchone() or (0,)
        learn_people(cursor, account_id=job["account_id"], people_at_least=people)


def _order(connection: psycopg.Connection, job: dict[str, Any]) -> dict[str, Any]:
    """What the process that reads the file is told."""
    with connection.transaction():
        found = connection.execute(
            "SELECT key, field_type, label FROM audience_customfield WHERE account_id = %s", [job["account_id"]]
        ).fetchall()
    return {
        "path": job["path"], "encoding": job["encoding"], "delimiter": job["delimiter"], "mapping": job["mapping"],
        "width": len(job["header"]), "types": {key: (kind, label) for key, kind, label in found},
        "day_first": bool(job["options"].get("day_first")), "size": BATCH_ROWS, "ours": bool(job["options"].get("ours")),
        "keep_source": not {"uid", "tags"}.isdisjoint(job["mapping"].values()),
    }  # fmt: skip


def _skip(connection: psycopg.Connection, batches: Iterator[Batch], job: dict[str, Any]) -> int:
    """Pass over what a run before this one committed, and remember whom it met."""
    done = 0
    for batch in batches:
        with connection.transaction(), connection.cursor() as cursor:
            fill_lines(cursor, columns_of(job["mapping"]), batch.lines)
            cursor.execute(QUERIES.note_skipped.sql)
        done += batch.records
        if done >= job["rows_done"]:
            break
    if done != job["rows_done"]:
        raise FileProblem("The uploaded file has changed since the import began. Upload it again.")
    return done


def _commit(
    connection: psycopg.Connection, job: dict[str, Any], batch: Batch, rejects: Rejects, done: int, *, dry: bool
) -> int:
    """One batch, its counts and its events, in one transaction; returns how many rows that were."""
    account_id, options = job["account_id"], job["options"]
    choices = Choices(job["started_at"], options.get("create_new", True), options.get("update_known", True), dry)
    with connection.transaction(), connection.cursor() as cursor:
        tenancy.enter(cursor, account_id)
        _plan_for_any_account(cursor)
        lock_people(
            cursor, account_id=account_id
        )  # first: whoever deletes the list holds it and then changes the import
        _still_ours(cursor, job, done)
        fill_lines(cursor, columns_of(job["mapping"]), batch.lines)
        refused = list(batch.rejects) + _resolve_tags(cursor, account_id, batch, options, dry)
        if "uid" in job["mapping"].values():
            refused += [_refusal(batch, n, TAKEN_UID) for n in taken_uids(cursor, account_id=account_id)]
        known = land(cursor, account_id=account_id, choices=choices)
        if known:
            cursor.execute(QUERIES.note_ours.sql)
        if known or dry or not choices.create_new:
            cursor.execute(QUERIES.note_seen.sql, {"dry": dry})
        counts = _count(cursor, job, choices)
        refused.sort(key=lambda reject: reject[0])
        counts["duplicate_count"] += batch.duplicates
        counts["rejected_count"] = len(refused)
        counts["rejects_bytes"] = rejects.write(refused) - job["rejects_bytes"]
        job["rejects_bytes"] = rejects.length
        _save(cursor, job, batch, counts, Counter(reason for _, reason, _ in refused))
        if not dry:
            _tell(cursor, job)
    return batch.records


def _plan_for_any_account(cursor: Any) -> None:
    """Plan each statement anew (nothing is prepared, as the tables grow), but for an account of average size: the statistics do
    not know an account that is only now filled, and a plan for "no rows" reads all of them at every look-up."""
    cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    cursor.execute("SET LOCAL random_page_cost = 1.1")


def _refusal(batch: Batch, n: int, reason: str) -> Refusal:
    line, cells = batch.source[str(n)]
    return line, reason, cells


def _fills_list(job: dict[str, Any]) -> bool:
    return bool(job["target_list_id"] and job["options"].get("subscribe", True))


def _tell(cursor: Any, job: dict[str, Any]) -> None:
    """An event for each person who is new or changed, last thing before the commit."""
    account_id, new = job["account_id"], job["new"]
    if not new and not job["changed"]:
        return
    last = events.take_positions(cursor, account_id=account_id, count=new + job["changed"])
    how = {"account_id": account_id, "at": dt.datetime.now(dt.UTC), "import_id": job["id"], "last": last}
    if new:
        created = {"import": job["id"], "change": "created"}
        if _fills_list(job):
            created["list"] = job["target_list_id"]
        before = last - job["changed"] - new
        cursor.execute(QUERIES.log_new.sql, {**how, "before": before, "created": Jsonb(created)})
    if job["changed"]:
        cursor.execute(QUERIES.log_known.sql, how)


def _still_ours(cursor: Any, job: dict[str, Any], done: int) -> None:
    cursor.execute(
        "SELECT state, rows_done, target_list_id FROM audience_import WHERE account_id = %s AND id = %s FOR UPDATE",
        [job["account_id"], job["id"]],
    )
    state, rows_done, list_id = cursor.fetchone() or ("", 0, None)
    if (state, rows_done) != (job["state"], done):
        raise Stopped
    if list_id != job["target_list_id"]:
        raise FileProblem(LIST_GONE)


def _resolve_tags(cursor: Any, account_id: int, batch: Batch, options: dict[str, Any], dry: bool) -> list[Refusal]:
    """Numbers of the batch's tags to ids, made where they are new; the options' tags go to everybody."""
    always = [int(tag) for tag in options.get("tag_ids", ())]
    ids = _tag_ids(cursor, account_id, batch.tags, dry) if batch.tags else {}
    missing = [number for number, name in enumerate(batch.tags, 1) if name not in ids]
    refused = []
    if missing:
        cursor.execute("DELETE FROM audience_incoming WHERE tag_ids && %s::bigint[] RETURNING n", [missing])
        refused = [_refusal(batch, row[0], TOO_MANY_TAGS) for row in cursor.fetchall()]
    if always or batch.tags:
        cursor.execute(QUERIES.resolve_tags.sql, {"always": always, "ids": [ids.get(name) for name in batch.tags]})
    return refused


def _tag_ids(cursor: Any, account_id: int, names: list[str], dry: bool) -> dict[str, int]:
    cursor.execute("SELECT name, id FROM audience_tag WHERE account_id = %s", [account_id])
    ids = dict(cursor.fetchall())
    new = sorted(set(names) - ids.keys())[: max(0, TAGS_MAX - len(ids))]
    if dry:
        return ids | {name: -number for number, name in enumerate(new, 1)}
    if new:
        cursor.execute(
            "INSERT INTO audience_tag (account_id, name, created_at) SELECT %s, unnest(%s::text[]), %s RETURNING name, id",
            [account_id, new, dt.datetime.now(dt.UTC)],
        )
        ids |= dict(cursor.fetchall())
    return ids


def _count(cursor: Any, job: dict[str, Any], choices: Choices) -> Counter[str]:
    """Put people on the list and count what became of the rows; notes how many are new and changed, for their events."""
    counts: Counter[str] = Counter()
    account_id = job["account_id"]
    if _fills_list(job):
        how = {"account_id": account_id, "list_id": job["target_list_id"], "stamp": choices.stamp}
        if not choices.dry:
            cursor.execute(QUERIES.join_new.sql, how)
        again = {"dry": choices.dry, "resubscribe": bool(job["options"].get("resubscribe"))}
        cursor.execute(QUERIES.join_known.sql, {**how, **again})
        counts["subscribed_count"], counts["kept_unsubscribed_count"] = cursor.fetchone()
    cursor.execute(QUERIES.count_do_not_mail.sql, {"account_id": account_id})
    counts["do_not_mail_count"] = cursor.fetchone()[0]
    cursor.execute(QUERIES.count_landed.sql)
    job["new"] = job["changed"] = 0
    for outcome, people, again, told in cursor.fetchall():
        counts[f"{outcome}_count"] += people
        counts["duplicate_count"] += again
        if outcome == "created":
            job["new"] = told
            counts["subscribed_count"] += people if _fills_list(job) else 0
        else:
            job["changed"] += told
    return counts


def _save(cursor: Any, job: dict[str, Any], batch: Batch, counts: Counter[str], reasons: Counter[str]) -> None:
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
