"""Contacts through the reference product's interface: the documented requests, the recorded answers, the tolerances."""

import json
import re
import urllib.parse

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standfast.components.audience.api import (
    CustomField,
    DoNotMail,
    Subscription,
    Tag,
    add_do_not_mail,
    create_list,
    new_field,
)
from standfast.platform import events, tenancy
from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)
MISS = {"message": "Contact is not present!"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}-0[45]:00")


@pytest.fixture
def reader(alice, people):
    return Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["contacts:read"]))


def scope(caller):
    return tenancy.account_scope(caller.account_id)


def make_list(caller, name="News"):
    with scope(caller):
        return create_list(account_id=caller.account_id, name=name).pk


def kinds(caller):
    with scope(caller), connection.cursor() as cursor:
        cursor.execute("SELECT kind FROM event WHERE account_id = %s ORDER BY position", [caller.account_id])
        return [row[0] for row in cursor.fetchall()]


def places(caller):
    with scope(caller):
        return dict(Subscription.objects.filter(account_id=caller.account_id).values_list("list_id", "status"))


def test_a_contact_is_made_and_changed_with_201(alice):
    with scope(alice):
        new_field(account_id=alice.account_id, label="Favourite colour", field_type="text")
        new_field(account_id=alice.account_id, label="Size", field_type="number")
    body = {"contact": {"email": "Dana@Example.com", "first_name": "Dana", "custom_field": {"favourite_colour": "red"}}}
    answer = alice.post("contacts", body)
    assert answer.status_code == 201
    row = answer.json()
    assert row["email"] == "Dana@example.com"
    assert row["favourite_colour"] == "red" and row["size"] is None
    assert row["account_id"] == alice.account_id and row["last_name"] is None
    assert MOMENT.fullmatch(row["created_at"])
    assert {
        "id",
        "account_id",
        "email",
        "first_name",
        "last_name",
        "phone",
        "fax",
        "uid",
        "created_at",
        "updated_at",
    } <= set(row)
    again = alice.post("contacts", {"email": "dana@example.com", "last_name": "Doe", "custom_field": {"Size": "42"}})
    assert again.status_code == 201 and again.json()["id"] == row["id"]
    assert (again.json()["first_name"], again.json()["last_name"], again.json()["size"]) == ("Dana", "Doe", 42)
    gone = alice.post("contacts", {"email": "dana@example.com", "custom_field": {"size": None}})
    assert gone.json()["size"] is None and gone.json()["favourite_colour"] == "red"
    assert kinds(alice) == ["contact_created", "contact_updated", "contact_updated"]


def test_nothing_new_is_no_event(alice):
    for _ in range(2):
        alice.post("contacts", {"email": "dana@example.com", "first_name": "Dana"})
    assert kinds(alice) == ["contact_created"]


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ({"contact": {"email": "a+b@example.com"}}, {}),
        ({"email": "a+b@example.com", "phone": 15551234567}, {}),
        ({"contact[email]": "a+b@example.com", "contact[custom_field][x]": "1"}, {}),
        ({"contact": {"email": "a+b@example.com", "custom_field": [], "add_tags": None, "options": {}}}, {}),
        (None, {"query": "contact[email]=a+b@example.com"}),
        (None, {"query": "contact%5Bemail%5D=a%2Bb%40example.com"}),
        (b"contact[email]=a%2Bb@example.com", {"content_type": "application/x-www-form-urlencoded"}),
        (b"<contact><email>a+b@example.com</email><first-name>A</first-name></contact>",
         {"content_type": "application/xml", "suffix": ".xml"}),
        (b'{"contact": {"email": "a+b@example.com"}}', {"content_type": "", "suffix": ""}),
    ],
)  # fmt: skip
def test_every_way_to_write_a_contact(alice, body, more):
    assert alice.post("contacts", body, **more).status_code == 201
    assert alice.get("contacts/email", query="contact[email]=a+b@example.com").json()["email"] == "a+b@example.com"


def test_the_key_in_the_body(alice):
    body = json.dumps({"auth_token": alice.key, "contact": {"email": "dana@example.com"}})
    where = f"/accounts/{alice.account_id}/contacts.json"
    assert alice.client.generic("POST", where, body, content_type="application/json").status_code == 201


def test_look_up_by_address_and_by_number(alice):
    news, with_tag = (
        make_list(alice),
        {"email": "dana@example.com", "uid": "u-7", "add_tags": ["vip", "nobody made this"]},
    )
    with scope(alice):
        Tag.objects.create(account_id=alice.account_id, name="vip")
    made = alice.post("contacts", {"contact": with_tag}, query=f"list_ids={news},{2**40}").json()
    row = alice.get("contacts/email", query="contact[email]=DANA@example.com").json()
    assert row["list_subscriptions"] == [
        {
            "list_id": news,
            "name": "News",
            "status": "Subscribed",
            **{k: row["list_subscriptions"][0][k] for k in ("created_at", "updated_at")},
        }
    ]
    assert [tag["name"] for tag in row["tags"]] == ["vip"]
    assert row["orders"] == [] and row["workflows"] == []
    for query in ("uid=u-7", "contact[uid]=u-7", "email=dana@example.com"):
        assert alice.get("contacts/email", query=query).json()["id"] == made["id"]
    assert alice.call("GET", "contacts/email", {"contact": {"email": "dana@example.com"}}).json()["id"] == made["id"]
    assert alice.get(f"contacts/{made['id']}").json()["email"] == "dana@example.com"
    assert b"<email>dana@example.com</email>" in alice.get(f"contacts/{made['id']}", suffix=".xml").content


def test_a_miss_is_404_in_the_products_words(alice):
    calls = [
        ("GET", "contacts/email"), ("GET", "contacts/123456"), ("PUT", "contacts/123456"), ("DELETE", "contacts/123456"),
        ("DELETE", "contacts/delete_all"), ("PUT", "contacts/unsubscribe_all"), ("GET", "contacts/1/open_report"),
    ]  # fmt: skip
    for method, path in calls:
        answer = alice.call(method, path, {"contact": {"email": "nobody@example.com"}})
        assert (answer.status_code, answer.json()) == (404, MISS), path


def test_put_changes_the_address(alice):
    first = alice.post("contacts", {"email": "dana@example.com", "uid": "1"}).json()
    alice.post("contacts", {"email": "eve@example.com", "uid": "2"})
    answer = alice.put(f"contacts/{first['id']}", {"contact": {"email": "dana.new@example.com", "phone": "1"}})
    assert answer.status_code == 201
    assert (answer.json()["id"], answer.json()["email"], answer.json()["uid"]) == (
        first["id"],
        "dana.new@example.com",
        "1",
    )
    assert alice.get("contacts/email", query="email=dana@example.com").status_code == 404
    taken = alice.put(f"contacts/{first['id']}", {"email": "eve@example.com"})
    assert (taken.status_code, taken.json()) == (422, {"email": ["has already been taken"]})
    taken = alice.put(f"contacts/{first['id']}", {"uid": "2"})
    assert (taken.status_code, taken.json()) == (422, {"uid": ["has already been taken"]})
    wrong = alice.put(f"contacts/{first['id']}", {"email": "no address"})
    assert wrong.status_code == 422 and "is invalid" in wrong.json()["email"][0]


def test_bad_contacts_are_refused_by_field(alice):
    with scope(alice):
        new_field(account_id=alice.account_id, label="Born", field_type="date")
    assert alice.post("contacts", {}).json() == {"email": ["can't be blank"]}
    assert alice.post("contacts", {"email": "x"}).status_code == 422
    assert alice.post("contacts", {"email": "a@example.com", "first_name": "x" * 256}).json()["first_name"]
    assert alice.post("contacts", {"email": "a@example.com", "custom_field": {"born": "soon"}}).json()["born"]
    assert (
        alice.post("contacts", {"email": "a@example.com", "custom_field": {"born": "12/31/1999"}}).json()["born"]
        == "1999-12-31"
    )
    alice.post("contacts", {"email": "a@example.com", "uid": "7"})
    assert alice.post("contacts", {"email": "b@example.com", "uid": "7"}).json() == {"uid": ["has already been taken"]}
    assert alice.post("contacts", {"uid": "7", "phone": "2"}).json()["email"] == "a@example.com"


def test_times_are_eastern(alice):
    with scope(alice):
        new_field(account_id=alice.account_id, label="Seen", field_type="datetime")
        assert CustomField.objects.filter(account_id=alice.account_id).count() == 1
    body = {"email": "a@example.com", "custom_field": {"seen": "2024-07-01 09:30:00"}}
    assert alice.post("contacts", body).json()["seen"] == "2024-07-01T09:30:00.000-04:00"
    body["custom_field"]["seen"] = "2024-01-01T12:00:00Z"
    assert alice.post("contacts", body).json()["seen"] == "2024-01-01T07:00:00.000-05:00"


def test_lists_are_joined_and_left_by_options(alice):
    one, two, three = make_list(alice, "1"), make_list(alice, "2"), make_list(alice, "3")
    alice.post(
        "contacts",
        {"email": "a@example.com", "options": {"subscribe_list_ids": f"{one}, {two}"}},
        query=f"list_ids={three}",
    )
    assert places(alice) == dict.fromkeys((one, two, three), "subscribed")
    options = {"unsubscribe_list_ids": f"{one}", "unsubscribe_campaign": "17", "unsubscribe_workflow_ids": "1,2"}
    alice.post("contacts", {"email": "a@example.com", "options": options})
    assert places(alice)[one] == "unsubscribed" and places(alice)[two] == "subscribed"
    with scope(alice), connection.cursor() as cursor:
        cursor.execute(
            "SELECT data->>'campaign' FROM event WHERE account_id = %s AND kind = 'unsubscribed'", [alice.account_id]
        )
        assert cursor.fetchall() == [("17",)]
    alice.post("contacts", {"email": "a@example.com", "subscribe": "false", "list_ids": [two]})
    assert places(alice)[two] == "unsubscribed"


def test_do_not_mail_is_left_on_request(alice):
    with scope(alice):
        add_do_not_mail(account_id=alice.account_id, entries=["a@example.com"])
    alice.post("contacts", {"email": "a@example.com"})
    with scope(alice):
        assert DoNotMail.objects.filter(account_id=alice.account_id).exists()
    alice.post("contacts", {"email": "a@example.com", "remove_from_dnm": True})
    with scope(alice):
        assert not DoNotMail.objects.filter(account_id=alice.account_id).exists()


def test_off_lists_and_off_all(alice):
    one, two = make_list(alice, "1"), make_list(alice, "2")
    made = alice.post("contacts", {"email": "a@example.com"}, query=f"list_ids={one},{two}").json()
    gone = alice.delete(f"contacts/{made['id']}", query=f"list_ids={one}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert places(alice) == {two: "subscribed"}
    assert alice.put("contacts/unsubscribe_all", query="contact[email]=a@example.com").status_code == 200
    assert places(alice) == {two: "unsubscribed"}
    assert alice.delete("contacts/delete_all", {"contact": {"email": "a@example.com"}}).status_code == 204
    assert places(alice) == {}
    assert alice.get(f"contacts/{made['id']}").status_code == 200
    assert kinds(alice)[-3:] == ["removed_from_list", "unsubscribed", "removed_from_list"]


def test_what_a_person_opened_and_clicked(alice):
    made = alice.post("contacts", {"email": "a@example.com"}).json()
    data = {"verdict": "human", "ua": "Firefox", "ip": "192.0.2.1", "url": "https://example.com/"}
    with scope(alice), connection.cursor() as cursor:
        from datetime import UTC, datetime

        at = datetime(2026, 7, 1, 12, tzinfo=UTC)
        told = [events.Event(at, kind, made["id"], 5, 1, data) for kind in ("opened", "clicked")]
        told.append(events.Event(at, "opened", made["id"], 5, 1, {"verdict": "machine"}))
        events.append(cursor, account_id=alice.account_id, events=told)
    (opened,) = alice.get(f"contacts/{made['id']}/open_report").json()
    assert opened["total_pages"] == 1 and opened["recorded_at"] == "2026-07-01T08:00:00.000-04:00"
    (clicked,) = alice.get(f"contacts/{made['id']}/click_report").json()
    assert clicked["url"] == "https://example.com/"
    assert alice.get(f"contacts/{made['id']}/click_report", query="page=2").json() == []


def test_charlie_sees_and_changes_nothing(alice, charlie):
    made = alice.post("contacts", {"email": "a@example.com"}).json()
    assert charlie.get(f"contacts/{made['id']}").status_code == 404
    assert charlie.put(f"contacts/{made['id']}", {"first_name": "C"}).status_code == 404
    assert charlie.get("contacts/email", query="email=a@example.com").status_code == 404
    assert charlie.post("contacts", {"email": "c@example.com"}, query=f"list_ids={make_list(alice)}").status_code == 201
    assert places(alice) == {} and places(charlie) == {}


def test_who_may_only_read(alice, reader):
    made = alice.post("contacts", {"email": "a@example.com"}).json()
    assert reader.get(f"contacts/{made['id']}").status_code == 200
    writes = [("POST", "contacts"), ("PUT", f"contacts/{made['id']}"), ("DELETE", f"contacts/{made['id']}"),
              ("DELETE", "contacts/delete_all"), ("PUT", "contacts/unsubscribe_all")]  # fmt: skip
    for method, path in writes:
        assert reader.call(method, path, {"email": "a@example.com"}).status_code == 403, path


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=300)
    | st.sampled_from(["a@example.com", "1,2", "x" * 300, "\x00", "\ud800", "9" * 400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
NAMES = st.sampled_from(
    ["email", "uid", "first_name", "custom_field", "add_tags", "remove_tags", "subscribe", "remove_from_dnm", "options",
     "list_ids", "contact", "contact[email]", "contact[custom_field][size]", "page", "per"]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, VALUES, max_size=5), st.booleans())
def test_whatever_is_sent_is_answered(alice, body, valid):
    body = body | ({"email": "fuzz@example.com"} if valid else {})
    news = make_list(alice)
    with scope(alice):
        new_field(account_id=alice.account_id, label="Size", field_type="number")
    calls = [("POST", "contacts"), ("PUT", "contacts/1"), ("GET", "contacts/email"), ("PUT", "contacts/unsubscribe_all"),
             ("POST", f"lists/{news}/contacts"), ("GET", f"lists/{news}/contacts")]  # fmt: skip
    for method, path in calls:
        answer = alice.call(method, path, body)
        assert answer.status_code < 500, (method, path, body, answer.content)
        assert answer.status_code < 400 or answer.json()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=80))
def test_whatever_query_is_answered(alice, text):
    for name in ("contact[email]", "uid", "page", "per"):
        query = urllib.parse.urlencode({name: text.encode("utf-8", "replace").decode()})
        assert alice.get("contacts/email", query=query).status_code < 500
