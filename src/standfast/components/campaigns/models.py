"""Campaigns: what a person plans, sends and reads the result of."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from standfast.components.accounts.api import Account
from standfast.components.audience.api import Brand
from standfast.components.content.api import Content
from standfast.components.delivery.api import Send


class CampaignState(models.TextChoices):
    DRAFT = "draft", "Draft"
    SCHEDULED = "scheduled", "Scheduled"
    FREEZING = "freezing", "Preparing"
    SENDING = "sending", "Sending"
    PAUSED = "paused", "Paused"
    HELD = "held", "Held"
    SENT = "sent", "Sent"
    CANCELLED = "cancelled", "Cancelled"


class Campaign(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    state = models.CharField(max_length=12, choices=CampaignState.choices, default=CampaignState.DRAFT)
    brand = models.ForeignKey(Brand, null=True, blank=True, on_delete=models.RESTRICT)
    subject = models.CharField(max_length=255, blank=True, help_text="Left empty, the content's subject.")
    preheader = models.CharField(max_length=255, blank=True)
    from_name = models.CharField(max_length=255, blank=True)
    from_email = models.EmailField(blank=True)
    reply_to = models.EmailField(blank=True)
    address = models.CharField(max_length=255, blank=True)
    language = models.CharField(max_length=8, default="en")
    content = models.ForeignKey(Content, null=True, blank=True, on_delete=models.SET_NULL)
    list_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    suppressed_list_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    secure_list_ids = ArrayField(models.BigIntegerField(), default=list, db_default=[], blank=True)
    send_at = models.DateTimeField(null=True, blank=True)
    rate_per_minute = models.PositiveIntegerField(null=True, blank=True)
    send = models.OneToOneField(Send, null=True, on_delete=models.SET_NULL)
    skipped = models.JSONField(default=dict, help_text="People skipped at the freeze, by reason.")
    created_by_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    state_since_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "send_at"], name="campaigns_state")]

    def __str__(self) -> str:
        return self.name


class Hold(models.Model):
    """Why a campaign stands still: who or what held it, when, and what ends it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE)
    reason = models.CharField(max_length=64)
    detail = models.TextField(blank=True)
    held_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True)
