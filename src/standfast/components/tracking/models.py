"""What recipients did, rolled up by a consumer of the event log; reports read these and never the log."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Response(models.Model):
    """What one recipient of a send did. Human and machine are kept apart; a null means never.

    `opened_at` is the first opening or click of a person, `opens` the openings that were seen. `uncertain_at` stands while
    nobody knows whether the message arrived.
    """

    pk = models.CompositePrimaryKey("account_id", "send_id", "seq")
    account_id = models.BigIntegerField()
    send_id = models.BigIntegerField()
    seq = models.IntegerField()
    contact_id = models.BigIntegerField()
    opened_at = models.DateTimeField(null=True)
    machine_opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    machine_clicked_at = models.DateTimeField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)
    complained_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    uncertain_at = models.DateTimeField(null=True)
    opens = models.IntegerField(db_default=0)
    clicks = models.IntegerField(db_default=0)

    class Meta:
        indexes: ClassVar = [
            # few, and looked for at every fold
            models.Index(
                fields=["account_id", "send_id", "seq"],
                name="tracking_response_uncertain",
                condition=models.Q(uncertain_at__isnull=False),
            )
        ]


class SendCounter(models.Model):
    """Totals of a send by name.

    Events: delivered deferred failed skipped opens clicks machine_opens machine_clicks deferral:<code>.
    Recipients: opens_unique clicks_unique machine_opens_unique machine_clicks_unique all_opens_unique all_clicks_unique
    unsubscribed complained uncertain bounced bounced_hard bounced_soft bounced_later (after delivery) bounce:<class>.
    """

    pk = models.CompositePrimaryKey("account_id", "send_id", "name")
    account_id = models.BigIntegerField()
    send_id = models.BigIntegerField()
    name = models.CharField(max_length=32)
    value = models.BigIntegerField(db_default=0)


class SendHour(models.Model):
    """The same by hour (UTC), without the names that hold a colon: what the report draws over time."""

    pk = models.CompositePrimaryKey("account_id", "send_id", "name", "hour_at")
    account_id = models.BigIntegerField()
    send_id = models.BigIntegerField()
    name = models.CharField(max_length=32)
    hour_at = models.DateTimeField()
    value = models.BigIntegerField(db_default=0)


class LinkCounter(models.Model):
    """Clicks on one link of a send: people (`clicks`, `contacts`) and machines apart."""

    pk = models.CompositePrimaryKey("account_id", "send_id", "link")
    account_id = models.BigIntegerField()
    send_id = models.BigIntegerField()
    link = models.IntegerField()
    url = models.TextField()
    clicks = models.BigIntegerField(db_default=0)
    contacts = models.BigIntegerField(db_default=0)
    machine_clicks = models.BigIntegerField(db_default=0)


class LinkContact(models.Model):
    """Which recipient clicked which link, so that unique clicks of a link are counted once."""

    pk = models.CompositePrimaryKey("account_id", "send_id", "link", "seq")
    account_id = models.BigIntegerField()
    send_id = models.BigIntegerField()
    link = models.IntegerField()
    seq = models.IntegerField()
    clicks = models.IntegerField(db_default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account_id", "send_id", "seq"], name="tracking_link_recipient")]
