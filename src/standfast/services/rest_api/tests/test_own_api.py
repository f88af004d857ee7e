"""Our own API, walked by its OpenAPI document: keys that may not, Charlie, and what each part does."""

import datetime as dt
import json
import os
import re
from urllib.parse import urlencode

import dns.resolver
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from standfast.components.accounts.api import SCOPES, ApiKey, revoke_key
from standfast.components.delivery.api import add_domain
from standfast.platform import outbound
from standfast.platform.tenancy import account_scope
from standfast.services.rest_api import mounted  # noqa: F401 - fills the API, whichever test is the first
from standfast.services.rest_api.own import api
from standfast.services.rest_api.tests.caller import Caller, key_of
from standfast.services.rest_api.tests.sending import sent_campaign

pytestmark = pytest.mark.django_db(transaction=True)


def operations() -> list[tuple[str, str, str]]:
    """(method, path, scope) of the whole document."""
    return [
        (method.upper(), path.removeprefix("/api/v1"), one["x-scope"])
        for path, methods in api.get_openapi_schema(path_prefix="/api/v1")["paths"].items()
        for method, one in methods.items()
    ]


# Bodies of operations that look at the body before they look for what the path names.
BODIES = {
    "subscribe": {"contact_ids": [1]}, "unsubscribe": {"contact_ids": [1]}, "schedule": {"send_at": "2099-01-01T00:00:00Z"},
    "test": {"emails": ["a@shop.example"]}, "tags": {"tag_ids": []}, "{tag_id}": {"name": "x"}, "entries": {"entries": ["a"]},
    "upsert": {"rows": [{"a": 1}]}, "delete": {"keys": [1]},
    "do-not-mail": {"email": "a@shop.example"}, "lift": {"email": "a@shop.example"}, "again": {"first": 1, "last": 2},
}  # fmt: skip


def body_of(method, path):
    return BODIES.get(path.rpartition("/")[2], {}) if method in ("POST", "PATCH", "PUT") else None


def filled(path, ids=None):
    """The path with an id for every parameter."""
    ids = ids or {}
    return re.sub(r"\{(\w+)\}", lambda name: str(ids.get(name[1], "open" if name[1] == "report" else 1)), path)


def test_every_operation_refuses_keys_that_may_not(alice, charlie, people):
    found = operations()
    assert len(found) > 60
    keys = {name: key_of(people.account, people.alice) for name in ("revoked", "expired")}
    with account_scope(people.account.pk):
        newest = ApiKey.objects.filter(account=people.account).order_by("-pk")
        assert revoke_key(people.account, newest[1].pk)
        newest.filter(pk=newest[0].pk).update(expires_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    keys["none"] = ""
    keys["crossed"] = alice.key.replace(f"sf_{alice.account_id}_", f"sf_{charlie.account_id}_")
    keys["far"] = key_of(people.account, people.alice, networks=["192.0.2.9"])
    lacking = {
        module: key_of(people.account, people.alice, scopes=[one for one in SCOPES if one.partition(":")[0] != module])
        for module in {scope.partition(":")[0] for _, _, scope in found}
    }
    reads = key_of(people.account, people.alice, scopes=[scope for scope in SCOPES if scope.endswith(":read")])
    for method, path, scope in found:
        reader = (
            Caller(alice.client, alice.account_id, reads).v1(method, filled(path), body_of(method, path)).status_code
        )
        assert reader in (403, 422) if scope.endswith(":write") else reader not in (401, 403), (method, path, reader)
        answers = {
            name: Caller(alice.client, alice.account_id, key)
            .v1(method, filled(path), body_of(method, path))
            .status_code
            for name, key in {**keys, "lacking": lacking[scope.partition(":")[0]]}.items()
        }
        said = answers.pop("lacking")
        assert answers == {"revoked": 401, "expired": 401, "none": 401, "crossed": 401, "far": 403}, (method, path)
        assert said in (403, 422), (method, path, said)  # 422: the body is looked at first


def test_no_operation_shows_or_changes_what_is_another_accounts(alice, charlie, people, loader):
    ids = {
        "contact_id": alice.v1("POST", "/contacts", {"email": "ann@example.net"}).json()["id"],
        "list_id": alice.v1("POST", "/lists", {"name": "News"}).json()["id"],
        "content_id": alice.v1("POST", "/contents", {"name": "Letter"}).json()["id"],
        "domain_id": alice.v1("POST", "/sending-domains", {"domain": "shop.example"}).json()["id"],
        "campaign_id": sent_campaign(people.account.pk, loader).campaign_id,
    }
    walked = 0
    for method, path, _ in operations():
        if "{" not in path or path.startswith("/transactional"):
            continue
        walked += 1
        answer = charlie.v1(method, filled(path, ids), body_of(method, path))
        assert answer.status_code == 404, (method, path, answer.status_code, answer.content[:300])
    assert walked > 35
    for name, where in (("contact_id", "contacts"), ("content_id", "contents"), ("campaign_id", "campaigns")):
        assert alice.v1("GET", f"/{where}/{ids[name]}").status_code == 200


def test_people_are_made_found_paged_and_erased_and_charlie_sees_none(alice, charlie):
    made = alice.v1("POST", "/contacts", {"email": "Ann@Example.net", "first_name": "Ann"})
    assert made.status_code == 201
    ann = made.json()
    assert (
        alice.v1("POST", "/contacts", {"email": "ann@example.net", "last_name": "Archer"}).json()["first_name"] == "Ann"
    )
    bulk = alice.v1(
        "POST", "/contacts/bulk", {"contacts": [{"email": f"p{n}@example.net"} for n in range(5)] + [{"email": "no"}]}
    )
    assert [row["outcome"] for row in bulk.json()["results"]] == ["created"] * 5 + ["refused"]
    seen, cursor = [], ""
    while cursor is not None:
        page = alice.v1("GET", f"/contacts?limit=2&cursor={cursor}").json()
        seen += [row["email"] for row in page["data"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 6
    assert alice.v1("GET", "/contacts?email=ANN@example.net").json()["data"][0]["id"] == ann["id"]
    assert charlie.v1("GET", f"/contacts/{ann['id']}").status_code == 404
    assert charlie.v1("GET", "/contacts").json()["data"] == []
    assert charlie.v1("DELETE", f"/contacts/{ann['id']}").status_code == 404
    assert alice.v1("DELETE", f"/contacts/{ann['id']}").status_code == 204
    assert alice.v1("GET", f"/contacts/{ann['id']}").status_code == 404


def test_lists_and_do_not_mail(alice, charlie):
    person = alice.v1("POST", "/contacts", {"email": "ann@example.net"}).json()
    chosen = alice.v1("POST", "/lists", {"name": "News"}).json()
    assert alice.v1("POST", f"/lists/{chosen['id']}/subscribe", {"contact_ids": [person["id"]]}).json() == {
        "changed": 1
    }
    assert [one["id"] for one in alice.v1("GET", f"/lists/{chosen['id']}/contacts").json()["data"]] == [person["id"]]
    assert charlie.v1("GET", f"/lists/{chosen['id']}/contacts").status_code == 404
    assert charlie.v1("POST", f"/lists/{chosen['id']}/subscribe", {"contact_ids": [person["id"]]}).status_code in (
        404,
        422,
    )
    assert alice.v1("POST", f"/lists/{chosen['id']}/unsubscribe", {"contact_ids": [person["id"]]}).json() == {
        "changed": 1
    }
    assert alice.v1("POST", "/do-not-mail", {"emails": ["ann@example.net"]}).json() == {"changed": 1}
    assert alice.v1("GET", "/do-not-mail?email=ann@example.net").json()["data"][0]["reason"] == "api"
    assert charlie.v1("GET", "/do-not-mail?email=ann@example.net").json()["data"] == []
    assert alice.v1("POST", "/do-not-mail/lift", {"emails": ["ann@example.net"]}).json() == {"changed": 1}


def test_a_message_is_taken_once_under_a_key(alice, charlie, people):
    with account_scope(people.account.pk):
        add_domain(account_id=people.account.pk, domain="shop.example")
    given = {"name": "Receipts", "from_email": "r@shop.example", "subject": "Order {{ tag.order }}"}
    campaign = alice.v1("POST", "/transactional-campaigns", given).json()
    assert alice.v1("POST", "/transactional-campaigns", given).status_code == 409
    body = {
        "campaign_id": campaign["id"],
        "messages": [{"email": "a@people.example", "html": "<p>{{ tag.order }}</p>", "tags": {"order": 1}}],
    }
    first = alice.v1("POST", "/messages", body, **{"idempotency-key": "k1"})
    again = alice.v1("POST", "/messages", body, **{"idempotency-key": "k1"})
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json() == {"data": [{"number": 1, "again": False}]}
    where = f"/transactional-campaigns/{campaign['id']}/messages/1"
    assert alice.v1("GET", where).json()["status"] == "pending"
    assert charlie.v1("GET", where).status_code == 404
    assert charlie.v1("POST", "/messages", body).status_code == 404
    bad = alice.v1("POST", "/messages", {**body, "messages": [{"email": "a@people.example", "html": "{% if %}"}]})
    assert bad.status_code == 422 and bad.json()["errors"][0]["field"] == "body.messages.content"


@pytest.fixture
def no_network(monkeypatch):
    """Nothing is looked up and nobody is connected to, whatever hosts are made up."""

    async def refused(host, port):
        raise outbound.OutboundRefused("there is no network in this test", permanent=True)

    def unknown(*_):
        raise dns.resolver.NXDOMAIN

    monkeypatch.setattr(outbound, "_resolve", refused)
    monkeypatch.setattr(dns.resolver.Resolver, "resolve", unknown)


EXAMPLES = int(os.environ.get("STANDFAST_FUZZ_EXAMPLES", "3"))  # an operation; `make fuzz` takes hundreds


def test_schemathesis_finds_nothing(alice, no_network):
    """Every operation with made-up requests, good and bad: never a 5xx, and what the document says is what comes."""
    document = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/v1"))
    count = 0
    for found in document.get_all_operations():
        operation = found.ok()

        @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES < 100, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(case=operation.as_strategy())
        def try_it(case):
            nonlocal count
            count += 1
            path, body = asked(case)
            kind = case.media_type or "application/json"
            answer = alice.client.generic(
                case.method, path, body, content_type=kind, headers={"authorization": f"Bearer {alice.key}"}
            )
            assert answer.status_code < 500, (case.method, path, body, answer.content[:500])
            known = {int(code) for code in operation.definition.raw["responses"]}
            assert answer.status_code in known, (case.method, path, body, answer.status_code, answer.content[:300])
            if answer.headers["Content-Type"].startswith("application/problem"):
                assert all(fault["remedy"] for fault in answer.json().get("errors", [])), (
                    path,
                    body,
                    answer.content[:500],
                )

        try_it()
    assert count > 100


def asked(case) -> tuple[str, bytes]:
    """Path with query, and body, of a made-up request."""
    made = case.as_transport_kwargs(base_url="http://test")
    params = made.get("params") or {}
    if not isinstance(params, str):
        params = urlencode({key: value for key, value in params.items() if value is not None}, doseq=True)
    body = made.get("json", made.get("data"))
    if body is not None and not isinstance(body, bytes | str):
        body = json.dumps(body)
    body = (body or "").encode("utf-8", "surrogatepass") if not isinstance(body, bytes) else body
    return made["url"].removeprefix("http://test") + (f"?{params}" if params else ""), body


@given(st.binary(max_size=200))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_as_a_body_are_answered_with_a_reason(alice, noise):
    answer = alice.v1("POST", "/contacts", noise)
    assert 400 <= answer.status_code < 500
    assert answer.json()["title"]


def test_an_idempotency_key_lends_nobody_a_right(alice, people):
    weak = Caller(alice.client, people.account.pk, key_of(people.account, people.alice, scopes=["reports:read"]))
    headers = {"idempotency-key": "order-1"}
    body = {"url": "https://example.com/hook"}
    assert weak.v1("POST", "/webhooks", body, **headers).status_code == 403
    made = alice.v1("POST", "/webhooks", body, **headers)  # the refusal was not kept
    assert made.status_code == 201 and made.json()["secret"]
    again = alice.v1("POST", "/webhooks", body, **headers)
    assert (
        again.json() == made.json() and again.headers["Idempotent-Replayed"] == "true" and "scope" not in again.headers
    )
    refused = weak.v1("POST", "/webhooks", body, **headers)
    assert refused.status_code == 403 and "secret" not in refused.content.decode().replace("secrets", "")
