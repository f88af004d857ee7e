"""The first user: made once, with an account that can send to the bundled inbox."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.test import Client

from standfast.components.accounts.api import Membership, User, make_first_link
from standfast.components.delivery.api import Route, SendingDomain
from standfast.platform.tenancy import account_scope
from standfast.services.application import welcome

FORM = {
    "name": "Alice",
    "email": "Alice@Example.com",
    "password": "correct horse battery",
    "account_name": "Alice & Søn’s _Shop_",
    "time_zone": "Europe/Prague",
    "address": "1 High Street",
}


@pytest.fixture
def token(db, monkeypatch):
    """A link as a new installation has it; other tests' people are overlooked."""

    class Empty:
        @staticmethod
        def exists():
            return False

    class Nobody:
        class objects:
            exists = Empty.exists
            create_user = User.objects.create_user

    monkeypatch.setattr("standfast.components.accounts.first_link.User", Nobody)
    User.objects.filter(email__iexact=FORM["email"]).update(email=f"gone-{User.objects.count()}@example.com")
    return make_first_link()


@pytest.mark.django_db(transaction=True)
def test_the_first_user_gets_an_account_that_can_send_to_the_inbox(token):
    client = Client()
    assert client.get(f"/welcome/{token}").status_code == 200
    answer = client.post(f"/welcome/{token}", FORM)
    account_id = int(answer.url.split("/")[2])
    assert answer.url == f"/accounts/{account_id}/"
    with account_scope(account_id):
        assert SendingDomain.objects.get(account_id=account_id).domain == "alice-sns-shop.standfast.test"
        assert Route.objects.get(account_id=account_id).to_inbox
        assert Membership.objects.get(account_id=account_id).user.email == "alice@example.com"
    assert client.get("/").url == answer.url  # signed in
    assert "This one" in client.get("/sessions/").content.decode()

    again = client.post(f"/welcome/{token}", FORM)
    assert again.status_code == 410
    assert "link has ended" in again.content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_submits_at_once_make_one_user(token):
    together = threading.Barrier(2)
    statuses = []

    def submit(email):
        try:
            together.wait()
            statuses.append(Client().post(f"/welcome/{token}", FORM | {"email": email}).status_code)
        finally:
            connection.close()

    mark = token[:8].lower().replace("-", "x").replace("_", "x")
    emails = [f"one-{mark}@example.com", f"two-{mark}@example.com"]
    threads = [threading.Thread(target=submit, args=(email,)) for email in emails]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [302, 410]
    assert User.objects.filter(email__in=emails).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_weak_password_spends_nothing(token):
    answer = Client().post(f"/welcome/{token}", FORM | {"password": "alice@example.com"})
    assert answer.status_code == 200
    assert "too similar" in answer.content.decode()
    assert Client().post(f"/welcome/{token}", FORM).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_a_token_that_was_never_ours_shows_the_friendly_page():
    answer = Client().get("/welcome/guessed")
    assert answer.status_code == 410
    assert "Sign in" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_another_account_starts_empty_and_is_its_makers(cast):
    client = Client()
    client.force_login(cast.bob, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post("/accounts/new/", {"account_name": "日本", "time_zone": "Asia/Tokyo", "address": ""})
    account_id = int(answer.url.split("/")[2])
    with account_scope(account_id):
        assert SendingDomain.objects.get(account_id=account_id).domain == f"account-{account_id}.standfast.test"
        assert Membership.objects.get(account_id=account_id).role == "admin"


def test_trial_domains_are_host_names():
    from standfast.components.accounts.api import Account

    assert welcome.trial_domain(Account(pk=7, name="-")) == "account-7.standfast.test"
    assert welcome.trial_domain(Account(pk=7, name="A" * 62 + " b")) == "a" * 62 + ".standfast.test"
