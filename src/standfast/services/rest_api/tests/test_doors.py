"""What holds at both doors, whatever the endpoint: keys, limits, shapes of errors, ids, bodies that are none."""

import json
import threading

import pytest
from django.db import connection

from standfast.platform.rest.call import CallError, parse_body, parse_query
from standfast.platform.rest.limits import Busy, Gate
from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_account_of_the_key(alice, charlie, people):
    answer = alice.v1("GET", "/account")
    assert answer.status_code == 200
    assert answer.json()["id"] == people.account.pk
    assert charlie.v1("GET", "/account").json()["id"] == people.other.pk
    assert answer.headers["RateLimit"] == '"concurrent";r=9'
    assert answer.headers["X-Request-Id"]


def test_an_etag_saves_the_body(alice):
    tag = alice.v1("GET", "/account").headers["ETag"]
    assert alice.v1("GET", "/account", **{"if-none-match": tag}).status_code == 304
    assert alice.v1("GET", "/account", **{"if-none-match": 'W/"else"'}).status_code == 200


@pytest.mark.parametrize("key", ["", "nonsense", "sf_1_" + "x" * 43, "sf_99999999999999999_" + "x" * 43])
def test_without_a_key_nothing(alice, key):
    stranger = Caller(alice.client, alice.account_id, key)
    answer = stranger.v1("GET", "/account")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 401
    assert stranger.get("lists").status_code == 401
    assert stranger.get("lists").json()["error"]


def test_a_key_of_another_account_opens_nothing(alice, charlie):
    crossed = Caller(alice.client, alice.account_id, charlie.key)
    assert crossed.get("lists").status_code == 401


def test_a_scope_that_lacks_is_named(alice, people):
    narrow = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["contacts:read"]))
    answer = narrow.v1("GET", "/account")
    assert answer.status_code == 403
    assert "account:read" in answer.json()["detail"]


def test_the_document_and_its_explorer_are_open(alice):
    document = alice.client.get("/api/v1/openapi.json")
    assert document.json()["openapi"].startswith("3.1")
    explorer = alice.client.get("/api/v1/docs")
    assert explorer.status_code == 200
    assert b"http" not in explorer.content.replace(b"http-equiv", b""), "it works without the Internet"
    assert "script-src 'self'" in explorer.headers["Content-Security-Policy"]
    assert "'none'" in alice.v1("GET", "/account").headers["Content-Security-Policy"]


def test_health_is_a_write_taken_back(alice):
    answer = alice.client.get("/healthz/rest-api")
    assert answer.status_code == 200
    assert answer.json()["ok"] and [check["name"] for check in answer.json()["checks"]] == ["keys", "write"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM idempotent_answer WHERE account_id = 0")
        assert cursor.fetchone() == (0,)


def test_no_address_is_a_json_error(alice):
    assert alice.client.get("/nowhere").json()["error"]
    assert alice.get("no/such/thing").status_code == 404


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", ""), (b"null", "application/json"), (b"{}", "application/json"), (b"  ", "text/plain"), (b"[]", "")],
)
def test_a_body_that_is_none(body, kind):
    assert parse_body(body, kind, xml=False)[0] == {}


def test_brackets_nest_raw_and_encoded():
    assert parse_query("contact[email]=a%2Bb@x.y&list_ids[]=1&list_ids[]=2&a[b][c]=3") == {
        "contact": {"email": "a+b@x.y"}, "list_ids": ["1", "2"], "a": {"b": {"c": "3"}},
    }  # fmt: skip
    assert parse_query("contact%5Bemail%5D=x") == {"contact": {"email": "x"}}


def test_xml_with_hyphens():
    body = b'<contact><first-name>A</first-name><add-tags type="array"><add-tag>x</add-tag></add-tags><fax nil="true"/></contact>'
    assert parse_body(body, "application/xml", xml=True)[0] == {
        "contact": {"first_name": "A", "add_tags": ["x"], "fax": None}
    }


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><contact><email>&b;</email></contact>'


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", 400),
        (b'{"a":NaN}', "application/json", 400),
        (BOMB, "application/xml", 400),
        (b"<a>" * 5000 + b"</a>" * 5000, "application/xml", 400),
        (b"[" + b"1," * 60_000 + b"1]", "application/json", 413),
        (b" " * (5 * 1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_a_bad_body_is_refused_with_the_reason(body, kind, status):
    with pytest.raises(CallError) as caught:
        parse_body(body, kind, xml="xml" in kind)
    assert caught.value.status == status
    assert caught.value.body["message"]


def test_more_calls_at_once_than_allowed_are_told_to_wait():
    gate = Gate(2)
    with gate.through(1), gate.through(1):
        with pytest.raises(Busy), gate.through(1):
            pass
        with gate.through(2):
            pass
    with gate.through(1):
        pass


def test_a_key_makes_one_effect_also_of_thirty_at_once(alice, charlie):
    from django.http import HttpRequest, HttpResponse

    from standfast.platform.rest.operation import once

    calls: list[int] = []

    def call(caller, key, body=b"{}"):
        request = HttpRequest()
        request.method, request.path, request._body = "POST", "/api/v1/x", body
        request.META["HTTP_IDEMPOTENCY_KEY"] = key
        request.auth = type("Holder", (), {"account_id": caller.account_id})()

        def answer():
            calls.append(1)
            return HttpResponse(json.dumps({"n": len(calls)}), status=201, content_type="application/json")

        return once(request, answer)

    first = call(alice, "k1")
    assert call(alice, "k1").content == first.content
    assert call(alice, "k1").status_code == 201
    assert call(alice, "k1").headers["Idempotent-Replayed"] == "true"
    assert len(calls) == 1
    call(charlie, "k1")
    assert len(calls) == 2
    from standfast.platform.rest.problems import Problem

    with pytest.raises(Problem, match="used before"):
        call(alice, "k1", b'{"other": 1}')

    found, errors = [], []

    def go():
        try:
            found.append(call(alice, "many").content)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(set(found)) == 1 and len(calls) == 3
