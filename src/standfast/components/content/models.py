"""Reusable e-mail content: what a person writes. A campaign freezes a copy, so later edits never change a running send."""

from __future__ import annotations

from django.db import models

from standfast.components.accounts.api import Account


class SourceKind(models.TextChoices):
    HTML = "html", "HTML"
    MJML = "mjml", "MJML"


class Content(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    subject = models.CharField(max_length=255, blank=True)
    preheader = models.CharField(max_length=255, blank=True)
    source_kind = models.CharField(max_length=8, choices=SourceKind.choices, default=SourceKind.MJML)
    source = models.TextField(blank=True)
    text_source = models.TextField(blank=True, help_text="Left empty, the text part is made from the HTML.")
    inline_css = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class ContentImage(models.Model):
    """An image that contents show; known by the SHA-256 of its bytes, so that its address never means another one."""

    account_id = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    pk = models.CompositePrimaryKey("account_id", "digest")
    kind = models.CharField(max_length=4)
    size = models.IntegerField()
    data = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
