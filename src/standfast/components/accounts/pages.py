"""Pages of people and accounts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from standfast.components.accounts.access import last_account, to_sign_in


def home(request: HttpRequest) -> HttpResponse:
    """`/`: on to the account that was last looked at."""
    if not request.user.is_authenticated:
        return to_sign_in(request)
    account = last_account(request)
    return redirect(f"/accounts/{account.pk}/" if account else "accounts:new")
