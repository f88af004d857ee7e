"""Delete a person: what the account holds of them goes; what happened stays as numbers that name nobody."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from standfast.components.audience.locking import lock_people
from standfast.platform import events


def delete_contact(*, account_id: int, contact_id: int, by_user_id: int | None = None) -> bool:
    """Erase a contact with subscriptions, summary and the personal data of their events; False where there is none.

    In the account's scope. An entry on do-not-mail stays: without it the next import would mail the person again. Recipient
    rows of sends keep their outcome; they belong to delivery.
    """
    with connection.cursor() as cursor:
        lock_people(cursor, account_id=account_id)
        who = [account_id, contact_id]
        cursor.execute("DELETE FROM audience_contact WHERE account_id = %s AND id = %s", who)
        if not cursor.rowcount:
            return False
        cursor.execute("DELETE FROM audience_subscription WHERE account_id = %s AND contact_id = %s", who)
        cursor.execute("DELETE FROM audience_contactsummary WHERE account_id = %s AND contact_id = %s", who)
        # address, browser, words of replies and what programs told; the kind, the link and the verdict name nobody
        cursor.execute(
            "UPDATE event SET data = data - ARRAY['ip', 'ua', 'text', 'email', 'detail', 'properties'] "
            "WHERE account_id = %s AND contact_id = %s "
            "AND data ?| ARRAY['ip', 'ua', 'text', 'email', 'detail', 'properties']",
            who,
        )
        told = events.Event(dt.datetime.now(dt.UTC), "contact_deleted", contact_id, data={"by": by_user_id})
        events.append(cursor, account_id=account_id, events=[told])
    return True
