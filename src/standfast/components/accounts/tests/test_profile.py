"""One's own profile, the sign-in, and the page that leads on."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client
from tests.visitors import signed_in

from standfast.components.accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def forget_attempts():
    cache.clear()


def test_another_address_needs_the_password_and_closes_the_old_way_in(cast):
    EmailAddress.objects.create(user=cast.alice, email=cast.alice.email, verified=True, primary=True)
    before, after = cast.alice.email, f"Alice.New-{cast.alice.pk}@example.com"
    alice = signed_in(cast.alice)
    assert "not your password" in alice.post("/profile/", {"name": "Alice", "email": after}).content.decode()
    assert alice.post("/profile/", {"name": "Alice B", "email": after, "password": PASSWORD}).status_code == 302
    cast.alice.refresh_from_db()
    assert (cast.alice.name, cast.alice.email) == ("Alice B", after.lower())
    assert Client().post("/login/", {"login": before, "password": PASSWORD}).status_code == 200
    assert Client().post("/login/", {"login": after, "password": PASSWORD}).status_code == 302


def test_an_address_of_somebody_else_is_refused(cast):
    answer = signed_in(cast.alice).post(
        "/profile/", {"name": "A", "email": cast.charlie.email.upper(), "password": PASSWORD}
    )
    assert "Somebody else signs in" in answer.content.decode()


def test_pages_for_who_is_signed_in_send_others_to_the_sign_in(cast):
    for url in ("/profile/", "/accounts/new/", f"/accounts/{cast.account.pk}/team/", "/"):
        answer = Client().get(url)
        assert answer.status_code == 302
        assert answer.url == f"/login/?next={url}"


def test_home_leads_to_the_last_account(cast):
    alice = signed_in(cast.alice)
    assert alice.get("/").url == f"/accounts/{cast.account.pk}/"
    nobody = User.objects.create_user(f"nobody-{cast.account.pk}@example.com", PASSWORD)
    assert signed_in(nobody).get("/").url == "/accounts/new/"


def test_nobody_signs_up(cast):
    answer = Client().post("/signup/", {"email": "eve@example.com", "password1": PASSWORD})
    assert "by invitation" in answer.content.decode()
    assert not User.objects.filter(email="eve@example.com").exists()


def test_guessing_passwords_is_slowed_down(cast):
    guesser = Client()
    answers = [guesser.post("/login/", {"login": cast.bob.email, "password": f"guess {n}"}) for n in range(12)]
    assert "Too many failed" in answers[-1].content.decode() or answers[-1].status_code == 429
    assert guesser.post("/login/", {"login": cast.bob.email, "password": PASSWORD}).status_code != 302


def test_sessions_passkeys_and_two_factor_pages_open(cast):
    client = Client()
    client.post("/login/", {"login": cast.alice.email, "password": PASSWORD})
    assert client.get("/2fa/totp/activate/").url.startswith("/reauthenticate/")
    client.post("/reauthenticate/", {"password": PASSWORD})
    for url in (
        "/profile/",
        "/sessions/",
        "/2fa/",
        "/2fa/totp/activate/",
        "/2fa/webauthn/",
        "/2fa/webauthn/add/",
        "/password/change/",
    ):
        assert client.get(url).status_code == 200, url
    assert client.get("/email/").url == "/profile/"


def test_a_forgotten_password_is_mended_by_mail(cast):
    stranger = Client()
    stranger.post("/password/reset/", {"email": cast.bob.email.upper()})
    (letter,) = mail.outbox
    assert letter.to == [cast.bob.email]
    link = re.search(r"https?://[^/]+(/password/reset/key/\S+)", letter.body).group(1)
    form = stranger.get(link, follow=True)
    chosen = "another horse battery"
    stranger.post(form.request["PATH_INFO"], {"password1": chosen, "password2": chosen})
    assert Client().post("/login/", {"login": cast.bob.email, "password": chosen}).status_code == 302


def test_a_stranger_learns_nothing_from_the_reset(cast):
    answers = [Client().post("/password/reset/", {"email": email}) for email in (cast.bob.email, "nobody@example.com")]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].url == answers[1].url
