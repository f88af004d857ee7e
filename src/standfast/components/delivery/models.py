"""Sends, their recipients (the ledger), who works on what, by which route and under which signature."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from standfast.components.accounts.api import Account


class TlsMode(models.TextChoices):
    NONE = "none", "No TLS"
    OPPORTUNISTIC = "opportunistic", "STARTTLS where offered"
    REQUIRED = "required", "STARTTLS required"
    IMPLICIT = "implicit", "TLS from the first byte"


class Route(models.Model):
    """Where an account's mail goes: the bundled inbox, or any SMTP host. The password is sealed with the installation's secret."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE)
    to_inbox = models.BooleanField(default=True, help_text="Mail stays in this installation's inbox: nothing leaves.")
    host = models.CharField(max_length=255, blank=True)
    port = models.PositiveIntegerField(default=587)
    tls = models.CharField(max_length=16, choices=TlsMode.choices, default=TlsMode.REQUIRED)
    username = models.CharField(max_length=255, blank=True)
    password_sealed = models.TextField(blank=True)
    connections = models.PositiveSmallIntegerField(default=8)
    retry_seconds = models.PositiveIntegerField(
        default=1200, help_text="First wait after a deferral; doubles each time."
    )
    retry_seconds_max = models.PositiveIntegerField(default=14400)
    life_seconds = models.PositiveIntegerField(default=172800, help_text="Given up after this long.")
    updated_at = models.DateTimeField(auto_now=True)


class SendingDomain(models.Model):
    """A domain mail is sent from, with the DKIM key made here. The private key is sealed with the installation's secret."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    domain = models.CharField(max_length=253)
    selector = models.CharField(max_length=63)
    private_key_sealed = models.TextField()
    public_record = models.TextField(help_text="The TXT record's value.")
    verified_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    check_result = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "domain"], name="one_sending_domain")]

    @property
    def is_trial(self) -> bool:
        """Whether the domain exists nowhere (RFC 6761, 6.2): mail from it can only stay in the inbox."""
        return self.domain.endswith(".test")


class SendState(models.TextChoices):
    READY = "ready"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class SendKind(models.TextChoices):
    BULK = "bulk"  # frozen once, then it comes to an end
    STREAM = "stream"  # messages are appended as programs hand them in; it goes before all bulk


class Send(models.Model):
    """A batch of recipients with the sources it is rendered from. `next_seq` is the cursor of its ranges."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    kind = models.CharField(max_length=8, choices=SendKind.choices, default=SendKind.BULK, db_default=SendKind.BULK)
    campaign_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=12, choices=SendState.choices, default=SendState.READY)
    sources = models.JSONField(help_text="Everything the compiler needs, frozen.")
    total = models.IntegerField(default=0)
    next_seq = models.IntegerField(default=1)
    rate_per_minute = models.IntegerField(null=True)
    secure_list_ids = ArrayField(
        models.BigIntegerField(), default=list, db_default=[], help_text="Looked at again when a message is sent."
    )
    next_lease_at = models.DateTimeField(null=True)
    nonce = models.CharField(max_length=16, help_text="Random part of this send's Message-IDs.")
    problem = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "account"], name="delivery_send_state")]


class RecipientStatus(models.IntegerChoices):
    PENDING = 0, "Waiting"
    DELIVERED = 1, "Delivered"
    DEFERRED = 2, "Deferred"
    BOUNCED = 3, "Bounced"
    UNCERTAIN = 4, "Uncertain"
    CANCELLED = 5, "Cancelled"
    EXPIRED = 6, "Given up"
    FAILED = 7, "Not rendered"


class Recipient(models.Model):
    """The ledger: one row per recipient of a send, numbered 1..n. DEFERRED rows are due again at `next_attempt_at`."""

    pk = models.CompositePrimaryKey("account_id", "send_id", "seq")
    account_id = models.BigIntegerField()
    send_id = models.BigIntegerField()
    seq = models.IntegerField()
    contact_id = models.BigIntegerField()
    occurrence = models.IntegerField(db_default=0, help_text="0 in bulk, where nobody is twice; in a stream the seq.")
    email = models.CharField(max_length=320)
    status = models.SmallIntegerField(choices=RecipientStatus.choices, db_default=0)
    attempts = models.SmallIntegerField(db_default=0)
    next_attempt_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    code = models.SmallIntegerField(null=True)
    reply = models.CharField(max_length=255, null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account_id", "contact_id", "send_id", "occurrence"], name="delivery_recipient_once"
            )
        ]
        indexes: ClassVar = [
            # rows to be tried again, and the books' open items: small, because most rows end at the first attempt
            models.Index(
                fields=["account_id", "send_id", "next_attempt_at"],
                name="delivery_recipient_due",
                condition=models.Q(status=RecipientStatus.DEFERRED),
            ),
        ]


class Lease(models.Model):
    """Messages that one worker holds: a range lo..hi of a send, or the numbers in `seqs`. `journal` is where it writes first."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    send_id = models.BigIntegerField()
    lo = models.IntegerField(null=True)
    hi = models.IntegerField(null=True)
    seqs = ArrayField(models.IntegerField(), null=True)
    node = models.CharField(max_length=64)
    journal = models.CharField(max_length=64)
    leased_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account_id", "send_id"], name="delivery_lease_send")]


class StreamSource(models.Model):
    """A source of a stream as it was when messages were taken for it, kept once for all of them."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    send = models.ForeignKey(Send, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64)
    sources = models.JSONField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "send", "digest"], name="one_stream_source")
        ]


class Submission(models.Model):
    """What one message of a stream is made of: values for a source, or the message itself."""

    pk = models.CompositePrimaryKey("account_id", "send_id", "seq")
    account_id = models.BigIntegerField()
    send_id = models.BigIntegerField()
    seq = models.IntegerField()
    source_id = models.BigIntegerField(null=True)
    given = models.JSONField()
    raw = models.BinaryField(null=True)
    ignores_do_not_mail = models.BooleanField()
    key = models.CharField(max_length=64, null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["account_id", "send_id", "key"],
                name="delivery_submission_key",
                condition=models.Q(key__isnull=False),
            )
        ]
