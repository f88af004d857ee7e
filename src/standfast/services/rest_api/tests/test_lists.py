"""Lists and their people through the reference product's interface."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from procrastinate.contrib.django import app

from standfast.components.audience.api import ContactRow, List, create_list, subscribe, upsert_contacts
from standfast.platform import tenancy
from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)
NEW = {"list": {"name": "News", "address": "1 High Street, Toronto", "language": "en"}}
ROW = {
    "id", "account_id", "name", "address", "language", "from_name", "from_email", "reply_to_email", "contacts_count",
    "add_to_unsubscribe_page", "refreshed_at", "subscribers", "unsubscribes", "soft_bounces", "hard_bounces",
    "complaints_count", "total_contacts_count", "total_revenue", "post_url", "list_type", "folder_id", "brand_id",
    "crm_entity_id", "display_name", "description", "created_at", "updated_at",
}  # fmt: skip


def filled(caller, count):
    """A list of some people; its id."""
    with tenancy.account_scope(caller.account_id), connection.cursor() as cursor:
        one = create_list(account_id=caller.account_id, name="Many")
        rows = [ContactRow(f"p{n:04}@example.com") for n in range(count)]
        people = upsert_contacts(cursor, account_id=caller.account_id, rows=rows)
        subscribe(account_id=caller.account_id, list_id=one.pk, contact_ids=[each.contact_id for each in people])
    return one.pk


def test_a_list_is_made_read_changed_and_deleted(alice):
    made = alice.post("lists", NEW)
    assert made.status_code == 201 and set(made.json()) == ROW
    assert made.json()["list_type"] == "normal" and made.json()["contacts_count"] == 0
    where = f"lists/{made.json()['id']}"
    changed = alice.put(
        where, {"list": {"description": "Monthly", "add_to_unsubscribe_page": "true", "from_name": "A"}}
    )
    assert changed.status_code == 200 and changed.json()["name"] == "News"
    row = alice.get(where).json()
    assert (row["description"], row["add_to_unsubscribe_page"], row["from_name"]) == ("Monthly", True, "A")
    (listed,) = alice.get("lists").json()
    assert set(listed) == ROW | {"total_pages"} and listed["total_pages"] == 1
    gone = alice.delete(where)
    assert (gone.status_code, gone.content) == (204, b"")
    assert alice.get("lists").json() == []
    for method in ("GET", "PUT", "DELETE"):
        assert alice.call(method, where).status_code == 404


def test_a_flat_list_and_one_in_the_query(alice):
    assert alice.post("lists", NEW["list"]).status_code == 201
    assert alice.post("lists", query="list[name]=B&list[address]=x&list[language]=en").status_code == 201


@pytest.mark.parametrize("name", ["name", "address", "language"])
def test_what_a_list_must_have(alice, name):
    answer = alice.post("lists", {"list": {**NEW["list"], name: " "}})
    assert (answer.status_code, answer.json()) == (422, {name: ["can't be blank"]})
    made = alice.post("lists", NEW).json()
    assert alice.put(f"lists/{made['id']}", {"list": {name: ""}}).status_code == 422


def test_a_name_is_taken_once(alice):
    alice.post("lists", NEW)
    answer = alice.post("lists", NEW)
    assert (answer.status_code, answer.json()) == (422, {"name": ["has already been taken"]})
    assert len(alice.get("lists").json()) == 1


def test_pages_of_lists(alice):
    for n in range(5):
        alice.post("lists", {"list": {**NEW["list"], "name": f"n{n}"}})
    rows = alice.get("lists", query="page=2&per=2").json()
    assert [row["name"] for row in rows] == ["n2", "n3"] and {row["total_pages"] for row in rows} == {3}
    assert alice.get("lists", query="page=9&per=2").json() == []
    assert alice.get("lists", query="page=0").status_code == 422


def test_counts_are_of_the_moment_where_a_list_is_small(alice):
    one = filled(alice, 3)
    person = alice.get(f"lists/{one}/contacts").json()[0]["id"]
    alice.put(f"lists/{one}/contacts/{person}", {"subscribe": False})
    row = alice.get("lists").json()[0]
    assert (row["subscribers"], row["unsubscribes"], row["contacts_count"]) == (2, 1, 3)
    assert "subscribers" not in alice.get("lists", query="no_counts=true").json()[0]


def test_counts_of_a_large_list_are_kept(alice):
    """What is read is the row's; a job takes the counts anew, once however often it is asked."""
    one = filled(alice, 1002)
    for _ in range(2):
        assert alice.get(f"lists/{one}").json()["subscribers"] == 0
    assert alice.get("lists").json()[0]["subscribers"] == 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'audience.count_people' AND (args->>'list_id')::bigint = %s",
            [one],
        )
        assert cursor.fetchone() == (1,)
    app.tasks["audience.count_people"](account_id=alice.account_id, list_id=one)
    assert alice.get(f"lists/{one}").json()["subscribers"] == 1002
    assert alice.get("lists").json()[0]["refreshed_at"]


def test_refresh_count(alice):
    one = filled(alice, 1002)
    assert alice.get(f"lists/{one}/refresh_count").json()["total_contacts_count"] == 1002
    assert alice.get("lists/999999/refresh_count").status_code == 404


def test_pages_of_people(alice):
    one = filled(alice, 7)
    rows = alice.get(f"lists/{one}/contacts", query="page=2&per=3").json()
    assert [row["email"] for row in rows] == ["p0003@example.com", "p0004@example.com", "p0005@example.com"]
    assert {row["total_pages"] for row in rows} == {3}
    place = rows[0]["subscription"]
    assert set(place) == {"status", "subscribed_at", "updated_at"} and place["status"] == "Subscribed"
    assert alice.get(f"lists/{one}/contacts", query="page=4&per=3").json() == []
    assert (
        alice.call("GET", f"lists/{one}/contacts", {"page": "3", "per": "3"}).json()[0]["email"] == "p0006@example.com"
    )
    assert b'<contacts type="array"><contact>' in alice.get(f"lists/{one}/contacts", suffix=".xml").content


def test_a_person_of_a_list(alice):
    one = alice.post("lists", NEW).json()["id"]
    made = alice.post(f"lists/{one}/contacts", {"contact": {"email": "a@example.com", "first_name": "A"}})
    assert made.status_code == 201 and made.json()["subscribed"] is True
    where = f"lists/{one}/contacts/{made.json()['id']}"
    row = alice.get(where).json()
    assert row["subscribed"] is True and row["subscription"]["status"] == "Subscribed"
    changed = alice.put(where, {"contact": {"last_name": "B", "email": "b@example.com"}})
    assert (changed.status_code, changed.json()["email"], changed.json()["subscribed"]) == (201, "b@example.com", True)
    left = alice.put(where, {"contact": {"subscribe": "false"}}).json()
    assert (left["subscribed"], left["subscription"]["status"]) == (False, "Unsubscribed")
    assert alice.post(f"lists/{one}/contacts", {"email": "b@example.com"}).json()["subscribed"] is True
    assert alice.delete(where, {"contact": {}}).status_code == 204
    assert alice.get(where).status_code == 404 and alice.get(where).json() == {"message": "Contact is not present!"}
    assert alice.get(f"lists/{one}/contacts").json() == []
    apart = alice.post(f"lists/{one}/contacts", {"email": "c@example.com", "subscribe": False}).json()
    assert apart["subscribed"] is False and apart["subscription"] is None
    assert alice.post("lists/999999/contacts", {"email": "d@example.com"}).status_code == 404
    assert alice.get("contacts/email", query="email=d@example.com").status_code == 404


def test_a_blank_person(alice):
    one = alice.post("lists", NEW).json()["id"]
    alice.post("custom_fields", {"custom_field": {"name": "Shoe size", "field_type": "number"}})
    blank = alice.get(f"lists/{one}/contacts/new").json()
    assert blank.pop("account_id") == alice.account_id
    assert "shoe_size" in blank and set(blank.values()) == {None}


def test_an_import_of_a_file_that_is_not_there(alice):
    one = alice.post("lists", NEW).json()["id"]
    body = {"list": {"ftp_file": "people.csv", "delimiter": "Comma", "mappings": {"0": "email"}, "subscribed": True,
                     "import_options": {"import_new_contacts": True}}}  # fmt: skip
    answer = alice.put(f"lists/{one}/ftp_import", body)
    assert answer.status_code == 422 and "people.csv" in answer.json()["ftp_file"][0]
    assert alice.put(f"lists/{one}/ftp_import", {}).json() == {"ftp_file": ["can't be blank"]}


def test_charlie_and_who_may_only_read(alice, charlie, people):
    one = filled(alice, 1)
    person = alice.get(f"lists/{one}/contacts").json()[0]["id"]
    reads = [f"lists/{one}", f"lists/{one}/contacts", f"lists/{one}/contacts/{person}", f"lists/{one}/contacts/new",
             f"lists/{one}/refresh_count"]  # fmt: skip
    writes = [("POST", "lists"), ("PUT", f"lists/{one}"), ("DELETE", f"lists/{one}"), ("PUT", f"lists/{one}/ftp_import"),
              ("POST", f"lists/{one}/contacts"), ("PUT", f"lists/{one}/contacts/{person}"),
              ("DELETE", f"lists/{one}/contacts/{person}")]  # fmt: skip
    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["contacts:read"]))
    other = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["campaigns:write"]))
    for path in reads:
        assert charlie.get(path).status_code == 404, path
        assert reader.get(path).status_code == 200, path
        assert other.get(path).status_code == 403, path
    for method, path in writes:
        assert reader.call(method, path, NEW).status_code == 403, path
        assert path == "lists" or charlie.call(method, path, {"email": "c@example.com"}).status_code == 404, path
    assert charlie.get("lists").json() == []
    with tenancy.account_scope(alice.account_id):
        assert List.objects.filter(account_id=alice.account_id).count() == 1


VALUE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=300)
    | st.lists(st.integers(), max_size=2)
    | st.just({"a": 1})
)
NAME = st.sampled_from(
    ["list", "name", "address", "language", "list[name]", "page", "per", "ftp_file", "no_counts", "subscribe"]
)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAME, VALUE, max_size=5))
def test_whatever_is_sent_is_answered(alice, body):
    one = filled(alice, 1)
    calls = [("POST", "lists"), ("PUT", f"lists/{one}"), ("GET", "lists"), ("GET", f"lists/{one}/contacts"),
             ("PUT", f"lists/{one}/ftp_import"), ("PUT", f"lists/{10**17}")]  # fmt: skip
    for method, path in calls:
        answer = alice.call(method, path, body)
        assert answer.status_code < 500, (method, path, body, answer.content)
