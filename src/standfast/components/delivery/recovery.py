"""After a crash: read the dead worker's journal, believe what it says, and call the rest by its name.

Every leased message is then delivered, not attempted (and due again at once), or uncertain: past its final dot without a
reply. Uncertain marketing mail is held, not sent again; a person may decide otherwise.
"""

from __future__ import annotations

import datetime as dt
import shutil
import time
from pathlib import Path

import psycopg
import structlog

from standfast.components.delivery import journal, leases, ledger
from standfast.components.delivery.journal import Found, Noted
from standfast.components.delivery.models import RecipientStatus
from standfast.components.delivery.queries import QUERIES
from standfast.components.delivery.routes import backoff_of
from standfast.platform import tenancy

log = structlog.get_logger()
LOST = "The worker ended between the final dot and the reply."
UNMOVED_SECONDS = 90.0
_watched: dict[int, tuple[dt.datetime, float]] = {}  # lease -> (its expires_at, since when it is that, monotonic)
LOST_MACHINE = "The worker's machine does not answer; its journal cannot be read here."


def recover(connection: psycopg.Connection, *, journals: Path, node: str) -> int:
    """Settle the leases of dead workers; returns how many. Safe to run in several processes at once, and to be killed."""
    settled = 0
    every = list(QUERIES.all_leases(connection))
    connection.commit()
    for lease_id in _watched.keys() - {row[1] for row in every}:
        _watched.pop(lease_id, None)
    for account_id, lease_id, send_id, lo, hi, seqs, where, name, expires_at in every:
        dead = journal.is_dead(journals, name)
        gone = dead is None and _is_given_up(lease_id, expires_at, is_foreign=where != node)
        if dead or gone:
            lease = leases.Lease(account_id, send_id, lease_id, lo, hi, seqs)
            try:
                settled += _settle(connection, lease, journals / name / f"{lease_id}.journal", gone=gone)
            except psycopg.OperationalError:
                raise
            except Exception:
                log.exception("a lease could not be recovered; the others are", send=send_id, lease=lease_id)
    _sweep(connection, journals)
    return settled


def _is_given_up(lease_id: int, expires_at: dt.datetime, *, is_foreign: bool) -> bool:
    """Whether nobody works on a lease whose journal is not here. The clock alone does not decide, as one that jumps an hour ahead
    would take leases from workers at work, and one that jumps back would leave them for an hour: who works moves `expires_at`
    every half minute, and we look whether it moves, by a clock that only goes forward."""
    grace = leases.FOREIGN_GRACE_SECONDS if is_foreign else 0
    now = time.monotonic()
    seen_at, seen_since = _watched.get(lease_id, (None, now))
    if seen_at != expires_at:
        seen_since = now
    _watched[lease_id] = (expires_at, seen_since)
    unmoved = now - seen_since
    is_over = leases.utc_now() > expires_at + dt.timedelta(seconds=grace)
    return unmoved > leases.LEASE_SECONDS + grace or (is_over and unmoved > UNMOVED_SECONDS)


def _settle(connection: psycopg.Connection, lease: leases.Lease, path: Path, *, gone: bool) -> int:
    with connection.transaction():
        tenancy.enter(connection, lease.account_id)
        if QUERIES.lock_lease(connection, account_id=lease.account_id, lease_id=lease.id) is None:
            return 0
        attempts = dict(leases.pending(connection, lease))
        found = journal.read(path) if not gone else Found()
        # The order of the lease at its start is not known after partial flushes; `mark` counts from its first message.
        ordered = sorted(set(attempts) | found.outcomes.keys() | found.dots)
        doubtful = set(attempts) if gone else found.may_have_left(ordered) & attempts.keys()
        now = leases.utc_now().timestamp()
        text = LOST_MACHINE if gone else LOST
        noted = [one for one in found.outcomes.values() if one.seq in attempts]
        noted += [
            Noted(seq, int(RecipientStatus.UNCERTAIN), 0, attempts[seq] + 1, now, text) for seq in sorted(doubtful)
        ]
        backoff = backoff_of(connection, account_id=lease.account_id, send_id=lease.send_id)
        settled = {one.seq for one in noted}
        ledger.record(connection, account_id=lease.account_id, send_id=lease.send_id, noted=noted, backoff=backoff)
        leases.give_back(connection, lease, [seq for seq in attempts if seq not in settled])
    log.info("lease recovered", account=lease.account_id, send=lease.send_id, outcomes=len(found.outcomes),
             uncertain=len(doubtful), returned=len(attempts) - len(settled))  # fmt: skip
    path.unlink(missing_ok=True)
    return 1


def _sweep(connection: psycopg.Connection, journals: Path) -> None:
    """Remove the directories of dead workers that hold no lease any more."""
    if not journals.exists():
        return
    held = {row[7] for row in QUERIES.all_leases(connection)}
    connection.commit()
    for directory in journals.iterdir():
        if (
            directory.is_dir()
            and directory.name not in held
            and not directory.name.startswith(".")
            and journal.is_dead(journals, directory.name)
        ):
            shutil.rmtree(directory, ignore_errors=True)
