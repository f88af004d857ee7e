"""API keys in the application: made by administrators, shown once, ended at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from standfast.components.accounts import api_keys
from standfast.components.accounts.access import account_page
from standfast.components.accounts.models import ApiKey, Role
from standfast.platform import config

SHOWN_ONCE = "api_key"
RIGHTS = (("", "No access"), ("read", "Read"), ("write", "Read and write"))
LIFE = (("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"))


class KeyForm(forms.Form):
    """A name, a right for each module, where it may come from, how long it lives."""

    name = forms.CharField(max_length=api_keys.NAME_MAX, help_text="What uses it, so that you know which one to end.")
    networks = forms.CharField(
        label="Only from these addresses", required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=f"IP addresses or networks, one a line, at most {api_keys.NETWORKS_MAX}. Empty: from anywhere. "
        "Mail that brings the key in a header needs one.",
    )  # fmt: skip
    life = forms.ChoiceField(label="Ends", choices=LIFE, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for module, label in api_keys.MODULES.items():
            self.fields[f"right_{module}"] = forms.ChoiceField(label=label, choices=RIGHTS, required=False)

    @property
    def rights(self) -> list[forms.BoundField]:
        return [self[f"right_{module}"] for module in api_keys.MODULES]

    @property
    def scopes(self) -> list[str]:
        chosen = {module: self.cleaned_data.get(f"right_{module}", "") for module in api_keys.MODULES}
        return [f"{module}:{right}" for module, right in chosen.items() if right]


@never_cache
@account_page(post=Role.ADMIN)
def keys(request: HttpRequest, account_id: int) -> HttpResponse:
    """The account's keys; an administrator makes one, and sees its text this once."""
    form = KeyForm(request.POST or None, initial={"right_contacts": "write", "right_transactional": "write"})
    if request.method == "POST" and form.is_valid():
        try:
            _make(request, form)
            return redirect("accounts:keys", account_id=account_id)
        except api_keys.KeyInvalid as error:
            form.add_error("networks" if "address" in str(error) else None, str(error))
    settings = config.load()
    context = {
        "form": form,
        "keys": ApiKey.objects.filter(account_id=account_id).select_related("created_by").order_by("revoked_at", "-pk"),
        "made": request.session.pop(SHOWN_ONCE, None),
        "now": dt.datetime.now(dt.UTC),
        "is_admin": request.role == Role.ADMIN,  # type: ignore[attr-defined]
        "rest_url": settings.rest_url,
    }
    return render(request, "accounts/keys.html", context)


@require_POST
@account_page(post=Role.ADMIN)
def end(request: HttpRequest, account_id: int, key_id: int) -> HttpResponse:
    """Revoke a key."""
    account: Any = request.account  # type: ignore[attr-defined]
    key = ApiKey.objects.filter(account_id=account_id, pk=key_id).first()
    if key is None:
        raise Http404
    if api_keys.revoke_key(account, key_id):
        messages.success(request, f"The key “{key.name}” lets nobody in any more.")
    return redirect("accounts:keys", account_id=account_id)


def _make(request: HttpRequest, form: KeyForm) -> None:
    days = form.cleaned_data["life"]
    key, text = api_keys.make_key(
        request.account,  # type: ignore[attr-defined]
        name=form.cleaned_data["name"],
        scopes=form.scopes,
        by=request.user,  # type: ignore[arg-type]
        networks=form.cleaned_data["networks"].replace(",", "\n").split(),
        expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=int(days)) if days else None,
    )
    request.session[SHOWN_ONCE] = {"name": key.name, "text": text}
