"""People and what is known of them. Large tables have `account_id` first in every key and are written in sets by SQL."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from standfast.components.accounts.api import Account


class FieldType(models.TextChoices):
    TEXT = "text", "Text"
    NUMBER = "number", "Number"
    DATE = "date", "Date"
    DATETIME = "datetime", "Date and time"
    BOOLEAN = "boolean", "Yes or no"


class CustomField(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    key = models.SlugField(max_length=63, help_text="The name in templates: {{ contact.key }}.")
    label = models.CharField(max_length=255)
    field_type = models.CharField(max_length=16, choices=FieldType.choices, default=FieldType.TEXT)
    default_value = models.CharField(max_length=255, blank=True, db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "key"], name="one_field_key")]


class Tag(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "name"], name="one_tag_name")]


class Brand(models.Model):
    """A name under which an account mails: a person may want no mail of one brand and still that of another."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "name"], name="one_brand_name")]

    def __str__(self) -> str:
        return self.name


class List(models.Model):
    """People under a name. The counts are kept and not computed when read: see list_counts."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    brand = models.ForeignKey(Brand, null=True, blank=True, on_delete=models.RESTRICT)
    name = models.CharField(max_length=255)
    description = models.CharField(max_length=255, blank=True)
    address = models.CharField(max_length=255, blank=True, db_default="", help_text="The postal address below mails.")
    language = models.CharField(max_length=32, blank=True, db_default="en")
    from_name = models.CharField(max_length=255, blank=True, db_default="")
    from_email = models.CharField(max_length=255, blank=True, db_default="")
    reply_to_email = models.CharField(max_length=255, blank=True, db_default="")
    display_name = models.CharField(max_length=255, blank=True, db_default="")
    add_to_unsubscribe_page = models.BooleanField(db_default=False)
    post_url = models.CharField(max_length=255, blank=True, db_default="")
    subscribers = models.BigIntegerField(db_default=0)
    unsubscribes = models.BigIntegerField(db_default=0)
    soft_bounces = models.BigIntegerField(db_default=0)
    hard_bounces = models.BigIntegerField(db_default=0)
    complaints = models.BigIntegerField(db_default=0)
    refreshed_at = models.DateTimeField(null=True, help_text="When the counts were taken.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "name"], name="one_list_name")]


class Contact(models.Model):
    """A person. `email_key` is the normalised address and unique in the account; `fields` holds custom fields by key, typed."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    email = models.CharField(max_length=320)
    email_key = models.CharField(max_length=320)
    uid = models.CharField(max_length=255, null=True)
    first_name = models.CharField(max_length=255, blank=True, db_default="")
    last_name = models.CharField(max_length=255, blank=True, db_default="")
    phone = models.CharField(max_length=255, blank=True, db_default="")
    fax = models.CharField(max_length=255, blank=True, db_default="")
    time_zone = models.CharField(max_length=64, blank=True, db_default="")
    fields = models.JSONField(default=dict, db_default={})
    tag_ids = ArrayField(models.BigIntegerField(), default=list, db_default=[])
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account_id", "email_key"], name="audience_contact_email"),
            models.UniqueConstraint(
                fields=["account_id", "uid"], condition=models.Q(uid__isnull=False), name="audience_contact_uid"
            ),
        ]


class SubscriptionStatus(models.TextChoices):
    SUBSCRIBED = "subscribed", "Subscribed"
    UNSUBSCRIBED = "unsubscribed", "Unsubscribed"


class Subscription(models.Model):
    """A contact's place on a list. Its history is in the event log (`subscribed`, `unsubscribed`)."""

    pk = models.CompositePrimaryKey("account_id", "list_id", "contact_id")
    account_id = models.BigIntegerField()
    list_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    status = models.CharField(max_length=12, choices=SubscriptionStatus.choices)
    since_at = models.DateTimeField(help_text="When the present status began.")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account_id", "contact_id"], name="audience_sub_contact")]


class DoNotMailReason(models.TextChoices):
    HARD_BOUNCE = "hard_bounce", "Hard bounce"
    COMPLAINT = "complaint", "Spam complaint"
    UNSUBSCRIBE = "unsubscribe", "Unsubscribed from everything"
    IMPORT = "import", "Imported"
    MANUAL = "manual", "Added by hand"
    API = "api", "Added by API"


class DoNotMail(models.Model):
    """An address that gets no marketing mail, whoever imports it again."""

    pk = models.CompositePrimaryKey("account_id", "email_key")
    account_id = models.BigIntegerField()
    email_key = models.CharField(max_length=320)
    email = models.CharField(max_length=320)
    reason = models.CharField(max_length=16, choices=DoNotMailReason.choices)
    detail = models.CharField(max_length=255, blank=True, db_default="")
    created_at = models.DateTimeField()


class BrandDoNotMail(models.Model):
    """An address that gets no mail of a brand."""

    pk = models.CompositePrimaryKey("account_id", "brand_id", "email_key")
    account_id = models.BigIntegerField()
    brand_id = models.BigIntegerField()
    email_key = models.CharField(max_length=320)
    email = models.CharField(max_length=320)
    reason = models.CharField(max_length=16, choices=DoNotMailReason.choices, db_default=DoNotMailReason.API)
    detail = models.CharField(max_length=255, blank=True, db_default="")
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account_id", "email_key"], name="audience_brand_key")]


class BrandedMail(models.Model):
    """Which brand's a mail is: a whole send's (`seq` 0), or that of one message of a stream. What bears no brand has no row.

    Delivery tells it in the transaction that makes the send or takes the message, so that it is known before any event of it.
    """

    pk = models.CompositePrimaryKey("account_id", "send_id", "seq")
    account_id = models.BigIntegerField()
    send_id = models.BigIntegerField()
    seq = models.IntegerField()
    brand_id = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account_id", "brand_id"], name="audience_branded_mail")]


class SecureList(models.Model):
    """Addresses that must not be mailed, known by hashes alone: a partner's suppression list."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    description = models.CharField(max_length=255, blank=True, db_default="")
    size = models.BigIntegerField(db_default=0)
    incomparable = models.BigIntegerField(
        db_default=0,
        help_text="Entries from earlier by SHA-1, which the database cannot compare with people's addresses.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "name"], name="one_secure_list_name")]


class SecureListEntry(models.Model):
    """`digest` of a lower-case address: 16 bytes of MD5 or 32 of SHA-256."""

    pk = models.CompositePrimaryKey("account_id", "secure_list_id", "digest")
    account_id = models.BigIntegerField()
    secure_list_id = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)


class EventKey(models.Model):
    """The digest of an id that a program gave to an event: the same again within seven days is the same event."""

    pk = models.CompositePrimaryKey("account_id", "key")
    account_id = models.BigIntegerField()
    key = models.BinaryField(max_length=16)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account_id", "at"], name="audience_event_key_age")]


class ContactSummary(models.Model):
    """What a contact did, in one row, kept by a consumer of the event log: segments and the contact's page read it."""

    pk = models.CompositePrimaryKey("account_id", "contact_id")
    account_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    delivered = models.IntegerField(db_default=0)
    opened = models.IntegerField(db_default=0)
    clicked = models.IntegerField(db_default=0)
    bounced = models.IntegerField(db_default=0)
    last_delivered_at = models.DateTimeField(null=True)
    last_opened_at = models.DateTimeField(null=True)
    last_clicked_at = models.DateTimeField(null=True)
    last_bounced_at = models.DateTimeField(null=True)


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", "Waiting for your mapping"
    WAITING = "waiting", "Waiting to start"
    CHECKING = "checking", "Checking"
    CHECKED = "checked", "Checked"
    RUNNING = "running", "Importing"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Import(models.Model):
    """A file of contacts on its way in. `rows_done` rises with each committed batch, so a killed import goes on from there."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    target_list = models.ForeignKey(List, null=True, on_delete=models.SET_NULL)
    created_by_id = models.BigIntegerField(null=True)
    file_name = models.CharField(max_length=255)
    path = models.CharField(max_length=1024)
    size_bytes = models.BigIntegerField()
    encoding = models.CharField(max_length=32, blank=True)
    delimiter = models.CharField(max_length=4, blank=True)
    header = models.JSONField(default=list)
    sample = models.JSONField(default=list)
    mapping = models.JSONField(default=dict, help_text="Column number to field key.")
    options = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=ImportState.choices, default=ImportState.UPLOADED)
    problem = models.TextField(blank=True)
    bytes_done = models.BigIntegerField(default=0)
    rows_done = models.BigIntegerField(default=0)
    created_count = models.BigIntegerField(default=0)
    updated_count = models.BigIntegerField(default=0)
    subscribed_count = models.BigIntegerField(default=0)
    duplicate_count = models.BigIntegerField(default=0)
    rejected_count = models.BigIntegerField(default=0)
    unchanged_count = models.BigIntegerField(default=0, help_text="Known people in whom nothing changed.")
    left_out_count = models.BigIntegerField(default=0, help_text="Rows that the options leave out.")
    kept_unsubscribed_count = models.BigIntegerField(
        default=0, help_text="People who unsubscribed earlier and stay so."
    )
    do_not_mail_count = models.BigIntegerField(default=0, help_text="People who are on do-not-mail and stay there.")
    rejects_bytes = models.BigIntegerField(default=0, help_text="Length of the rejects file at the last commit.")
    reasons = models.JSONField(default=dict, help_text="Rejected rows by reason.")
    rejects_path = models.CharField(max_length=1024, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
