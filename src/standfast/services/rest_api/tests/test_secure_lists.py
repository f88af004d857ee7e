"""Hashed suppression lists through the reference product's interface."""

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standfast.components.audience.api import on_secure_lists
from standfast.platform import tenancy
from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)
HASHES = [
    make(f"{name}@example.com".encode()).hexdigest()
    for name, make in (("a", hashlib.md5), ("b", hashlib.sha256), ("c", hashlib.sha256))
]


def on_it(caller, secure_list_id, *keys):
    with tenancy.account_scope(caller.account_id):
        return on_secure_lists(account_id=caller.account_id, secure_list_ids=[secure_list_id], keys=keys)


def test_a_secure_list_is_made_read_changed_and_deleted(alice):
    made = alice.post("secure_lists", {"list": {"name": "Partner"}})
    assert made.status_code == 201 and made.json()["contacts_count"] == 0
    where = f"secure_lists/{made.json()['id']}"
    assert alice.put(where, {"list": {"description": "x"}}).json()["description"] == "x"
    assert alice.get(where).json()["name"] == "Partner"
    assert alice.get("secure_lists").json()[0]["total_pages"] == 1
    assert alice.get("secure_lists", query="page=2").json() == []
    assert alice.post("secure_lists", {"list": {"name": "Partner"}}).json() == {"name": ["has already been taken"]}
    assert alice.post("secure_lists", {}).json() == {"name": ["can't be blank"]}
    assert alice.delete(where).status_code == 204
    for method, path in (("GET", where), ("PUT", where), ("DELETE", where), ("PUT", f"{where}/import")):
        assert alice.call(method, path, {"list": {"name": "y"}}).status_code == 404


def test_each_kind_of_hash_is_known_again(alice):
    one = alice.post("secure_lists", {"list": {"name": "Partner"}}).json()["id"]
    body = {"list": {"hashes": [*HASHES, HASHES[0].upper(), "nonsense"], "emails": ["D@Example.com"]}}
    answer = alice.put(f"secure_lists/{one}/import", body)
    assert answer.status_code == 200
    assert (answer.json()["added"], answer.json()["refused"], answer.json()["contacts_count"]) == (4, 1, 4)
    assert alice.put(f"secure_lists/{one}/import", body).json()["contacts_count"] == 4
    keys = [f"{name}@example.com" for name in "abcde"]
    assert on_it(alice, one, *keys) == set(keys[:4])
    alice.delete(f"secure_lists/{one}")
    assert on_it(alice, one, *keys) == set()


def test_an_import_that_cannot_be(alice):
    one = alice.post("secure_lists", {"list": {"name": "Partner"}}).json()["id"]
    answer = alice.put(f"secure_lists/{one}/import", {"list": {"ftp_file": "hashes.csv"}})
    assert answer.status_code == 422 and "hashes.csv" in answer.json()["ftp_file"][0]
    assert alice.put(f"secure_lists/{one}/import", {"list": {"hashes": ["x"]}}).json()["base"]
    other = {"list": {"hashes": [HASHES[0], hashlib.sha1(b"a@example.com").hexdigest()]}}
    assert "SHA-256" in alice.put(f"secure_lists/{one}/import", other).json()["base"][0]
    assert alice.get(f"secure_lists/{one}").json()["contacts_count"] == 0


def test_charlie_and_who_may_only_read(alice, charlie, people):
    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["contacts:read"]))
    one = alice.post("secure_lists", {"list": {"name": "Partner"}}).json()["id"]
    alice.put(f"secure_lists/{one}/import", {"list": {"hashes": HASHES}})
    assert charlie.get("secure_lists").json() == []
    assert on_it(charlie, one, "a@example.com") == set()
    assert reader.get(f"secure_lists/{one}").status_code == 200
    assert charlie.get(f"secure_lists/{one}").status_code == 404
    for method, path in (
        ("PUT", f"secure_lists/{one}"),
        ("DELETE", f"secure_lists/{one}"),
        ("PUT", f"secure_lists/{one}/import"),
    ):
        assert charlie.call(method, path, {"list": {"hashes": HASHES}}).status_code == 404
        assert reader.call(method, path, {"list": {"hashes": HASHES}}).status_code == 403
    assert reader.post("secure_lists", {"list": {"name": "x"}}).status_code == 403


VALUE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=300)
    | st.lists(st.text(max_size=70), max_size=3)
    | st.just({"a": 1})
)
NAME = st.sampled_from(
    ["list", "secure_list", "name", "description", "hashes", "emails", "ftp_file", "list[name]", "page"]
)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAME, VALUE, max_size=5))
def test_whatever_is_sent_is_answered(alice, body):
    one = alice.post("secure_lists", {"name": "Partner"}).json().get("id", 1)
    for method, path in (
        ("POST", "secure_lists"),
        ("GET", "secure_lists"),
        ("PUT", f"secure_lists/{one}"),
        ("PUT", f"secure_lists/{one}/import"),
    ):
        answer = alice.call(method, path, body)
        assert answer.status_code < 500, (method, path, body, answer.content)
