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
TEST = "webhook.test"
"""The type of what a person sends to see whether an endpoint works."""

# What a form shows: the subject, and what each kind is called in words.
SUBJECTS: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "Messages",
        {
            "delivered": "Delivered",
            "deferred": "Put off by the other side",
            "bounced": "Bounced",
            "opened": "Opened",
            "clicked": "Clicked",
            "uncertain": "Uncertain whether it arrived",
            "failed": "Could not be made",
            "skipped": "Left out",
        },
    ),
    (
        "People",
        {
            "contact_created": "New",
            "contact_updated": "Changed",
            "contact_imported": "Imported",
            "contact_deleted": "Erased",
        },
    ),
    (
        "Consent",
        {
            "subscribed": "Subscribed",
            "unsubscribed": "Unsubscribed",
            "resubscribed": "Took it back",
            "complained": "Complained about spam",
            "do_not_mail_added": "Put on do-not-mail",
            "do_not_mail_lifted": "Taken off do-not-mail",
        },
    ),
)


def type_of(kind: str) -> str:
    """The webhook type of a kind of event; programs' own events are `custom.<name>`."""
    return TYPES.get(kind, f"custom.{kind.removeprefix('custom_')}")
