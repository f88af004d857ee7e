"""The types of webhook events: what the log calls a thing, and what programs are told it is."""

from __future__ import annotations

TYPES = {
    "delivered": "message.delivered",
    "deferred": "message.deferred",
    "bounced": "message.bounced",
    "uncertain": "message.uncertain",
    "failed": "message.failed",
    "skipped": "message.skipped",
    "opened": "message.opened",
    "clicked": "message.clicked",
    "unsubscribed": "contact.unsubscribed",
    "complained": "contact.complained",
    "subscribed": "contact.subscribed",
    "resubscribed": "contact.resubscribed",
    "contact_created": "contact.created",
    "contact_updated": "contact.updated",
    "contact_imported": "contact.imported",
    "contact_deleted": "contact.deleted",
    "do_not_mail_added": "contact.do_not_mail_added",
    "do_not_mail_lifted": "contact.do_not_mail_lifted",
    "order_placed": "order.placed",
    "order_updated": "order.updated",
    "order_deleted": "order.deleted",
}


def type_of(kind: str) -> str:
    """The webhook type of a kind of event; programs' own events are `custom.<name>`."""
    return TYPES.get(kind, f"custom.{kind.removeprefix('custom_')}")
