"""An account's own pages: its team and its settings."""

from __future__ import annotations

import copy
import datetime as dt
import smtplib
from typing import Any

import structlog
from django.conf import settings as django_settings
from django.contrib import messages
from django.core.mail import send_mail
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from standfast.components.accounts import members
from standfast.components.accounts.access import account_page
from standfast.components.accounts.forms import AccountSettingsForm, InviteForm, RoleForm
from standfast.components.accounts.models import Invitation, Membership, Role
from standfast.platform import config

log = structlog.get_logger()
SHOWN_ONCE = "invitation_link"


@never_cache
@account_page(post=Role.ADMIN)
def team(request: HttpRequest, account_id: int) -> HttpResponse:
    """Who belongs here, who was asked to; an administrator invites."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _invite(request, form)
            return redirect("accounts:team", account_id=account_id)
        except members.MembershipRefused as error:
            form.add_error("email", str(error))
    people = (
        Membership.objects.filter(account_id=account_id).select_related("user").order_by("user__name", "user__email")
    )
    context = {
        "form": form,
        "people": people,
        "invitations": members.open_invitations(account_id=account_id),
        "roles": Role.choices,
        "now": dt.datetime.now(dt.UTC),
        "link": request.session.pop(SHOWN_ONCE, None),
        "is_admin": request.role == Role.ADMIN,  # type: ignore[attr-defined]
    }
    return render(request, "accounts/team.html", context)


def _invite(request: HttpRequest, form: InviteForm) -> None:
    account: Any = request.account  # type: ignore[attr-defined]
    invitation, token = members.invite(
        account=account, email=form.cleaned_data["email"], role=Role(form.cleaned_data["role"]), by=request.user,  # type: ignore[arg-type]
    )  # fmt: skip
    url = config.load().application_url + reverse("accounts:join", args=[account.pk, token])
    # The mail leaves after the commit: a link that leads nowhere must not be in anybody's inbox.
    transaction.on_commit(lambda: _mail(request, invitation, url))


def _mail(request: HttpRequest, invitation: Invitation, url: str) -> None:
    context = {"invitation": invitation, "url": url}
    subject = f"{invitation.invited_by} invites you to {invitation.account.name} on Standfast"
    # Out of the box the installation's own mail stays in the bundled inbox: then only the link brings somebody in.
    inbox = (config.load().host, config.load().inbox_port)
    outcome = "kept" if inbox == (django_settings.EMAIL_HOST, django_settings.EMAIL_PORT) else "mailed"
    try:
        text = render_to_string("accounts/invitation.txt", context)
        send_mail(" ".join(subject.split()), text, None, [invitation.email])
    except (OSError, smtplib.SMTPException) as error:
        outcome = "failed"
        log.warning("an invitation could not be mailed", account_id=invitation.account_id, problem=str(error))
    request.session[SHOWN_ONCE] = {"email": invitation.email, "url": url, "outcome": outcome}


@require_POST
@account_page(role=Role.ADMIN)
def revoke(request: HttpRequest, account_id: int, invitation_id: int) -> HttpResponse:
    """Take an invitation back: its link ends."""
    found = Invitation.objects.filter(account_id=account_id, pk=invitation_id, accepted_at=None).first()
    if found is None:
        raise Http404
    found.delete()
    messages.success(request, f"The invitation to {found.email} is taken back.")
    return redirect("accounts:team", account_id=account_id)


@require_POST
@account_page(role=Role.ADMIN)
def change_role(request: HttpRequest, account_id: int, user_id: int) -> HttpResponse:
    """Give a member another role."""
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            member = members.set_role(account_id=account_id, user_id=user_id, role=Role(form.cleaned_data["role"]))
        except members.MembershipRefused as error:
            messages.error(request, str(error))
        else:
            if member is None:
                raise Http404
            messages.success(request, f"{member.user}: {Role(member.role).label.lower()} from now on.")
    return redirect("accounts:team", account_id=account_id)


@require_POST
@account_page(post=Role.READER)
def leave(request: HttpRequest, account_id: int) -> HttpResponse:
    """End one's own membership."""
    try:
        members.remove(account_id=account_id, user_id=request.user.pk)  # type: ignore[arg-type]
    except members.MembershipRefused as error:
        messages.error(request, str(error))
        return redirect("accounts:team", account_id=account_id)
    messages.success(request, f"You left {request.account.name}.")  # type: ignore[attr-defined]
    return redirect("home")


@require_POST
@account_page(role=Role.ADMIN)
def remove(request: HttpRequest, account_id: int, user_id: int) -> HttpResponse:
    """End somebody's membership."""
    if user_id == request.user.pk:
        return leave(request, account_id=account_id)
    member = members.remove(account_id=account_id, user_id=user_id)
    if member is None:
        raise Http404
    messages.success(request, f"{member.user} is not on the team any more.")
    return redirect("accounts:team", account_id=account_id)


@account_page(post=Role.ADMIN)
def settings(request: HttpRequest, account_id: int) -> HttpResponse:
    """Name, time zone, postal address."""
    # A copy: a form that is refused must not change the name in the switcher.
    form = AccountSettingsForm(request.POST or None, instance=copy.copy(request.account))  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "The account's settings are saved.")
        return redirect("accounts:settings", account_id=account_id)
    is_admin = request.role == Role.ADMIN  # type: ignore[attr-defined]
    if not is_admin:
        for field in form.fields.values():
            field.disabled = True
    return render(request, "accounts/settings.html", {"form": form, "is_admin": is_admin})
