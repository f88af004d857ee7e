"""How allauth signs people in here: nobody signs up; one comes by the first link or by invitation."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import perform_login, user_pk_to_url_str
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from standfast.components.accounts.models import User


class ByInvitation(DefaultAccountAdapter):  # type: ignore[misc]
    """ACCOUNT_ADAPTER."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Without "Successfully signed in as": one sees that."""
        if message_template and message_template.endswith(("logged_in.txt", "logged_out.txt")):
            return
        super().add_message(request, level, message_template, *args, **kwargs)


def sign_in(request: HttpRequest, user: User, *, url: str) -> HttpResponse:
    """Sign in somebody who was just made, and go on to `url`; listed among their sessions like any other sign-in."""
    user.backend = "django.contrib.auth.backends.ModelBackend"  # type: ignore[attr-defined]
    return perform_login(request, user, redirect_url=url)  # type: ignore[no-any-return]


def password_link(email: str) -> str | None:
    """The path with which a user sets a new password, for whoever runs the installation to hand over; None: no such user."""
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        return None
    key = default_token_generator.make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
