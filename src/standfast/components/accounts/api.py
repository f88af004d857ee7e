"""The face of accounts."""

from standfast.components.accounts.first_link import (
    LinkSpent,
    check_first_link,
    create_account,
    create_first_user,
    make_first_link,
)
from standfast.components.accounts.models import Account, Membership, Role, User

__all__ = [
    "Account",
    "LinkSpent",
    "Membership",
    "Role",
    "User",
    "check_first_link",
    "create_account",
    "create_first_user",
    "make_first_link",
]
