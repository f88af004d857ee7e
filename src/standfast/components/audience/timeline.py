"""What happened to a person, newest first, read from the event log by its (account, contact) index."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import connection

from standfast.components.audience.models import DoNotMailReason
from standfast.components.audience.preferences import REASON

# kind -> what it says, icon, colour
_SHOWN: dict[str, tuple[str, str, str]] = {
    "delivered": ("Delivered", "mail-check", "green"),
    "deferred": ("Put off by the other side", "clock-pause", "amber"),
    "bounced": ("Bounced", "mail-x", "red"),
    "uncertain": ("Outcome unknown", "mail-question", "amber"),
    "failed": ("Failed", "mail-x", "red"),
    "skipped": ("Skipped", "mail-cancel", "grey"),
    "opened": ("Opened", "mail-opened", "blue"),
    "clicked": ("Clicked", "hand-click", "violet"),
    "unsubscribed": ("Unsubscribed", "user-minus", "amber"),
    "resubscribed": ("Took the unsubscription back", "user-check", "green"),
    "complained": ("Complained about spam", "flag", "red"),
    "subscribed": ("Subscribed", "user-plus", "green"),
    "contact_created": ("Added", "user-plus", "accent"),
    "contact_updated": ("Changed", "user-edit", "grey"),
    "contact_imported": ("Imported", "file-import", "accent"),
    "do_not_mail_added": ("Put on do-not-mail", "mail-off", "red"),
    "removed_from_list": ("Removed from a list", "user-minus", "grey"),
    "brand_do_not_mail_added": ("Wants no mail of a brand", "mail-off", "red"),
    "brand_do_not_mail_removed": ("Takes mail of a brand again", "mail-plus", "green"),
    "do_not_mail_removed": ("Taken off do-not-mail", "mail-plus", "green"),
    "order_placed": ("Ordered", "receipt", "green"),
    "order_updated": ("Changed an order", "receipt", "grey"),
    "order_deleted": ("Order deleted", "receipt", "grey"),
}
_UNKNOWN = ("", "point", "grey")


class TimelineItem(NamedTuple):
    """One event; `position` is the place to go on from."""

    position: int
    at: dt.datetime
    kind: str
    title: str
    detail: str
    icon: str
    colour: str
    send_id: int | None
    data: Mapping[str, Any]


def contact_timeline(
    *, account_id: int, contact_id: int, limit: int = 50, before: int | None = None
) -> list[TimelineItem]:
    """Up to `limit` (at most 500) events of a contact with positions below `before`, newest first; in the account's scope."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT position, at, kind, send_id, data FROM event "
            "WHERE account_id = %s AND contact_id = %s AND position < %s ORDER BY position DESC LIMIT %s",
            [account_id, contact_id, before or 2**62, max(1, min(limit, 500))],
        )
        rows = cursor.fetchall()
    return [_item(*row) for row in rows]


def message_timeline(
    *, account_id: int, contact_id: int, send_id: int, seq: int, since: dt.datetime, limit: int = 200
) -> list[TimelineItem]:
    """What became of one message, oldest first, at most `limit` (at most 500) events; nothing of it is older than `since`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT position, at, kind, send_id, data FROM event WHERE account_id = %s AND contact_id = %s AND at >= %s "
            "AND send_id = %s AND seq = %s ORDER BY position LIMIT %s",
            [account_id, contact_id, since, send_id, seq, max(1, min(limit, 500))],
        )
        rows = cursor.fetchall()
    return [_item(*row) for row in rows]


def _item(position: int, at: dt.datetime, kind: str, send_id: int | None, raw: Any) -> TimelineItem:
    data: Mapping[str, Any] = json.loads(raw) if isinstance(raw, str) else raw or {}
    title, icon, colour = _SHOWN.get(kind, (kind.removeprefix("custom_").replace("_", " ").capitalize(), *_UNKNOWN[1:]))
    if data.get("verdict") == "machine":
        title, colour = f"{title} by a machine", "grey"
    return TimelineItem(position, at, kind, title, _detail(kind, data), icon, colour, send_id, data)


def _detail(kind: str, data: Mapping[str, Any]) -> str:
    match kind:
        case "clicked":
            return str(data.get("url", ""))
        case "bounced" | "deferred" | "failed" | "skipped":
            return str(data.get("text") or data.get("reason") or data.get("class") or "")
        case "order_placed" | "order_updated" | "order_deleted":
            number, total = data.get("original_order_id", ""), data.get("total")
            return f"{number}: {total:,.2f}" if isinstance(total, int | float) and number else str(number)
        case "do_not_mail_added":
            reason = str(data.get("reason", ""))
            known = reason in DoNotMailReason.values
            return str(DoNotMailReason(reason).label) if known else reason
        case "contact_updated" | "subscribed" | "unsubscribed" if REASON in (data.get("way"), data.get("reason")):
            return "by the person, on the preferences page"
        case "opened" if data.get("verdict") == "machine":
            return str(data.get("reason", ""))
    return ""
