"""The pages of domains and relay, with Django's client, a real mail server, and Charlie."""

from __future__ import annotations

import socket

import dns.resolver
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from tests.visitors import signed_in

from standfast.components.delivery.models import Route, Send, SendingDomain, SendState
from standfast.components.delivery.routes import PASSWORD
from standfast.platform import outbound, sealing
from standfast.platform.tenancy import account_scope

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore:Requiring AUTH")]
RELAY = {
    "to_inbox": "relay", "host": "127.0.0.1", "port": 2525, "tls": "none", "username": "", "password": "",
    "connections": 4, "retry_seconds": 60, "retry_seconds_max": 3600, "life_seconds": 86400,
}  # fmt: skip


def url(cast, rest):
    return f"/accounts/{cast.account.pk}/settings/{rest}"


def add(cast, name="news.example.com") -> str:
    answer = signed_in(cast.alice).post(url(cast, "domains/"), {"domain": name})
    assert answer.status_code == 302, answer.content.decode()
    return answer.url


class Answers:
    """Name servers that know these TXT records."""

    def __init__(self, records):
        self.records = records

    def resolve(self, name, kind):
        if name not in self.records:
            raise dns.resolver.NXDOMAIN
        return [type("Text", (), {"strings": [self.records[name].encode()]})]


def test_a_domain_is_added_checked_and_shows_what_is_missing(cast, monkeypatch):
    page = add(cast, " https://News.Example.com/ ")
    alice = signed_in(cast.alice)
    assert "v=DKIM1" in alice.get(page).content.decode()
    with account_scope(cast.account.pk):
        made = SendingDomain.objects.get(account_id=cast.account.pk)
    assert made.domain == "news.example.com"

    name = f"{made.selector}._domainkey.news.example.com"
    known = {name: made.public_record, "_dmarc.news.example.com": "v=spf1 -all"}
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: Answers(known))
    shown = alice.post(f"{page}check", follow=True).content.decode()
    assert "1 of 3 records found" in shown
    assert "is no DMARC" in shown
    assert "No TXT record at bounces.standfast.test yet" in shown
    with account_scope(cast.account.pk):
        assert SendingDomain.objects.get(pk=made.pk).verified_at  # DKIM is what decides
    known[name] = "v=DKIM1; p=other"
    assert "another key" in alice.post(f"{page}check", follow=True).content.decode()
    with account_scope(cast.account.pk):
        assert SendingDomain.objects.get(pk=made.pk).verified_at is None


@pytest.mark.parametrize(
    "text", ["", "example", "127.0.0.1", "a b.com", "-x.com", "x..com", "a" * 64 + ".com", "<script>.com"]
)
def test_what_is_no_domain_is_refused(cast, text):
    answer = signed_in(cast.alice).post(url(cast, "domains/"), {"domain": text})
    assert answer.status_code == 200
    assert "has-error" in answer.content.decode()


def test_a_domain_stands_once_in_an_account_but_in_two_accounts(cast):
    add(cast)
    again = signed_in(cast.alice).post(url(cast, "domains/"), {"domain": "NEWS.example.com"})
    assert "is here already" in again.content.decode()
    theirs = signed_in(cast.charlie).post(
        f"/accounts/{cast.other.pk}/settings/domains/", {"domain": "news.example.com"}
    )
    assert theirs.status_code == 302


def test_a_domain_that_mail_is_leaving_from_is_kept(cast):
    page = add(cast, "example.com")
    alice = signed_in(cast.alice)
    with account_scope(cast.account.pk):
        send = Send.objects.create(account=cast.account, sources={"from_email": "a@News.Example.com"}, nonce="x")
    assert "being sent" in alice.post(f"{page}delete", follow=True).content.decode()
    with account_scope(cast.account.pk):
        Send.objects.filter(pk=send.pk).update(state=SendState.FINISHED)
    alice.post(f"{page}delete")
    assert alice.get(page).status_code == 404


def test_the_password_is_sealed_never_shown_and_never_goes_elsewhere(cast):
    alice = signed_in(cast.alice)
    secret = "s3cret of the relay"
    given = RELAY | {"host": "SMTP.Example.com.", "tls": "required", "username": "u", "password": secret}
    assert alice.post(url(cast, "relay/"), given).status_code == 302
    with account_scope(cast.account.pk):
        route = Route.objects.get(account_id=cast.account.pk)
    assert (route.to_inbox, route.host, route.retry_seconds) == (False, "smtp.example.com", 60)
    assert secret not in route.password_sealed
    assert sealing.unseal(route.password_sealed, purpose=PASSWORD) == secret
    shown = alice.get(url(cast, "relay/")).content.decode()
    assert secret not in shown
    assert route.password_sealed not in shown

    kept = given | {"password": "", "connections": 9}
    assert alice.post(url(cast, "relay/"), kept).status_code == 302
    with account_scope(cast.account.pk):
        assert sealing.unseal(Route.objects.get(pk=route.pk).password_sealed, purpose=PASSWORD) == secret
    for elsewhere in ({"host": "evil.example"}, {"port": 26}, {"username": "v"}):
        for door in ("relay/", "relay/test"):
            assert "Type the password again" in alice.post(url(cast, door), kept | elsewhere).content.decode()
    assert alice.post(url(cast, "relay/"), kept | {"username": ""}).status_code == 302
    with account_scope(cast.account.pk):
        assert Route.objects.get(pk=route.pk).password_sealed == ""


def test_waits_are_chosen_in_words_and_odd_ones_are_kept(cast):
    with account_scope(cast.account.pk):
        Route.objects.create(account=cast.account, retry_seconds=90)
    shown = signed_in(cast.alice).get(url(cast, "relay/")).content.decode()
    assert '<option value="90" selected>90 seconds</option>' in shown
    assert '<option value="172800" selected>2 days</option>' in shown
    refused = RELAY | {"retry_seconds": 3600, "retry_seconds_max": 600}
    assert "has-error" in signed_in(cast.alice).post(url(cast, "relay/"), refused).content.decode()


class Takes:
    """An authenticator with one user."""

    def __call__(self, server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"u", b"right"), handled=False)


@pytest.fixture
def mail_server():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(
        object(), hostname="127.0.0.1", port=port, authenticator=Takes(), auth_require_tls=False, auth_required=True
    )
    controller.start()
    yield port
    controller.stop()


def test_the_test_button_connects_and_says_what_happened(cast, mail_server, monkeypatch):
    monkeypatch.setenv(outbound.ALLOW_PRIVATE, "1")
    alice = signed_in(cast.alice)

    def tried(**given):
        return alice.post(url(cast, "relay/test"), RELAY | {"port": mail_server} | given).content.decode()

    assert "signed in as u" in tried(username="u", password="right")
    refused = tried(username="u", password="wrong")
    assert "did not take the user and password" in refused
    assert "535" in refused
    assert "offers no STARTTLS" in tried(tls="required")
    assert "could not be reached" in tried(port=1)
    assert "there is no host" in tried(host="nowhere.invalid")
    with account_scope(cast.account.pk):
        assert not Route.objects.filter(account_id=cast.account.pk).exists()  # nothing was saved


def test_the_test_button_does_not_reach_into_the_private_network(cast, mail_server, monkeypatch):
    monkeypatch.delenv(outbound.ALLOW_PRIVATE, raising=False)
    alice = signed_in(cast.alice)
    for host in ("127.0.0.1", "localhost", "::1", "169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1"):
        answer = alice.post(url(cast, "relay/test"), RELAY | {"host": host, "port": mail_server})
        assert "private network" in answer.content.decode(), host


def test_bob_looks_but_only_an_administrator_changes(cast):
    page = add(cast)
    bob = signed_in(cast.bob)
    for rest in ("domains/", "relay/"):
        assert bob.get(url(cast, rest)).status_code == 200
        assert bob.post(url(cast, rest), RELAY | {"domain": "b.example"}).status_code == 403
    assert bob.get(page).status_code == 200
    assert bob.post(f"{page}delete").status_code == 403
    assert bob.post(url(cast, "relay/test"), RELAY).status_code == 403


def test_charlie_meets_404_everywhere_and_finds_nothing_through_his_own(cast):
    page = add(cast, "alices.example.com")
    charlie = signed_in(cast.charlie)
    for rest in ("domains/", "relay/"):
        assert charlie.get(url(cast, rest)).status_code == 404
        assert charlie.post(url(cast, rest), RELAY).status_code == 404
    own = page.replace(f"/{cast.account.pk}/", f"/{cast.other.pk}/", 1)
    for where in (page, own):
        assert charlie.get(where).status_code == 404
        assert charlie.post(f"{where}check").status_code == 404
        assert charlie.post(f"{where}delete").status_code == 404
    assert charlie.post(url(cast, "relay/test"), RELAY).status_code == 404
    assert "alices.example.com" not in charlie.get(f"/accounts/{cast.other.pk}/settings/domains/").content.decode()
