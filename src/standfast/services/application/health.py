"""Health endpoints of what this process serves and can see: signing in, and whether due campaigns leave.

Not for people: nothing here needs a session, and none is begun. docs/operations.md describes them.
"""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.template.loader import get_template
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from standfast.components.accounts.api import User
from standfast.platform.health import Health, Unhealthy
from standfast.platform.heartbeat import heartbeats

SILENT_SECONDS = 30
WORKERS = ("campaigns", "consumers", "sending")


def _page() -> str:
    get_template("account/login.html")
    return "the sign-in page can be made"


def _database() -> str:
    User.objects.values_list("pk", flat=True).first()
    return "users can be read"


def _sessions() -> str:
    """A session is written and taken back, as signing in would write one."""
    with transaction.atomic():
        store = SessionStore()
        store["health"] = True
        store.create()
        transaction.set_rollback(True)
    return "a session can be written"


def _workers() -> str:
    with connection.cursor() as cursor:
        found = heartbeats(cursor)
    silent = [name for name in WORKERS if name not in found or found[name].seconds > SILENT_SECONDS]
    if silent:
        raise Unhealthy(f"no sign of {', '.join(silent)} within {SILENT_SECONDS} s")
    return "all kinds of worker are at work"


def _on_time() -> str:
    with connection.cursor() as cursor:
        tending = heartbeats(cursor).get("campaigns")
    late = tending.detail.get("late_campaigns", 0) if tending else 0
    if late:
        raise Unhealthy(f"{late} due campaigns have not begun to leave")
    return "no campaign is late"


_LOGIN = Health("application-login", {"page": _page, "database": _database, "sessions": _sessions})
_SENDS = Health("campaign-sends", {"workers": _workers, "on time": _on_time})


@never_cache
@require_safe
def application_login(_request: HttpRequest) -> JsonResponse:
    """Whether people can sign in."""
    status, body = _LOGIN.answer()
    return JsonResponse(body, status=status)


@never_cache
@require_safe
def campaign_sends(_request: HttpRequest) -> JsonResponse:
    """Whether campaigns leave."""
    status, body = _SENDS.answer()
    return JsonResponse(body, status=status)


URLS = [
    path("healthz/application-login", application_login, name="application_login"),
    path("healthz/campaign-sends", campaign_sends, name="campaign_sends"),
]
