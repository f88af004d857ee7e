"""One writer of an account's people at a time: sets that touch the same rows in different orders would deadlock."""

from typing import Any

_SPACE = 0x5045  # the first key of PostgreSQL's two-key advisory locks; no other lock uses it


def lock_people(cursor: Any, *, account_id: int) -> None:
    """Wait for, and hold to the end of the transaction, the right to change the account's people in sets."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_SPACE, account_id % 2**31])
