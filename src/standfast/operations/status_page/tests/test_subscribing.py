"""Subscribing: nothing without confirmation, the same for known and unknown addresses, and every link means one thing."""

from datetime import UTC, datetime, timedelta

import pytest

from standfast.operations.log import Log
from standfast.operations.map import Square
from standfast.operations.status_page import subscribers, subscribing
from standfast.operations.status_page.tests import scenes

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
SQUARES = [Square("rest-api", "ca1")]


@pytest.fixture
def log():
    one = Log(None)
    subscribing.prepare(one)
    return one


def ask(log, address="alice@example.com", *, channel="email", components=None, clusters=None, now=NOW):
    subscribing.subscribe(log, channel=channel, address=address, components=components, clusters=clusters, now=now)
    return log.connection.execute("select id from subscriber where address = ?", (address,)).fetchone()["id"]


def confirmed(log, address="alice@example.com", **more):
    key = ask(log, address, **more)
    subscribing.confirm(log, subscribing.confirm_link(log.connection, key), now=NOW)
    return key


def test_only_who_confirmed_is_told_and_of_what_was_chosen(log):
    ask(log, "pending@example.com")
    confirmed(log, "all@example.com")
    confirmed(log, "eu@example.com", clusters=["eu1"])
    confirmed(log, "api@example.com", components=["rest-api"], clusters=["ca1"])
    assert {one.address for one in subscribers.matching(log.connection, SQUARES)} == {
        "all@example.com",
        "api@example.com",
    }


def test_each_link_does_one_thing(log):
    key = ask(log)
    leave, confirm = subscribers.token(log.connection, key), subscribing.confirm_link(log.connection, key)
    assert subscribing.confirm(log, leave, now=NOW) is None and subscribing.unsubscribe(log, confirm) is None
    for text in ("", "x", key, f"{key}.", f"{key}.{'0' * 40}", confirm[:-1], "é.é"):
        assert subscribing.confirm(log, text, now=NOW) is None and subscribing.unsubscribe(log, text) is None
    assert subscribing.confirm(log, confirm, now=NOW) is not None
    assert subscribing.confirm(log, confirm, now=NOW) is not None  # a second click is no error
    assert subscribing.unsubscribe(log, leave) is not None and subscribing.unsubscribe(log, leave) is not None
    assert subscribing.confirm(log, confirm, now=NOW) is None  # an old letter does not subscribe who has left
    assert subscribers.matching(log.connection, SQUARES) == []


def test_a_stranger_who_types_a_known_address_changes_nothing(log):
    key = confirmed(log, components=["login"])
    ask(log, components=["ftp"])
    one = subscribers.by_id(log.connection, [key])[key]
    assert one.state == "confirmed" and one.components == ("login",)


def test_who_comes_back_confirms_again(log):
    key = confirmed(log)
    subscribing.unsubscribe(log, subscribers.token(log.connection, key))
    assert ask(log, clusters=["eu1"]) == key
    assert subscribers.by_id(log.connection, [key])[key].state == "pending"
    subscribing.confirm(log, subscribing.confirm_link(log.connection, key), now=NOW)
    assert subscribers.by_id(log.connection, [key])[key].clusters == ("eu1",)


def test_a_quarantined_one_is_told_again_once_it_confirms(log):
    key = confirmed(log)
    for _ in range(3):
        subscribers.bounced(log.connection, key, now=NOW, most=3)
    assert subscribers.matching(log.connection, SQUARES) == []
    ask(log)
    subscribing.confirm(log, subscribing.confirm_link(log.connection, key), now=NOW)
    one = subscribers.by_id(log.connection, [key])[key]
    assert one.state == "confirmed" and one.bounces == 0


def test_an_address_gets_three_letters_a_day_however_often_it_is_typed(log):
    numbers = []
    for minute in range(10):
        now = NOW + timedelta(minutes=minute)
        ask(log, now=now)
        for one in subscribing.waiting(log, now=now):
            numbers.append(one.number)
            subscribing.sent(log, one.subscriber.id, number=one.number)
    assert numbers == [1, 2, 3]
    ask(log, now=NOW + timedelta(days=1, hours=1))
    assert [one.number for one in subscribing.waiting(log, now=NOW + timedelta(days=1, hours=1))] == [101]


def test_a_letter_that_did_not_go_out_is_tried_again_for_a_while(log):
    ask(log)
    tries = 0
    for minute in range(300):
        tries += len(subscribing.waiting(log, now=NOW + timedelta(minutes=minute)))
    assert tries == len(subscribing.RETRY_MINUTES)


def test_a_letter_asked_for_while_one_is_sent_still_goes(log):
    key = ask(log)
    first = subscribing.waiting(log, now=NOW)[0]
    ask(log, now=NOW + timedelta(seconds=1))
    subscribing.sent(log, key, number=first.number)
    assert [one.number for one in subscribing.waiting(log, now=NOW + timedelta(seconds=2))] == [2]


def test_what_is_old_is_dropped(log):
    ask(log, "pending@example.com")
    key = confirmed(log, "lost@example.com")
    subscribers.bounced(log.connection, key, now=NOW, most=1)
    confirmed(log, "kept@example.com")
    assert subscribing.purge(log, now=NOW + timedelta(days=8)) == 1
    assert subscribing.purge(log, now=NOW + timedelta(days=61)) == 1
    assert [one.address for one in subscribers.matching(log.connection, SQUARES)] == ["kept@example.com"]


def test_a_webhook_has_a_secret_of_its_own(log):
    first = confirmed(log, "https://a.example/x", channel="webhook")
    second = confirmed(log, "https://b.example/x", channel="webhook")
    found = subscribers.by_id(log.connection, [first, second])
    assert found[first].secret.startswith("whsec_") and found[first].secret != found[second].secret


@pytest.mark.parametrize(
    "text",
    [
        "", "http://a.example/x", "ftp://a.example", "https://", "https://user:pass@a.example/", "https://a.example/#x",
        "https://a.example/a b", "https://a.example:99999/", "https://a.example/" + "x" * 500, "javascript:alert(1)",
        "https://ex\nample.com/",
    ],
)  # fmt: skip
def test_what_is_no_webhook_address_is_refused(text):
    with pytest.raises(subscribing.SubscribeError):
        subscribing.webhook_address(text)


def test_addresses_are_normalised():
    assert subscribing.email_address(" Alice@EXAMPLE.com ") == "Alice@example.com"
    for text in ("", "alice", "a@b@c", "alice@localhost\r\nBcc: x@y.z"):
        with pytest.raises(subscribing.SubscribeError):
            subscribing.email_address(text)


def test_the_scope_is_what_the_map_has():
    the_map = scenes.a_map()
    assert subscribing.scope(the_map, [], []) == (None, None)
    assert subscribing.scope(the_map, ["login", "nope"], ["eu1"]) == (["login"], ["eu1"])
    assert subscribing.scope(the_map, list(scenes.COMPONENTS), ["nope"]) == (None, None)
