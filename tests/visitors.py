"""Who comes to the application's pages in tests, beside the cast."""

from __future__ import annotations

import secrets

from django.test import Client

from standfast.components.accounts.api import Account, Membership, Role, User
from standfast.platform.tenancy import account_scope


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def reader_of(account: Account) -> User:
    """Somebody on the team who may only look."""
    user = User.objects.create_user(f"reader-{secrets.token_hex(4)}@example.com", "correct horse battery")
    with account_scope(account.pk):
        Membership.objects.create(account=account, user=user, role=Role.READER)
    return user
