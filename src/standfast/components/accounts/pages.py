"""Pages of people: the way in, one's profile, and joining by invitation. The account's own pages are in team.py."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from standfast.components.accounts import members
from standfast.components.accounts.access import last_account, memberships_of, to_sign_in
from standfast.components.accounts.forms import JoinForm, ProfileForm
from standfast.components.accounts.models import Invitation, User
from standfast.components.accounts.sign_in import sign_in
from standfast.platform.tenancy import account_scope

ID_MAX = 2**63 - 1


def home(request: HttpRequest) -> HttpResponse:
    """`/`: on to the account that was last looked at."""
    if not request.user.is_authenticated:
        return to_sign_in(request)
    account = last_account(request)
    return redirect(f"/accounts/{account.pk}/" if account else "new_account")


@login_required
@sensitive_post_parameters()
def profile(request: HttpRequest) -> HttpResponse:
    """Name, address, and how one signs in."""
    # A copy: a form that is refused must not change the name in the page's corner.
    user: Any = request.user
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=user.pk))
    if request.method == "POST" and request.POST.get("password"):
        # A session left open somewhere must not serve to guess the password.
        too_many = ratelimit.consume_or_429(request, action="reauthenticate", user=request.user)
        if too_many:
            return too_many  # type: ignore[no-any-return]
    if request.method == "POST" and form.is_valid():
        _save_profile(form)
        messages.success(request, "Your profile is saved.")
        return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form, "memberships": memberships_of(request.user)})


def _save_profile(form: ProfileForm) -> None:
    with transaction.atomic():
        user = form.save()
        if user.email != form.email_before:
            # Rows of the sign-in's own list would go on letting the old address in.
            EmailAddress.objects.filter(user=user).delete()


@never_cache
@sensitive_post_parameters()
def join(request: HttpRequest, account_id: int, token: str) -> HttpResponse:
    """Accept an invitation: as who is signed in, or as a new person with the invited address."""
    if account_id > ID_MAX or "\0" in token:
        raise Http404
    try:
        with account_scope(account_id):
            invitation = members.find_invitation(account_id=account_id, token=token)
        if request.user.is_authenticated:
            return _join_as(request, invitation, token)
        if User.objects.filter(email__iexact=invitation.email).exists():
            return render(request, "accounts/join_sign_in.html", {"invitation": invitation})
        return _join_new(request, invitation, token)
    except members.InvitationSpent as error:
        return render(request, "accounts/join_spent.html", {"text": str(error)}, status=410)


def _join_as(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    if request.method != "POST":
        return render(request, "accounts/join_as.html", {"invitation": invitation})
    return _welcome(request, invitation, token, request.user)  # type: ignore[arg-type]


def _join_new(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    form = JoinForm(request.POST or None, email=invitation.email)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/join_new.html", {"invitation": invitation, "form": form})
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                invitation.email, form.cleaned_data["password"], name=form.cleaned_data["name"]
            )
            answer = _welcome(request, invitation, token, user)
    except IntegrityError:  # two clicks: the other one made the person
        return redirect(request.path)
    return sign_in(request, user, url=answer.url)


def _welcome(request: HttpRequest, invitation: Invitation, token: str, user: User) -> HttpResponseRedirect:
    members.accept(account_id=invitation.account_id, token=token, user=user)
    messages.success(request, f"Welcome to {invitation.account.name}.")
    return HttpResponseRedirect(f"/accounts/{invitation.account_id}/")
