"""The face of accounts."""

from standfast.components.accounts.models import Account, Membership, Role, User

__all__ = ["Account", "Membership", "Role", "User"]
