"""The face of audience."""

from standfast.components.audience.consumers import CONSUMERS
from standfast.components.audience.csv_file import FileProblem
from standfast.components.audience.erasing import delete_contact
from standfast.components.audience.models import (
    Contact,
    ContactSummary,
    CustomField,
    DoNotMail,
    DoNotMailReason,
    FieldType,
    Import,
    ImportState,
    List,
    Subscription,
    SubscriptionStatus,
    Tag,
)
from standfast.components.audience.preferences import Place, Preferences, change_preferences, preferences_of
from standfast.components.audience.searching import COUNT_MAX, how_many, list_sizes
from standfast.components.audience.starting import (
    begin_import,
    cancel_import,
    import_file,
    new_field,
    set_mapping,
    start_import,
)
from standfast.components.audience.subscribing import create_list, delete_list, subscribe, unsubscribe
from standfast.components.audience.suppressing import Suppressed, add_do_not_mail, lift_do_not_mail
from standfast.components.audience.timeline import TimelineItem, contact_timeline
from standfast.components.audience.upsert import ContactRow, Landed, upsert_contacts

__all__ = [
    "CONSUMERS",
    "COUNT_MAX",
    "Contact",
    "ContactRow",
    "ContactSummary",
    "CustomField",
    "DoNotMail",
    "DoNotMailReason",
    "FieldType",
    "FileProblem",
    "Import",
    "ImportState",
    "Landed",
    "List",
    "Place",
    "Preferences",
    "Subscription",
    "SubscriptionStatus",
    "Suppressed",
    "Tag",
    "TimelineItem",
    "add_do_not_mail",
    "begin_import",
    "cancel_import",
    "change_preferences",
    "contact_timeline",
    "create_list",
    "delete_contact",
    "delete_list",
    "how_many",
    "import_file",
    "lift_do_not_mail",
    "list_sizes",
    "new_field",
    "preferences_of",
    "set_mapping",
    "start_import",
    "subscribe",
    "unsubscribe",
    "upsert_contacts",
]
