"""The face of accounts."""

from standfast.components.accounts.access import AccountLink, account_page, last_account, may, stream, to_sign_in
from standfast.components.accounts.api_keys import (
    MODULES,
    SCOPES,
    KeyHolder,
    KeyInvalid,
    KeyRefused,
    Refusal,
    check_key,
    make_key,
    revoke_key,
    scope_of_key,
)
from standfast.components.accounts.first_link import (
    LinkSpent,
    check_first_link,
    create_account,
    create_first_user,
    make_first_link,
)
from standfast.components.accounts.models import Account, ApiKey, Membership, Role, User
from standfast.components.accounts.sign_in import password_link, sign_in
from standfast.components.accounts.time_zones import choices as time_zone_choices

__all__ = [
    "MODULES",
    "SCOPES",
    "Account",
    "AccountLink",
    "ApiKey",
    "KeyHolder",
    "KeyInvalid",
    "KeyRefused",
    "LinkSpent",
    "Membership",
    "Refusal",
    "Role",
    "User",
    "account_page",
    "check_first_link",
    "check_key",
    "create_account",
    "create_first_user",
    "last_account",
    "make_first_link",
    "make_key",
    "may",
    "password_link",
    "revoke_key",
    "scope_of_key",
    "sign_in",
    "stream",
    "time_zone_choices",
    "to_sign_in",
]
