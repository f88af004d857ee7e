"""Who belongs to an account: invitations, roles, leaving. An account always keeps an administrator."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.core.cache import cache

from standfast.components.accounts.models import Account, Invitation, Membership, Role, User
from standfast.platform.tenancy import account_scope

LIFE = dt.timedelta(days=7)
INVITATIONS_MAX = 100
INVITED_AN_HOUR_MAX = 60
"""Each is a letter to somebody who may never have heard of us, from the installation's own address."""


class MembershipRefused(ValueError):
    """The change cannot be made; the text says why and what to do."""


class InvitationSpent(ValueError):
    """The invitation was used, taken back or has expired; the text says what to do."""


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def open_invitations(*, account_id: int) -> list[Invitation]:
    """Those not yet accepted, the newest first; expired ones too, so that one sees why nobody came. In the account's scope."""
    found = Invitation.objects.filter(account_id=account_id, accepted_at=None).select_related("invited_by")
    return list(found.order_by("-created_at")[:INVITATIONS_MAX])


def invite(*, account: Account, email: str, role: Role, by: User) -> tuple[Invitation, str]:
    """Invite an address; returns the row and the token, which is kept nowhere. Takes the place of an earlier one to the same
    address. Raises MembershipRefused. In the account's scope."""
    if Membership.objects.filter(account=account, user__email__iexact=email).exists():
        raise MembershipRefused(f"{email} is on the team already.")
    others = Invitation.objects.filter(account=account, accepted_at=None).exclude(email__iexact=email)
    if others.count() >= INVITATIONS_MAX:
        raise MembershipRefused(f"There are {INVITATIONS_MAX} open invitations. Take back some of them first.")
    if _is_too_often(account):
        raise MembershipRefused(
            f"{INVITED_AN_HOUR_MAX} people were invited within the hour. Invite the next ones later."
        )
    Invitation.objects.filter(account=account, email__iexact=email, accepted_at=None).delete()
    token = secrets.token_urlsafe(24)
    made = Invitation.objects.create(
        account=account, email=email.lower(), role=role, token_hash=_hash(token), invited_by=by,
        expires_at=dt.datetime.now(dt.UTC) + LIFE,
    )  # fmt: skip
    return made, token


def _is_too_often(account: Account) -> bool:
    """Counted beside the rows: taking an invitation back and inviting again is another letter."""
    name = f"invited:{account.pk}"
    cache.add(name, 0, 3600)
    try:
        return cache.incr(name) > INVITED_AN_HOUR_MAX
    except ValueError:  # ended between the two
        return False


def find_invitation(*, account_id: int, token: str) -> Invitation:
    """The open invitation of a token, in the account's scope. Raises InvitationSpent."""
    found = Invitation.objects.filter(account_id=account_id, token_hash=_hash(token)).select_related("account").first()
    if found is None or found.accepted_at or found.expires_at < dt.datetime.now(dt.UTC):
        raise InvitationSpent("This invitation was used, taken back, or is older than a week. Ask for a new one.")
    return found


def accept(*, account_id: int, token: str, user: User) -> Membership:
    """Make `user` a member and spend the invitation. Whoever belongs there already keeps their role. Raises InvitationSpent."""
    with account_scope(account_id):
        invitation = find_invitation(account_id=account_id, token=token)
        # The row decides a race: of two clicks one finds it open.
        open_ones = Invitation.objects.filter(account_id=account_id, pk=invitation.pk, accepted_at=None)
        if not open_ones.update(accepted_at=dt.datetime.now(dt.UTC)):
            raise InvitationSpent("This invitation was used a moment ago.")
        made, _ = Membership.objects.get_or_create(account_id=account_id, user=user, defaults={"role": invitation.role})
        return made


def set_role(*, account_id: int, user_id: int, role: Role) -> Membership | None:
    """Change a member's role; None where there is no such member. Raises MembershipRefused. In the account's scope."""
    member = _locked(account_id, user_id)
    if member is not None:
        if role != Role.ADMIN:
            _keep_an_admin(member)
        member.role = role
        member.save(update_fields=["role"])
    return member


def remove(*, account_id: int, user_id: int) -> Membership | None:
    """End a membership; None where there is none. Raises MembershipRefused. In the account's scope."""
    member = _locked(account_id, user_id)
    if member is not None:
        _keep_an_admin(member)
        member.delete()
    return member


def _locked(account_id: int, user_id: int) -> Membership | None:
    # The account's row is the lock: two administrators who step down at once come one after the other.
    Account.objects.select_for_update().get(pk=account_id)
    return Membership.objects.filter(account_id=account_id, user_id=user_id).select_related("user").first()


def _keep_an_admin(member: Membership) -> None:
    others = Membership.objects.filter(account_id=member.account_id, role=Role.ADMIN).exclude(user_id=member.user_id)
    if member.role == Role.ADMIN and not others.exists():
        raise MembershipRefused(
            f"{member.user} is the only administrator here. Make somebody else an administrator first."
        )
