"""Tags and custom fields through the reference product's interface."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_tags_are_made_found_and_deleted(alice):
    made = alice.post("tags", {"tag": {"name": "vip"}})
    assert made.status_code == 201
    assert set(made.json()) == {"id", "name", "account_id", "folder_id", "created_at", "updated_at"}
    alice.post("tags", {"name": "new"})
    assert [tag["name"] for tag in alice.get("tags").json()] == ["vip", "new"]
    (found,) = alice.get("tags", query="name=new").json()
    assert found["name"] == "new" and found["total_pages"] == 1
    assert [tag["name"] for tag in alice.get("tags", query="page=2&per=1").json()] == ["new"]
    assert alice.get("tags", query="page=3&per=1").json() == []
    assert alice.post("tags", {"tag": {"name": "vip"}}).json() == {"name": ["has already been taken"]}
    assert alice.post("tags", {"tag": {"name": " "}}).status_code == 422
    gone = alice.delete(f"tags/{made.json()['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert alice.delete(f"tags/{made.json()['id']}").status_code == 404


def test_tags_are_put_on_and_taken_off(alice):
    for name in ("vip", "old", "new"):
        alice.post("tags", {"tag": {"name": name}})
    alice.post("contacts", {"email": "a@example.com", "add_tags": "vip,old"})
    body = {"tags": {"email": "a@example.com", "add_tags": ["new", "nobody made this"], "remove_tags": ["old"]}}
    answer = alice.put("add_remove_tags", body)
    assert answer.status_code == 200
    assert [tag["name"] for tag in answer.json()["tags"]] == ["new", "vip"]
    alice.post("contacts", {"email": "a@example.com", "remove_tags": ["vip"], "add_tags": ["old"]})
    row = alice.get("contacts/email", query="email=a@example.com").json()
    assert [tag["name"] for tag in row["tags"]] == ["new", "old"]
    alice.put(f"contacts/{row['id']}", {"contact": {"remove_tags": ["new", "old"]}})
    assert alice.get(f"contacts/{row['id']}").json()["tags"] == []
    miss = alice.put("add_remove_tags", {"tags": {"email": "nobody@example.com", "add_tags": ["vip"]}})
    assert (miss.status_code, miss.json()) == (404, {"message": "Contact is not present!"})


def test_fields_are_made_read_changed_and_deleted(alice):
    body = {"custom_field": {"name": "Shoe Size", "field_type": "integer", "default_value": "42"}}
    made = alice.post("custom_fields", body)
    assert made.status_code == 201
    row = made.json()
    assert (row["name"], row["display_name"], row["field_type"], row["default_value"]) == (
        "shoe_size",
        "Shoe Size",
        "number",
        "42",
    )
    where = f"custom_fields/{row['id']}"
    assert alice.get(where).json()["name"] == "shoe_size"
    assert alice.post("contacts", {"email": "a@example.com"}).json()["shoe_size"] == "42"
    changed = alice.put(where, {"custom_field": {"display_name": "Shoes", "default_value": ""}})
    assert (changed.status_code, changed.json()["name"], changed.json()["display_name"]) == (200, "shoe_size", "Shoes")
    assert alice.put(where, {"custom_field": {"field_type": "date"}}).status_code == 422
    (listed,) = alice.get("custom_fields").json()
    assert listed["total_pages"] == 1 and listed["default_value"] is None
    assert alice.get("custom_fields", query="page=2").json() == []
    assert alice.post("custom_fields", {"name": "shoes"}).json() == {"name": ["has already been taken"]}
    assert alice.post("custom_fields", {"name": "x", "field_type": "picture"}).json()["field_type"]
    assert alice.post("custom_fields", {}).json() == {"name": ["can't be blank"]}
    assert alice.delete(where).status_code == 204
    for method in ("GET", "PUT", "DELETE"):
        assert alice.call(method, where, {}).status_code == 404


def test_a_field_never_hides_what_is_standard(alice):
    alice.post("custom_fields", {"custom_field": {"name": "Email"}})
    alice.post("custom_fields", {"custom_field": {"name": "id"}})
    row = alice.post("contacts", {"email": "a@example.com", "custom_field": {"id": "x"}}).json()
    assert row["email"] == "a@example.com" and isinstance(row["id"], int)


def test_charlie_and_who_may_only_read(alice, charlie, people):
    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["contacts:read"]))
    tag = alice.post("tags", {"tag": {"name": "vip"}}).json()["id"]
    field = alice.post("custom_fields", {"custom_field": {"name": "Size"}}).json()["id"]
    alice.post("contacts", {"email": "a@example.com"})
    for path in ("tags", "custom_fields"):
        assert charlie.get(path).json() == []
        assert len(reader.get(path).json()) == 1
        assert reader.post(path, {"name": "x"}).status_code == 403
    assert charlie.get(f"custom_fields/{field}").status_code == 404
    for method, path in (("DELETE", f"tags/{tag}"), ("PUT", f"custom_fields/{field}"), ("DELETE", f"custom_fields/{field}"),
                         ("PUT", "add_remove_tags")):  # fmt: skip
        assert reader.call(method, path, {"tags": {"email": "a@example.com"}}).status_code == 403
        assert charlie.call(method, path, {"tags": {"email": "a@example.com"}}).status_code == 404


VALUE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=300)
    | st.lists(st.text(max_size=5), max_size=2)
    | st.just({"a": 1})
)
NAME = st.sampled_from(
    [
        "tag",
        "tags",
        "name",
        "custom_field",
        "field_type",
        "default_value",
        "add_tags",
        "remove_tags",
        "email",
        "tag[name]",
        "per",
    ]
)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAME, VALUE, max_size=5))
def test_whatever_is_sent_is_answered(alice, body):
    alice.post("contacts", {"email": "a@example.com"})
    field = alice.post("custom_fields", {"name": "Size"}).json().get("id", 1)
    calls = [("POST", "tags"), ("GET", "tags"), ("POST", "custom_fields"), ("PUT", f"custom_fields/{field}"),
             ("PUT", "add_remove_tags"), ("GET", "custom_fields")]  # fmt: skip
    for method, path in calls:
        answer = alice.call(method, path, {"email": "a@example.com", **body})
        assert answer.status_code < 500, (method, path, body, answer.content)
