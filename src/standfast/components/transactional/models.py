"""Transactional campaigns: the defaults of their messages, and the stream that these are appended to."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from standfast.components.accounts.api import Account
from standfast.components.audience.api import Brand
from standfast.components.content.api import Content


class TransactionalCampaign(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    subject = models.CharField(max_length=255, blank=True)
    preheader = models.CharField(max_length=255, blank=True)
    from_name = models.CharField(max_length=255, blank=True)
    from_email = models.CharField(max_length=320, blank=True)
    reply_to = models.CharField(max_length=320, blank=True)
    content = models.ForeignKey(Content, on_delete=models.RESTRICT, null=True)
    brand = models.ForeignKey(Brand, on_delete=models.RESTRICT, null=True)
    email_preview_link = models.CharField(max_length=255, blank=True)
    address = models.CharField(max_length=255, blank=True)
    language = models.CharField(max_length=16, default="en")
    tags = ArrayField(models.CharField(max_length=50), default=list)
    send_id = models.BigIntegerField(help_text="The stream of its messages.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "name"], name="one_transactional_campaign"),
            models.UniqueConstraint(fields=["account", "send_id"], name="one_transactional_stream"),
        ]

    def __str__(self) -> str:
        return self.name
