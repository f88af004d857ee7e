"""Accounts (tenants), users, and who belongs where with which rights."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models


class Account(models.Model):
    """A tenant. Its id is in every row that belongs to it."""

    name = models.CharField(max_length=255)
    time_zone = models.CharField(max_length=64, default="America/New_York")
    address = models.CharField(max_length=255, blank=True, help_text="Postal address shown in every marketing e-mail.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **extra: object) -> User:
        user = self.model(email=self.normalize_email(email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    create_superuser = create_user


class User(AbstractUser):
    """A person who signs in, by e-mail. May belong to several accounts."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=255, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()  # type: ignore[assignment,misc]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name or self.email


class Role(models.TextChoices):
    ADMIN = "admin", "Administrator"
    MEMBER = "member", "Member"
    READER = "reader", "Read only"


class Membership(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "user"], name="one_membership")]


class FirstLink(models.Model):
    """A one-time link that lets its bearer make the first user. Only the token's hash is kept."""

    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Invitation(models.Model):
    """An e-mail address asked to join an account. Only the token's hash is kept."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)


class ApiKey(models.Model):
    """A program's way in. Only the key's hash is kept; `hint` is its beginning, by which people tell keys apart."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    name = models.CharField(max_length=32)
    key_hash = models.CharField(max_length=64)
    hint = models.CharField(max_length=16)
    scopes = ArrayField(models.CharField(max_length=40))
    networks = ArrayField(
        models.CharField(max_length=43), default=list, blank=True, help_text="Addresses it may come from; empty: any."
    )
    created_by = models.ForeignKey(User, on_delete=models.PROTECT)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    used_from = models.CharField(max_length=45, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "key_hash"], name="one_api_key")]
