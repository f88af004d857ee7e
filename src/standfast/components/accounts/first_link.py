"""The first user: made through a one-time link that the first start prints. There is no default password."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.db import connection, transaction

from standfast.components.accounts.models import Account, FirstLink, Membership, Role, User
from standfast.platform import tenancy

LIFE = dt.timedelta(hours=24)


class LinkSpent(ValueError):
    """The link was used, has expired, or was never ours; the text says what to do."""


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def make_first_link() -> str | None:
    """A new token, which ends all earlier ones; None when there is a user already."""
    with transaction.atomic():
        if User.objects.exists():
            return None
        FirstLink.objects.filter(used_at=None).delete()
        token = secrets.token_urlsafe(24)
        FirstLink.objects.create(token_hash=_hash(token), expires_at=dt.datetime.now(dt.UTC) + LIFE)
        return token


def check_first_link(token: str) -> FirstLink:
    """Raises LinkSpent unless the token may make the first user now."""
    found = FirstLink.objects.filter(token_hash=_hash(token)).first()
    if found is None or found.used_at or found.expires_at < dt.datetime.now(dt.UTC) or User.objects.exists():
        raise LinkSpent(
            "This link was used or has expired. Start Standfast again: it prints a new one while there is no user."
        )
    return found


def create_first_user(
    token: str, *, email: str, password: str, name: str, account_name: str, time_zone: str, address: str = ""
) -> tuple[User, Account]:
    """Spend the link: a user, an account, and the membership between them. Raises LinkSpent; two at once make one user."""
    with transaction.atomic():
        found = check_first_link(token)
        # The row decides a race: the second transaction finds it used.
        spent = FirstLink.objects.filter(pk=found.pk, used_at=None).update(used_at=dt.datetime.now(dt.UTC))
        if not spent:
            raise LinkSpent("This link was used a moment ago.")
        user = User.objects.create_user(email, password, name=name)
        return user, create_account(user, name=account_name, time_zone=time_zone, address=address)


def create_account(user: User, *, name: str, time_zone: str, address: str = "") -> Account:
    """A new account with `user` as its administrator."""
    with transaction.atomic():
        account = Account.objects.create(name=name, time_zone=time_zone, address=address)
        with connection.cursor() as cursor:
            tenancy.enter(cursor, account.pk)
        Membership.objects.create(account=account, user=user, role=Role.ADMIN)
        return account
