"""The way into a new installation, and into a new account: it can send to the bundled inbox from the first minute."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from standfast.components.accounts.api import (
    Account,
    LinkSpent,
    check_first_link,
    create_account,
    create_first_user,
    sign_in,
)
from standfast.components.accounts.forms import AccountForm, WelcomeForm
from standfast.components.delivery.api import Route, add_domain
from standfast.platform.tenancy import account_scope

TRIAL_DOMAIN = "standfast.test"  # a reserved top-level domain (RFC 6761): nothing sent from it can leave by mistake
LABEL_OCTETS_MAX = 63


@never_cache
@sensitive_post_parameters()
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Make the first user with the link that the first start printed."""
    try:
        check_first_link(token)
        form = WelcomeForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return render(request, "welcome.html", {"form": form})
        given = form.cleaned_data
        with transaction.atomic():
            user, account = create_first_user(
                token, email=given["email"], password=given["password"], name=given["name"],
                account_name=given["account_name"], time_zone=given["time_zone"], address=given["address"],
            )  # fmt: skip
            make_ready(account)
    except LinkSpent as error:
        return render(request, "welcome_spent.html", {"text": str(error)}, status=410)
    return sign_in(request, user, url=f"/accounts/{account.pk}/")


@login_required
def new_account(request: HttpRequest) -> HttpResponse:
    """Another account, with its maker as the administrator."""
    form = AccountForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "new_account.html", {"form": form})
    given = form.cleaned_data
    maker: Any = request.user
    with transaction.atomic():
        account = create_account(
            maker, name=given["account_name"], time_zone=given["time_zone"], address=given["address"]
        )
        make_ready(account)
    return redirect(f"/accounts/{account.pk}/")


def make_ready(account: Account) -> None:
    """A sending domain to try with, and the bundled inbox as the way out."""
    with account_scope(account.pk):
        add_domain(account_id=account.pk, domain=trial_domain(account))
        Route.objects.create(account=account)


def trial_domain(account: Account) -> str:
    """acme-shop.standfast.test for "Acme Shop"; by its number where nothing of the name can stand in a domain."""
    label = re.sub("[-_]+", "-", slugify(account.name))[:LABEL_OCTETS_MAX].strip("-")
    return f"{label or f'account-{account.pk}'}.{TRIAL_DOMAIN}"
