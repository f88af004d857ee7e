"""Sending domains and the route over our own API."""

import socket

import dns.resolver
import pytest

from standfast.components.delivery.api import Route, Send, add_domain
from standfast.platform import outbound
from standfast.platform.tenancy import account_scope
from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "s3cret of the relay"


class Answers:
    """Name servers that know these TXT records."""

    def __init__(self, records):
        self.records = records

    def resolve(self, name, kind):
        if name not in self.records:
            raise dns.resolver.NXDOMAIN
        return [type("Text", (), {"strings": [self.records[name].encode()]})]


def test_a_domain_is_added_published_checked_and_deleted(alice, charlie, people, monkeypatch):
    made = alice.v1("POST", "/sending-domains", {"domain": "https://News.Example.com/"})
    assert made.status_code == 201, made.content
    domain = made.json()
    assert (domain["domain"], domain["verified_at"]) == ("news.example.com", None)
    records = {row["key"]: row for row in domain["records"]}
    assert records.keys() == {"dkim", "dmarc", "spf"} and "v=DKIM1" in records["dkim"]["value"]
    assert {row["found"] for row in domain["records"]} == {""}

    where = f"/sending-domains/{domain['id']}"
    known = {records["dkim"]["name"]: records["dkim"]["value"]}
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: Answers(known))
    checked = alice.v1("POST", f"{where}/check").json()
    assert checked["verified_at"] and checked == alice.v1("GET", where).json()
    found = {row["key"]: (row["found"], bool(row["remedy"])) for row in checked["records"]}
    assert found["dkim"] == ("ok", False)
    assert found["dmarc"] == ("no TXT record at _dmarc.news.example.com yet", True)

    assert alice.v1("POST", "/sending-domains", {"domain": "news.example.com"}).status_code == 409
    for text in ("", "example", "127.0.0.1", "a b.com", "x\0.com", "a" * 300):
        answer = alice.v1("POST", "/sending-domains", {"domain": text})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.domain"), text
    assert charlie.v1("GET", "/sending-domains").json()["data"] == []
    assert charlie.v1("POST", f"{where}/check").status_code == 404
    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["account:read"]))
    assert reader.v1("GET", where).status_code == 200
    for method, path in (("POST", f"{where}/check"), ("DELETE", where), ("PATCH", "/route"), ("POST", "/route/probe")):
        assert reader.v1(method, path, {}).status_code == 403

    with account_scope(alice.account_id):
        send = Send.objects.create(account=people.account, sources={"from_email": "a@News.Example.com"}, nonce="x")
    assert alice.v1("DELETE", where).status_code == 409
    with account_scope(alice.account_id):
        send.delete()
    assert alice.v1("DELETE", where).status_code == 204
    assert alice.v1("GET", where).status_code == 404


def test_domains_are_paged_and_an_account_has_not_endlessly_many(alice, monkeypatch):
    monkeypatch.setattr("standfast.components.delivery.domains.DOMAINS_MAX", 2)
    with account_scope(alice.account_id):
        for name in ("a.example", "b.example"):
            add_domain(account_id=alice.account_id, domain=name)
    refused = alice.v1("POST", "/sending-domains", {"domain": "c.example"})
    assert (refused.status_code, "at most 2" in refused.json()["detail"]) == (409, True)
    page = alice.v1("GET", "/sending-domains?limit=1").json()
    rest = alice.v1("GET", f"/sending-domains?cursor={page['next']}").json()
    assert [row["domain"] for row in page["data"] + rest["data"]] == ["a.example", "b.example"]


def test_the_route_is_changed_bit_by_bit_and_its_password_stays_inside(alice, charlie):
    assert alice.v1("GET", "/route").json()["to_inbox"] is True
    given = {"to_inbox": False, "host": "SMTP.Example.com.", "username": "u", "password": SECRET, "retry_seconds": 60}
    set_ = alice.v1("PATCH", "/route", given)
    assert set_.status_code == 200, set_.content
    assert (set_.json()["host"], set_.json()["has_password"], set_.json()["port"]) == ("smtp.example.com", True, 587)
    assert SECRET.encode() not in set_.content + alice.v1("GET", "/route").content
    with account_scope(alice.account_id):
        sealed = Route.objects.get(account_id=alice.account_id).password_sealed
    assert alice.v1("PATCH", "/route", {"connections": 9}).json()["connections"] == 9
    for elsewhere in ({"host": "evil.example"}, {"port": 26}, {"username": "v"}):
        for method, path in (("PATCH", "/route"), ("POST", "/route/probe")):
            answer = alice.v1(method, path, elsewhere)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.password"), elsewhere
    for body, field in (
        ({"host": ""}, "body.host"), ({"host": "a b"}, "body.host"), ({"port": 0}, "body.port"), ({"tls": "ssl"}, "body.tls"),
        ({"retry_seconds": 3600, "retry_seconds_max": 600}, "body.retry_seconds_max"), ({"life_seconds": 1}, "body.life_seconds"),
        ({"connections": 10**400}, "body.connections"), ({"host": None}, "body.host"), ({"hostname": "x"}, "body.hostname"),
    ):  # fmt: skip
        answer = alice.v1("PATCH", "/route", body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), (body, answer.content)
    with account_scope(alice.account_id):
        route = Route.objects.get(account_id=alice.account_id)
    assert (route.password_sealed, route.host, route.connections) == (sealed, "smtp.example.com", 9)
    assert charlie.v1("GET", "/route").json()["host"] == ""
    assert alice.v1("PATCH", "/route", {"username": ""}).json()["has_password"] is False


def test_the_probe_says_what_happened_and_reaches_into_no_private_network(alice, monkeypatch):
    monkeypatch.delenv(outbound.ALLOW_PRIVATE, raising=False)
    for host in ("127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"):
        found = alice.v1("POST", "/route/probe", {"to_inbox": False, "host": host}).json()
        assert (found["ok"], "private network" in found["remedy"]) == (False, True), found
    monkeypatch.setenv(outbound.ALLOW_PRIVATE, "1")
    with socket.socket() as taken:  # and listening to nobody
        taken.bind(("127.0.0.1", 0))
        nobody = {"to_inbox": False, "host": "127.0.0.1", "port": taken.getsockname()[1]}
        found = alice.v1("POST", "/route/probe", nobody).json()
    assert (found["ok"], found["what"]) == (False, "The host could not be reached.")
    with account_scope(alice.account_id):
        assert not Route.objects.filter(account_id=alice.account_id).exists(), "nothing was saved"
