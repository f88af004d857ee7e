"""What calls that are made most ask of the database: counted, so that they do not grow slow unnoticed.

Each round trip is a wait, and a change of threads, in a call whose work takes less. Counts are of a connection that has been
used and of a key whose use was noted within the minute.
"""

import datetime as dt

import pytest

from standfast.components.accounts.api import ApiKey, revoke_key
from standfast.platform.tenancy import account_scope
from standfast.platform.tests.traffic import traffic
from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)
READING = ["BEGIN", "SET", "SELECT"]  # in one round trip: the transaction, its account, the key
PERSON = {"email": "ann@example.net", "first_name": "Ann"}
EVENT = {"events": [{"name": "signed_up", "email": "ann@example.net", "id": "one"}]}


@pytest.fixture
def ann(alice):
    """There is a person, and the key was used a moment ago."""
    assert alice.v1("POST", "/contacts", PERSON).status_code == 201
    return alice


def asked(call):
    with traffic() as seen:
        answer = call()
    assert answer.status_code in (200, 201), answer.content
    return seen


def test_reading_asks_three_times(ann):
    for path in ("/contacts", "/contacts?email=ann@example.net", "/account", "/lists"):
        seen = asked(lambda path=path: ann.v1("GET", path))
        assert (seen.asked, seen.done) == (3, [*READING, "SELECT", "COMMIT"]), path


def test_reading_with_a_body_begins_when_it_has_come(ann):
    seen = asked(lambda: ann.v1("GET", "/contacts", {"nothing": "reads it"}))
    assert seen.done == ["SET", "SELECT", "BEGIN", "SET", "SELECT", "COMMIT"]


def test_reading_as_the_reference_product_does_asks_four_times(ann):
    seen = asked(lambda: ann.get("contacts/email", query="contact[email]=ann@example.net"))
    assert (seen.asked, seen.done) == (4, [*READING, "SELECT", "SELECT", "COMMIT"])  # with the right to see orders
    seen = asked(lambda: ann.get("lists"))
    assert seen.asked <= 5


def test_writing_asks_for_the_key_alone_and_begins_when_the_body_has_come(ann):
    for path, body, times in (("/contacts", PERSON | {"last_name": "Archer"}, 8), ("/events", EVENT, 6)):
        seen = asked(lambda path=path, body=body: ann.v1("POST", path, body))
        assert seen.done[:4] == ["SET", "SELECT", "BEGIN", "SET"] and seen.asked == times, (path, seen.done)
    seen = asked(lambda: ann.post("contacts", {"contact": PERSON | {"last_name": "Bow"}}))
    assert seen.done[:3] == READING and seen.asked == 7, seen.done


def test_a_key_is_noted_as_used_once_a_minute_whatever_becomes_of_the_call(ann, people):
    key = key_of(people.account, people.alice)
    other = Caller(ann.client, ann.account_id, key)
    with traffic() as seen:
        assert other.v1("GET", "/contacts/999999").status_code == 404
    assert seen.done.count("UPDATE") == 1
    with account_scope(people.account.pk):
        noted = ApiKey.objects.filter(account=people.account).order_by("-pk")[0]
        assert noted.used_at is not None and noted.used_from == "127.0.0.1"
    with traffic() as seen:
        assert other.v1("GET", "/contacts/999999").status_code == 404
        assert other.get("contacts/email", query="email=nobody@example.net").status_code == 404
    assert "UPDATE" not in seen.done
    with account_scope(people.account.pk):
        long_ago = noted.used_at - dt.timedelta(minutes=2)
        ApiKey.objects.filter(account=people.account, pk=noted.pk).update(used_at=long_ago)
    with traffic() as seen:
        assert other.get("contacts/email", query="email=nobody@example.net").status_code == 404
    assert seen.done.count("UPDATE") == 1


def test_a_key_that_is_revoked_ends_with_the_next_call(ann, people):
    other = Caller(ann.client, ann.account_id, key_of(people.account, people.alice))
    assert other.v1("GET", "/contacts").status_code == other.get("lists").status_code == 200
    with account_scope(people.account.pk):
        assert revoke_key(people.account, ApiKey.objects.filter(account=people.account).order_by("-pk")[0].pk)
    assert other.v1("GET", "/contacts").status_code == 401
    assert other.v1("POST", "/contacts", PERSON).status_code == 401
    assert other.get("lists").status_code == 401
