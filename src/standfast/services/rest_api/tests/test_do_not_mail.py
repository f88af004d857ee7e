"""Do-not-mail through the reference product's interface, general and by brand."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standfast.components.audience.api import DoNotMail
from standfast.platform import tenancy
from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)
MISS = {"message": "Contact not present.", "status": 404}


def kinds(caller):
    with tenancy.account_scope(caller.account_id), connection.cursor() as cursor:
        cursor.execute("SELECT kind FROM event WHERE account_id = %s ORDER BY position", [caller.account_id])
        return [row[0] for row in cursor.fetchall()]


def test_an_address_is_added_found_and_lifted(alice):
    alice.post("contacts", {"email": "a@example.com", "uid": "7"})
    made = alice.post("global_unsubscribes", {"global_unsubscribe": {"email": "A@example.com"}})
    assert made.status_code == 201
    assert set(made.json()) == {"id", "account_id", "email", "created_at", "updated_at"}
    path, _, query = made.headers["Location"].removeprefix(f"/accounts/{alice.account_id}/").partition("?")
    assert alice.get(path.removesuffix(".json"), query=query).json() == made.json()
    for query in ("contact[email]=a@example.com", "email=a@example.com", "uid=7"):
        assert alice.get("global_unsubscribes/email", query=query).json()["id"] == made.json()["id"]
    assert alice.post("global_unsubscribes", {"global_unsubscribe": {"uid": "7"}}).json()["id"] == made.json()["id"]
    gone = alice.delete("global_unsubscribes/delete", query="email=a@example.com")
    assert (gone.status_code, gone.content) == (204, b"")
    assert kinds(alice) == ["contact_created", "do_not_mail_added", "do_not_mail_removed"]


def test_a_miss_is_200_with_the_status_in_the_body(alice):
    for query in ("contact[email]=nobody@example.com", "uid=none", ""):
        answer = alice.get("global_unsubscribes/email", query=query)
        assert (answer.status_code, answer.json()) == (200, MISS)
        assert alice.get("brand_unsubscribes/email", query=f"{query}&brand=B").json() == MISS
    assert alice.delete("global_unsubscribes/delete", query="email=nobody@example.com").json() == MISS


@pytest.mark.parametrize("path", ["global_unsubscribes", "global_unsubscribes/list"])
def test_pages(alice, path):
    for n in range(5):
        alice.post("global_unsubscribes", {"email": f"a{n}@example.com"})
    rows = alice.get(path, query="page=2&per=2").json()
    assert [row["email"] for row in rows] == ["a2@example.com", "a3@example.com"]
    assert {row["total_pages"] for row in rows} == {3}
    assert alice.get(path, query="page=4&per=2").json() == []


def test_what_is_no_address_is_refused(alice):
    for path, wrap, more in (
        ("global_unsubscribes", "global_unsubscribe", {}), ("brand_unsubscribes", "brand_unsubscribe", {"brand_name": "B"})
    ):  # fmt: skip
        assert alice.post(path, {wrap: {"email": "x", **more}}).json()["email"]
        assert alice.post(path, {wrap: more}).json() == {"email": ["can't be blank"]}
        assert alice.post(path, {wrap: {"uid": "none", **more}}).json() == {"uid": ["is nobody's"]}


def test_brands_apart(alice):
    alice.post("contacts", {"email": "a@example.com", "uid": "7"})
    for name in ("Shoes", "Hats"):
        made = alice.post("brand_unsubscribes", {"brand_unsubscribe": {"uid": "7", "brand_name": name}})
        assert made.status_code == 201 and made.headers["Location"]
        assert made.json()["brand_name"] == name
    hats = made.json()["brand_id"]
    again = alice.post("brand_unsubscribes", {"brand_unsubscribe": {"email": "a@example.com", "brand_id": str(hats)}})
    assert again.json()["id"] == made.json()["id"]
    assert {row["brand_name"] for row in alice.get("brand_unsubscribes").json()} == {"Shoes", "Hats"}
    (only,) = alice.get("brand_unsubscribes", query="brand=Hats").json()
    assert only["brand_id"] == hats and only["total_pages"] == 1
    assert alice.get("brand_unsubscribes", query="page=2").json() == []
    assert (
        alice.get("brand_unsubscribes/email", query="email=a@example.com&brand=Shoes").json()["brand_name"] == "Shoes"
    )
    assert alice.get("brand_unsubscribes/email", query="email=a@example.com&brand=Coats").json() == MISS
    assert alice.get("global_unsubscribes/email", query="email=a@example.com").json() == MISS
    assert alice.delete("brand_unsubscribes/delete", query=f"email=a@example.com&brand_id={hats}").status_code == 204
    assert alice.delete("brand_unsubscribes/delete", query=f"email=a@example.com&brand_id={hats}").json() == MISS
    assert alice.delete("brand_unsubscribes/delete", query="email=a@example.com&brand=Coats").json() == MISS
    assert alice.delete("brand_unsubscribes/delete", query="email=a@example.com").status_code == 204
    assert alice.get("brand_unsubscribes").json() == []
    assert kinds(alice)[1:] == ["brand_do_not_mail_added"] * 2 + ["brand_do_not_mail_removed"] * 2


def test_a_brand_must_be_named(alice):
    answer = alice.post("brand_unsubscribes", {"brand_unsubscribe": {"email": "a@example.com"}})
    assert (answer.status_code, answer.json()) == (422, {"brand_id": ["can't be blank"]})
    answer = alice.post("brand_unsubscribes", {"brand_unsubscribe": {"email": "a@example.com", "brand_id": 999999}})
    assert answer.status_code == 422


def test_charlie_and_who_may_only_read(alice, charlie, people):
    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["contacts:read"]))
    alice.post("global_unsubscribes", {"email": "a@example.com"})
    brand = alice.post("brand_unsubscribes", {"email": "a@example.com", "brand_name": "Hats"}).json()["brand_id"]
    for path in ("global_unsubscribes", "brand_unsubscribes"):
        assert charlie.get(path).json() == []
        assert charlie.get(f"{path}/email", query="email=a@example.com").json() == MISS
        assert charlie.delete(f"{path}/delete", query="email=a@example.com").json() == MISS
        assert len(reader.get(path).json()) == 1
        assert reader.post(path, {"email": "b@example.com"}).status_code == 403
        assert reader.delete(f"{path}/delete", query="email=a@example.com").status_code == 403
    assert charlie.post("brand_unsubscribes", {"email": "a@example.com", "brand_id": brand}).status_code == 422
    with tenancy.account_scope(alice.account_id):
        assert DoNotMail.objects.filter(account_id=alice.account_id).count() == 1


VALUE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=300)
    | st.lists(st.integers(), max_size=2)
    | st.just({"a": 1})
)
NAME = st.sampled_from(
    ["global_unsubscribe", "brand_unsubscribe", "email", "uid", "contact", "brand", "brand_id", "brand_name", "page"]
)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAME, VALUE, max_size=5))
def test_whatever_is_sent_is_answered(alice, body):
    for path in ("global_unsubscribes", "brand_unsubscribes"):
        for method, where in (("POST", path), ("GET", path), ("GET", f"{path}/email"), ("DELETE", f"{path}/delete")):
            answer = alice.call(method, where, body)
            assert answer.status_code < 500, (method, where, body, answer.content)
