"""One writer of an account's people at a time: sets that touch the same rows in different orders would deadlock."""

from typing import Any


def lock_people(cursor: Any, *, account_id: int) -> None:
    """Wait for, and hold to the end of the transaction, the right to change the account's people in sets.

    A row and not an advisory lock: it holds on whichever node the account's rows are.
    """
    cursor.execute(
        "INSERT INTO audience_writer AS w (account_id) VALUES (%s) "
        "ON CONFLICT (account_id) DO UPDATE SET account_id = w.account_id",
        [account_id],
    )
