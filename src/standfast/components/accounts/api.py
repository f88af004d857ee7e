"""The face of accounts."""

from standfast.components.accounts.access import AccountLink, account_page, last_account, may, stream, to_sign_in
from standfast.components.accounts.first_link import (
    LinkSpent,
    check_first_link,
    create_account,
    create_first_user,
    make_first_link,
)
from standfast.components.accounts.models import Account, Membership, Role, User
from standfast.components.accounts.sign_in import password_link, sign_in

__all__ = [
    "Account",
    "AccountLink",
    "LinkSpent",
    "Membership",
    "Role",
    "User",
    "account_page",
    "check_first_link",
    "create_account",
    "create_first_user",
    "last_account",
    "make_first_link",
    "may",
    "password_link",
    "sign_in",
    "stream",
    "to_sign_in",
]
