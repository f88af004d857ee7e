"""The types of webhook events: what the log calls a thing, and what programs are told it is."""

from __future__ import annotations

import re

_OWN = re.compile(r"custom\.[a-z0-9_]{1,60}")
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
    "do_not_mail_removed": "contact.do_not_mail_lifted",
    "removed_from_list": "contact.removed_from_list",
    "brand_do_not_mail_added": "contact.brand_do_not_mail_added",
    "brand_do_not_mail_removed": "contact.brand_do_not_mail_lifted",
    "order_placed": "order.placed",
    "order_updated": "order.updated",
    "order_deleted": "order.deleted",
    "campaign_moved": "campaign.moved",
    "webhook_test": "webhook.test",
}
CUSTOM = "custom_"
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
            "do_not_mail_removed": "Taken off do-not-mail",
            "removed_from_list": "Taken off a list",
            "brand_do_not_mail_added": "Put on a brand's do-not-mail",
            "brand_do_not_mail_removed": "Taken off a brand's do-not-mail",
        },
    ),
    (
        "Orders",
        {
            "order_placed": "Placed",
            "order_updated": "Changed",
            "order_deleted": "Deleted",
        },
    ),
    ("Campaigns", {"campaign_moved": "Went into another state"}),
)


def type_of(kind: str) -> str:
    """The webhook type of a kind of event; programs' own events are `custom.<name>`."""
    return TYPES.get(kind, f"custom.{kind.removeprefix(CUSTOM)}")


def kind_of(name: str) -> str:
    """The kind of a type, or of a kind. Raises ValueError for what is neither."""
    known = {value: kind for kind, value in TYPES.items()}
    if name in TYPES:
        return name
    if name in known:
        return known[name]
    if _OWN.fullmatch(name):
        return CUSTOM + name.removeprefix("custom.")
    raise ValueError(f"There is no event {name[:80]!r}.")
