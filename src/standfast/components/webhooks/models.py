"""Endpoints, what is to be told to each, and every attempt at it."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from standfast.components.accounts.api import Account


class EndpointState(models.TextChoices):
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    DISABLED = "disabled", "Disabled: it failed for too long, or asked for it"


class Endpoint(models.Model):
    """A program's address. `kinds` empty: it is told everything."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=255, blank=True)
    kinds = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    secret_sealed = models.TextField()
    former_secret_sealed = models.TextField(blank=True, db_default="", help_text="Signs too, until `former_until`.")
    former_until = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=EndpointState.choices, default=EndpointState.ACTIVE)
    from_position = models.BigIntegerField(help_text="It is told what happened after this position of the log.")
    failing_since = models.DateTimeField(null=True)
    worked_at = models.DateTimeField(null=True, help_text="When it last said 2xx, as exactly as WORKED_EVERY.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.url

    @property
    def has_former_secret(self) -> bool:
        return self.former_until is not None and self.former_until > dt.datetime.now(dt.UTC)

    @property
    def secrets_sealed(self) -> list[str]:
        """What signs now, the present one first."""
        return [self.secret_sealed, *([self.former_secret_sealed] if self.has_former_secret else [])]


class DeliveryState(models.TextChoices):
    DUE = "due", "Waiting"
    TRYING = "trying", "Being sent"
    DONE = "done", "Delivered"
    FAILED = "failed", "Given up"


class Delivery(models.Model):
    """One event for one endpoint. TRYING rows whose `next_at` has passed are due again: their worker was killed."""

    pk = models.CompositePrimaryKey("account_id", "endpoint_id", "position")
    account_id = models.BigIntegerField()
    endpoint_id = models.BigIntegerField()
    position = models.BigIntegerField()
    kind = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=DeliveryState.choices, db_default=DeliveryState.DUE)
    attempts = models.SmallIntegerField(db_default=0)
    attempts_before = models.SmallIntegerField(db_default=0, help_text="Of those, made before it was last sent again.")
    next_at = models.DateTimeField()
    detail = models.CharField(max_length=255, null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # the log of an endpoint by state, and how much waits
            models.Index(fields=["account_id", "endpoint_id", "state", "position"], name="webhooks_delivery_log"),
            models.Index(
                fields=["account_id", "next_at"], name="webhooks_delivery_due",
                condition=models.Q(state__in=["due", "trying"]),
            ),
        ]  # fmt: skip


class Attempt(models.Model):
    """One try, written before it: without an outcome it was cut off."""

    pk = models.CompositePrimaryKey("account_id", "endpoint_id", "position", "n")
    account_id = models.BigIntegerField()
    endpoint_id = models.BigIntegerField()
    position = models.BigIntegerField()
    n = models.SmallIntegerField()
    at = models.DateTimeField()
    status = models.SmallIntegerField(null=True)
    milliseconds = models.IntegerField(null=True)
    detail = models.CharField(max_length=255, null=True)
