"""Every door of an account, found by walking the addresses: a new page cannot forget whom it must not let in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from standfast.components.accounts.api import Membership, Role
from standfast.platform.tenancy import account_scope

# A POST that changes nothing, or only who asks: a reader may.
READERS_MAY_POST = {"content/<int:content_id>/preview/", "team/leave"}
PREFIX = "accounts/<int:account_id>/"
BIG = 10**30
pytestmark = pytest.mark.django_db(transaction=True)


def _routes(resolver: Any = None, before: str = "") -> Iterator[str]:
    for each in (resolver or get_resolver()).url_patterns:
        route = before + str(each.pattern).lstrip("^")
        if isinstance(each, URLResolver):
            yield from _routes(each, route)
        elif isinstance(each, URLPattern):
            yield route


def _filled(route: str, account_id: int, number: int = 1) -> str:
    path = "/" + route.replace("<int:account_id>", str(account_id))
    for kind in ("int:", "str:", "path:"):
        while f"<{kind}" in path:
            before, _, rest = path.partition(f"<{kind}")
            path = before + (str(number) if kind == "int:" else "open") + rest.partition(">")[2]
    return path


DOORS = sorted({route for route in _routes() if route.startswith(PREFIX)})


def _client(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_doors_are_found():
    assert len(DOORS) > 60


def test_a_stranger_finds_nothing(cast):
    charlie = _client(cast.charlie)
    for route in DOORS:
        path = _filled(route, cast.account.pk)
        for answer in (charlie.get(path), charlie.post(path)):
            # 405 tells a stranger nothing: it is the same for accounts that do not exist
            assert answer.status_code in (404, 405), (path, answer.status_code)


def test_whoever_is_not_signed_in_goes_to_the_sign_in(cast):
    for route in DOORS:
        path = _filled(route, cast.account.pk)
        for answer in (Client().get(path), Client().post(path)):
            if answer.status_code != 405:
                assert answer.status_code == 302, (path, answer.status_code)
                assert answer["Location"].startswith("/login/"), (path, answer["Location"])


def test_a_reader_changes_nothing(cast):
    with account_scope(cast.account.pk):
        Membership.objects.filter(user=cast.bob).update(role=Role.READER)
    bob = _client(cast.bob)
    for route in DOORS:
        if route.removeprefix(PREFIX) not in READERS_MAY_POST:
            path = _filled(route, cast.account.pk)
            assert bob.post(path).status_code in (403, 405), path


def test_a_form_without_its_token_is_refused(cast):
    alice = Client(enforce_csrf_checks=True)
    alice.force_login(cast.alice, backend="django.contrib.auth.backends.ModelBackend")
    for route in DOORS:
        path = _filled(route, cast.account.pk)
        assert alice.post(path).status_code == 403, path


def test_no_number_and_no_text_in_an_address_breaks_a_page(cast):
    alice = _client(cast.alice)
    for route in DOORS:
        for path in (_filled(route, cast.account.pk, BIG), _filled(route, BIG, BIG)):
            assert alice.get(path).status_code < 500, path
        for odd in ("\0", "%", "'\"--", "9" * 40, "-1", "\u202e"):
            names = (
                "q",
                "before",
                "after",
                "page",
                "state",
                "as",
                "email",
                "back",
                "sort",
                "status",
                "next",
                "send_id",
            )
            answer = alice.get(_filled(route, cast.account.pk), dict.fromkeys(names, odd))
            assert answer.status_code < 500, (route, odd)
    for path in (f"/join/{BIG}/x", f"/join/{cast.account.pk}/%00", "/welcome/%00", "/login/?next=//evil.example"):
        assert Client().get(path).status_code < 500, path


def test_pages_of_an_account_are_not_kept_by_caches_and_run_no_foreign_script(cast):
    alice = _client(cast.alice)
    for route in DOORS:
        answer = alice.get(_filled(route, cast.account.pk))
        if answer.status_code in (200, 404):
            policy = answer["Content-Security-Policy"]
            assert "script-src 'self'" in policy and "frame-ancestors 'self'" in policy, route
            assert answer["X-Content-Type-Options"] == "nosniff", route
        if answer.status_code == 200:
            assert "no-store" in answer.get("Cache-Control", ""), route


def test_no_page_shows_the_inside_of_python(cast):
    alice = _client(cast.alice)
    for route in DOORS:
        answer = alice.get(_filled(route, cast.account.pk))
        if not answer.streaming:
            assert b" object at 0x" not in answer.content, route
