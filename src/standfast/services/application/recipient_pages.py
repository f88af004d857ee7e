"""Pages for the people who get the mail: the letter in a browser, and their preferences. No sign-in: the token in the
address, which only their letter holds, says who they are.

Looking changes nothing. Without the database they say so, and where unsubscribing goes on working: at the tracker.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from standfast.components.accounts.api import Account, time_zone_choices
from standfast.components.audience.api import Place, Preferences, change_preferences, preferences_of
from standfast.components.content.api import LinkSigner
from standfast.components.delivery.api import letter_online
from standfast.platform import config
from standfast.platform.tenancy import account_scope
from standfast.protocols.keys import derive
from standfast.protocols.tokens import RecipientRef, TokenError, open_recipient

REQUESTS_MAX = 30
WINDOW_SECONDS = 60
# The letter is user-made HTML. The sandbox without allow-same-origin gives it an origin of its own, which has none of
# our cookies and storage, wherever it is served; scripts and forms do not work in it.
LETTER_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; default-src 'none'; "
    "img-src http: https: data:; media-src http: https:; font-src http: https: data:; "
    "style-src 'unsafe-inline' http: https:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

Page = Callable[[HttpRequest, str, RecipientRef], HttpResponse]


class PreferencesForm(forms.Form):
    """Names, time zone and lists."""

    first_name = forms.CharField(required=False, max_length=255)
    last_name = forms.CharField(required=False, max_length=255)
    time_zone = forms.ChoiceField(
        required=False, help_text="So that mail comes at a good time of the day.", widget=forms.Select()
    )
    lists = forms.MultipleChoiceField(required=False, label="I want to get", widget=forms.CheckboxSelectMultiple())

    def __init__(self, found: Preferences, data: Any = None) -> None:
        """`found` is what is known now, `data` what was sent."""
        kept = [] if _is_listed(found.time_zone) else [(found.time_zone, found.time_zone)]
        initial: dict[str, Any] = {name: getattr(found, name) for name in ("first_name", "last_name", "time_zone")}
        initial["lists"] = [str(place.list_id) for place in found.places if place.subscribed]
        super().__init__(data, initial=initial)
        zones: Any = [("", "Not said"), *kept, *time_zone_choices()]
        self.fields["time_zone"].choices = zones  # type: ignore[attr-defined]
        self.fields["lists"].choices = [(str(place.list_id), _label(place)) for place in found.places]  # type: ignore[attr-defined]
        if not found.places:
            del self.fields["lists"]


def _is_listed(zone: str) -> bool:
    return not zone or any(zone == name for _, group in time_zone_choices() for name, _ in group)


def _label(place: Place) -> str:
    return f"{place.name}: {place.description}" if place.description else place.name


def for_recipient(page: Page) -> Callable[[HttpRequest, str], HttpResponse]:
    """Open the token, count the requests of its person, and enter the account's scope; called as
    page(request, token, ref). The whole page is one transaction."""

    @csrf_exempt  # the token is what gives the right, and no cookie does: another site cannot use the visitor's
    @functools.wraps(page)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        try:
            ref = open_recipient(_key(), token)
        except TokenError:
            return _kept_private(_render(request, "gone", 404))
        if _is_too_often(ref):
            answer = _render(request, "too_often", 429)
            answer["Retry-After"] = str(WINDOW_SECONDS)
            return _kept_private(answer)
        try:
            with account_scope(ref.account_id):
                return _kept_private(page(request, token, ref))
        except (OperationalError, InterfaceError):
            answer = _render(request, "away", 503, unsubscribe_url=f"{config.load().tracker_url}/u/{token}")
            answer["Retry-After"] = "30"
            return _kept_private(answer)

    return guarded


@require_safe
@for_recipient
def view(request: HttpRequest, token: str, ref: RecipientRef) -> HttpResponse:
    """The letter, in a sandbox."""
    html = letter_online(ref, token=token, key=_key())
    if html is None:
        return _render(request, "gone", 404)
    return HttpResponse(html, headers={"Content-Security-Policy": LETTER_POLICY})


@require_http_methods(["GET", "HEAD", "POST"])
@for_recipient
def preferences(request: HttpRequest, token: str, ref: RecipientRef) -> HttpResponse:
    """See and change what is known of oneself."""
    found = preferences_of(account_id=ref.account_id, contact_id=ref.contact_id, of_mail=(ref.send_id, ref.seq))
    if found is None:
        return _render(request, "gone", 404)
    form = PreferencesForm(found, request.POST if request.method == "POST" else None)
    saved = False
    if request.method == "POST" and form.is_valid():
        change_preferences(
            account_id=ref.account_id,
            contact_id=ref.contact_id,
            first_name=form.cleaned_data["first_name"],
            last_name=form.cleaned_data["last_name"],
            time_zone=form.cleaned_data["time_zone"],
            list_ids={int(one) for one in form.cleaned_data.get("lists", [])},
        )
        saved = True
    return _render(
        request, "preferences", 200 if saved or not form.errors else 422,
        form=form, saved=saved, email=_masked(found.email), stopped=found.stopped, **_sender(token, ref),
    )  # fmt: skip


def _sender(token: str, ref: RecipientRef) -> dict[str, str]:
    name = Account.objects.values_list("name", flat=True).get(pk=ref.account_id)
    tracker_url = config.load().tracker_url
    named = LinkSigner(tracker_url, _key(), ref.account_id, ref.send_id, sender=name).sender_query
    return {"sender": name, "unsubscribe_url": f"{tracker_url}/u/{token}{named}"}


def _masked(email: str) -> str:
    """Enough to know one's own address by: a letter that was passed on should not tell more."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}•••@{domain}"


def _is_too_often(ref: RecipientRef) -> bool:
    name = f"recipient-pages:{ref.account_id}:{ref.contact_id}:{ref.send_id}:{ref.seq}"
    cache.add(name, 0, WINDOW_SECONDS)
    try:
        return cache.incr(name) > REQUESTS_MAX
    except ValueError:  # ended between the two
        return False


def _key() -> bytes:
    return derive(config.load().secret(), "tokens")


def _render(request: HttpRequest, name: str, status: int, **context: Any) -> HttpResponse:
    # Without the request's context processors: the visitor is nobody here, even where a session says otherwise.
    context["csp_nonce"] = getattr(request, "csp_nonce", "")
    return HttpResponse(loader.get_template(f"recipient/{name}.html").render(context), status=status)


def _kept_private(answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = "private, no-store"
    answer["Referrer-Policy"] = "no-referrer"  # the address is the key
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer


URLS = [
    path("view/<str:token>", view, name="view"),
    path("preferences/<str:token>", preferences, name="preferences"),
]
