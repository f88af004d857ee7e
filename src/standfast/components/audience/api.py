"""The face of audience."""

from standfast.components.audience.brands import (
    NoSuchBrand,
    add_brand_do_not_mail,
    bear_brand,
    brand_named,
    brands_of,
    delete_brand,
    find_brand,
    lift_brand_do_not_mail,
)
from standfast.components.audience.compatible.contacts import person_of_call
from standfast.components.audience.consumers import CONSUMERS
from standfast.components.audience.csv_file import FileProblem
from standfast.components.audience.editing import Taken, change_contact
from standfast.components.audience.erasing import delete_contact
from standfast.components.audience.locking import lock_people
from standfast.components.audience.models import (
    Brand,
    BrandDoNotMail,
    Contact,
    ContactSummary,
    CustomField,
    DoNotMail,
    DoNotMailReason,
    FieldType,
    Import,
    ImportState,
    List,
    SecureList,
    Subscription,
    SubscriptionStatus,
    Tag,
)
from standfast.components.audience.preferences import Place, Preferences, change_preferences, preferences_of
from standfast.components.audience.searching import COUNT_MAX, how_many, list_sizes
from standfast.components.audience.secure_lists import add_entries, on_secure_lists, secure_lists_of
from standfast.components.audience.starting import (
    begin_import,
    cancel_import,
    import_file,
    new_field,
    set_mapping,
    start_import,
)
from standfast.components.audience.statistics import learn_people
from standfast.components.audience.subscribing import (
    create_list,
    delete_list,
    remove_from_lists,
    subscribe,
    unsubscribe,
)
from standfast.components.audience.suppressing import Suppressed, add_do_not_mail, lift_do_not_mail
from standfast.components.audience.timeline import TimelineItem, contact_timeline, message_timeline
from standfast.components.audience.upsert import ContactRow, Landed, upsert_contacts

__all__ = [
    "CONSUMERS",
    "COUNT_MAX",
    "Brand",
    "BrandDoNotMail",
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
    "NoSuchBrand",
    "Place",
    "Preferences",
    "SecureList",
    "Subscription",
    "SubscriptionStatus",
    "Suppressed",
    "Tag",
    "Taken",
    "TimelineItem",
    "add_brand_do_not_mail",
    "add_do_not_mail",
    "add_entries",
    "bear_brand",
    "begin_import",
    "brand_named",
    "brands_of",
    "cancel_import",
    "change_contact",
    "change_preferences",
    "contact_timeline",
    "create_list",
    "delete_brand",
    "delete_contact",
    "delete_list",
    "find_brand",
    "how_many",
    "import_file",
    "learn_people",
    "lift_brand_do_not_mail",
    "lift_do_not_mail",
    "list_sizes",
    "lock_people",
    "message_timeline",
    "new_field",
    "on_secure_lists",
    "person_of_call",
    "preferences_of",
    "remove_from_lists",
    "secure_lists_of",
    "set_mapping",
    "start_import",
    "subscribe",
    "unsubscribe",
    "upsert_contacts",
]
