"""The face of audience."""

from standfast.components.audience.models import (
    Contact,
    ContactSummary,
    CustomField,
    DoNotMail,
    DoNotMailReason,
    Import,
    List,
    Subscription,
    Tag,
)

__all__ = ["Contact", "ContactSummary", "CustomField", "DoNotMail", "DoNotMailReason", "Import", "List", "Subscription", "Tag"]
