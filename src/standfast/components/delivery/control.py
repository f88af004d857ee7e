"""Pause, resume, cancel, and the books of a send. Workers look at the state four times a second."""

from __future__ import annotations

import psycopg
from django.db import connection

from standfast.components.delivery import leases
from standfast.components.delivery.models import RecipientStatus, Send, SendState
from standfast.components.delivery.queries import QUERIES
from standfast.platform import tenancy

CANCEL_BATCH = 20_000


def set_state(*, account_id: int, send_id: int, state: SendState) -> bool:
    """Move a send between ready, paused and cancelled; False when it had ended already. In the account's scope."""
    cleared = {"problem": ""} if state == SendState.READY else {}
    changed = (
        Send.objects.filter(account_id=account_id, pk=send_id)
        .exclude(state__in=[SendState.FINISHED, SendState.CANCELLED])
        .update(state=state, **cleared)
    )
    return bool(changed)


def books(*, account_id: int, send_id: int) -> dict[str, int]:
    """Recipients by status name, from the ledger's rows. In the account's scope."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES.status_counts.sql, {"account_id": account_id, "send_id": send_id})
        counts = dict(cursor.fetchall())
    return {status.name.lower(): counts.get(status.value, 0) for status in RecipientStatus}


def resend_uncertain(*, account_id: int, send_id: int) -> int:
    """Send uncertain messages again, under their old Message-IDs: a person's decision. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            QUERIES.resend_uncertain.sql, {"account_id": account_id, "send_id": send_id, "now": leases.utc_now()}
        )
        count = len(cursor.fetchall())
    if count:
        Send.objects.filter(account_id=account_id, pk=send_id, state=SendState.FINISHED).update(
            state=SendState.READY, finished_at=None
        )
    return count


def finish_cancelled(worker: psycopg.Connection) -> int:
    """Cancel what cancelled sends still have open, and finish sends whose last lease ended without a look; returns rows changed."""
    found = worker.execute(
        "SELECT account_id, id FROM delivery_send WHERE state = 'cancelled' AND finished_at IS NULL"
    ).fetchall()
    ready = worker.execute(
        "SELECT account_id, id FROM delivery_send WHERE state = 'ready' AND next_seq > total"
    ).fetchall()
    worker.commit()
    changed = 0
    for account_id, send_id in found:
        changed += _cancel_rest(worker, account_id, send_id)
    for account_id, send_id in ready:
        with worker.transaction():
            tenancy.enter(worker, account_id)
            changed += QUERIES.finish_send(worker, account_id=account_id, send_id=send_id, now=leases.utc_now())
    return changed


def _cancel_rest(worker: psycopg.Connection, account_id: int, send_id: int) -> int:
    """Range after range, each committed: killed, another goes on with what is left."""
    changed, from_seq = 0, 1
    while True:
        with worker.transaction():
            tenancy.enter(worker, account_id)
            # Locked: one worker at a time is at it.
            mine = worker.execute(
                "SELECT total FROM delivery_send WHERE account_id = %s AND id = %s FOR UPDATE SKIP LOCKED",
                [account_id, send_id],
            ).fetchone()
            held = worker.execute(
                "SELECT EXISTS (SELECT FROM delivery_lease WHERE account_id = %s AND send_id = %s)",
                [account_id, send_id],
            ).fetchone()
            if mine is None or (held and held[0]):
                return changed  # its worker gives it back within a second
            changed += QUERIES.cancel_rest(
                worker, account_id=account_id, send_id=send_id, from_seq=from_seq, to_seq=from_seq + CANCEL_BATCH - 1,
                now=leases.utc_now(),
            )  # fmt: skip
            from_seq += CANCEL_BATCH
            if from_seq > mine[0]:
                worker.execute(
                    "UPDATE delivery_send SET finished_at = %s WHERE account_id = %s AND id = %s",
                    [leases.utc_now(), account_id, send_id],
                )
                return changed
