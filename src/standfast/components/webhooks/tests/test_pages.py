"""The pages of webhooks: endpoints made, changed, paused and ended; their secret, their log, a test, telling it again."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.receiver import Receiver

from standfast.components.accounts.api import Membership, Role
from standfast.components.audience.api import ContactRow, upsert_contacts
from standfast.components.webhooks.api import Attempt, Delivery, Endpoint, create_endpoint
from standfast.components.webhooks.delivery_log import PAGE
from standfast.platform import events
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def alice(client, cast):
    client.force_login(cast.alice)
    return client


@pytest.fixture
def endpoint(cast):
    with account_scope(cast.account.pk):
        return create_endpoint(account_id=cast.account.pk, url="https://hooks.example/in", description="Shop")[0]


def to(name, cast, *numbers):
    return reverse(f"webhooks:{name}", args=[cast.account.pk, *numbers])


def text(response):
    return re.sub(r"\s+", " ", response.content.decode())


def told(endpoint, states, *, kind="delivered"):
    """A delivery in each of these states, with the event behind it; returns their positions."""
    account_id = endpoint.account_id
    with account_scope(account_id), connection.cursor() as cursor:
        [anna] = upsert_contacts(cursor, account_id=account_id, rows=[ContactRow(email="anna@people.example")])
        happened = [events.Event(NOW, kind, anna.contact_id, 7, 1, {"n": "é"}) for _ in states]
        last = events.append(cursor, account_id=account_id, events=happened)
        positions = list(range(last - len(states) + 1, last + 1))
        for position, state in zip(positions, states, strict=True):
            Delivery.objects.create(
                account_id=account_id, endpoint_id=endpoint.pk, position=position, kind=kind, state=state,
                next_at=NOW, attempts=1, detail="500 oops" if state != "done" else "204",
            )  # fmt: skip
            Attempt.objects.create(
                account_id=account_id, endpoint_id=endpoint.pk, position=position, n=1, at=NOW, status=500,
                milliseconds=41, detail="500 oops",
            )  # fmt: skip
    return positions


def test_an_endpoint_is_made_changed_and_deleted(alice, cast):
    assert "No endpoint yet" in text(alice.get(to("list", cast)))
    given = {
        "url": "https://hooks.example/a",
        "which": "chosen",
        "kinds": ["bounced", "unsubscribed"],
        "description": "A",
    }
    alice.post(to("new", cast), given)
    with account_scope(cast.account.pk):
        made = Endpoint.objects.get(account=cast.account)
    assert (made.url, made.kinds) == ("https://hooks.example/a", ["bounced", "unsubscribed"])
    assert "2 kinds of event" in text(alice.get(to("list", cast)))
    alice.post(to("change", cast, made.pk), {"url": "https://hooks.example/b", "which": "everything"})
    told(made, ["done"])
    with account_scope(cast.account.pk):
        made.refresh_from_db()
        assert (made.url, made.kinds) == ("https://hooks.example/b", [])
    alice.post(to("delete", cast, made.pk))
    assert alice.post(to("delete", cast, made.pk)).status_code == 302, "of two clicks the second finds it gone"
    with account_scope(cast.account.pk):
        assert not Endpoint.objects.exists()
    assert alice.get(to("show", cast, made.pk)).status_code == 404


WRONG = [
    ({"url": "nowhere", "which": "everything"}, "Write the whole address"),
    ({"url": "https://u:p@hooks.example/", "which": "everything"}, "Leave the user name out"),
    ({"url": "https://hooks.example/\0", "which": "everything"}, "Null characters"),
    ({"url": "https://hooks.example/", "which": "chosen"}, "Choose at least one event"),
    (
        {"url": "https://hooks.example/", "which": "chosen", "kinds": ["nothing"]},
        "not one of the available choices",
    ),
    ({"url": "https://hooks.example/", "which": "odd"}, "not one of the available choices"),
    ({"which": "everything"}, "required"),
]


def test_what_is_wrong_is_said_and_nothing_is_made(alice, cast):
    for given, said in WRONG:
        assert said in text(alice.post(to("new", cast), given))
        with account_scope(cast.account.pk):
            assert not Endpoint.objects.exists()


def test_an_endpoint_keeps_the_programs_own_kinds(alice, cast):
    with account_scope(cast.account.pk):
        made, _ = create_endpoint(account_id=cast.account.pk, url="https://hooks.example/", kinds=["custom.order_paid"])
    page = text(alice.get(to("change", cast, made.pk)))
    assert "custom.order_paid" in page and "Your own" in page
    alice.post(
        to("change", cast, made.pk), {"url": made.url, "which": "chosen", "kinds": ["custom_order_paid", "clicked"]}
    )
    with account_scope(cast.account.pk):
        made.refresh_from_db()
        assert made.kinds == ["clicked", "custom_order_paid"]


def test_it_is_paused_and_goes_on(alice, cast, endpoint):
    for name, state in (("pause", "paused"), ("resume", "active")):
        alice.post(to(name, cast, endpoint.pk))
        with account_scope(cast.account.pk):
            assert Endpoint.objects.get(pk=endpoint.pk).state == state


def test_the_secret_shows_to_an_administrator_who_asks(alice, cast, endpoint):
    assert not re.search(r"whsec_\w", text(alice.get(to("show", cast, endpoint.pk))))
    before = re.search(r"whsec_[\w+/=]+", text(alice.get(to("secret", cast, endpoint.pk)))).group()
    alice.post(to("new_secret", cast, endpoint.pk))
    after = re.search(r"whsec_[\w+/=]+", text(alice.get(to("secret", cast, endpoint.pk)))).group()
    assert before != after and "for 24 hours the old one signs too" in text(alice.get(to("show", cast, endpoint.pk)))
    assert not re.search(r"whsec_\w", text(alice.get(to("secret", cast, endpoint.pk), {"hide": "1"})))
    alice.post(to("new_secret", cast, endpoint.pk), {"at_once": "on"})
    with account_scope(cast.account.pk):
        assert len(Endpoint.objects.get(pk=endpoint.pk).secrets_sealed) == 1
    alice.force_login(cast.bob)
    assert alice.get(to("secret", cast, endpoint.pk)).status_code == 403


def test_the_log_is_newest_first_paged_by_position_and_filtered(alice, cast, endpoint):
    positions = told(endpoint, ["done"] * PAGE + ["failed", "due"])
    page = to("show", cast, endpoint.pk)
    rows = r"deliveries/(\d+)/"
    assert [int(n) for n in re.findall(rows, text(alice.get(page)))] == positions[:1:-1]
    assert [int(n) for n in re.findall(rows, text(alice.get(page, {"before": positions[2]})))] == positions[1::-1]
    assert [int(n) for n in re.findall(rows, text(alice.get(page, {"after": positions[-2]})))] == positions[-1:]
    assert [int(n) for n in re.findall(rows, text(alice.get(page, {"state": "failed"})))] == [positions[-2]]
    assert "None of them" in text(alice.get(page, {"state": "trying"}))


def test_a_page_asks_as_often_for_few_as_for_many(alice, cast, endpoint):
    def queries(path):
        alice.get(path)  # the first page of a session is noted in it
        with CaptureQueriesContext(connection) as asked:
            alice.get(path)
        return len(asked)

    told(endpoint, ["done"])
    show, listed = to("show", cast, endpoint.pk), to("list", cast)
    few = queries(show), queries(listed)
    told(endpoint, ["done"] * 10 + ["failed"])
    with account_scope(cast.account.pk):
        for number in range(3):
            create_endpoint(account_id=cast.account.pk, url=f"https://hooks.example/{number}")
    assert (queries(show), queries(listed)) == few


def test_a_delivery_shows_its_attempts_and_its_body(alice, cast, endpoint):
    [position] = told(endpoint, ["failed"])
    page = text(alice.get(to("delivery", cast, endpoint.pk, position)))
    for shown in (
        "message.delivered",
        "41 ms",
        "oops",
        "anna@people.example",
        "Given up",
        "&quot;n&quot;: &quot;é&quot;",
    ):
        assert shown in page, shown
    for number in (position + 1, 2**63, 10**40):
        assert alice.get(to("delivery", cast, endpoint.pk, number)).status_code == 404


def test_one_delivery_and_a_span_are_sent_again(alice, cast, endpoint):
    positions = told(endpoint, ["done", "failed", "done"])
    alice.post(to("deliver_again", cast, endpoint.pk, positions[1]))
    assert states(endpoint) == ["done", "due", "done"]
    answer = alice.post(to("again", cast, endpoint.pk), {"first": positions[0], "last": positions[2]}, follow=True)
    assert "3 events are sent again now" in text(answer)
    assert states(endpoint) == ["due"] * 3
    answer = alice.post(to("deliver_again", cast, endpoint.pk, 2**62), follow=True)
    assert "the log has no event there" in text(answer)


def states(endpoint):
    with account_scope(endpoint.account_id):
        return list(
            Delivery.objects.filter(endpoint_id=endpoint.pk).order_by("position").values_list("state", flat=True)
        )


NO_SPANS = [
    ("5", "2", "before the first number"),
    ("1", "10001", "numbers at a time"),
    ("", "x", "required"),
    ("0", "1", "greater than or equal to 1"),
    ("1", "9" * 30, "less than or equal"),
]


def test_a_span_that_is_none_is_refused_beside_its_fields(alice, cast, endpoint):
    for first, last, said in NO_SPANS:
        answer = alice.post(to("again", cast, endpoint.pk), {"first": first, "last": last})
        assert answer.status_code == 200 and said in text(answer)


def test_a_test_shows_what_came_of_it(alice, cast, monkeypatch):
    monkeypatch.setenv("STANDFAST_ALLOW_PRIVATE", "1")
    receiver = Receiver()
    with account_scope(cast.account.pk):
        made, _ = create_endpoint(account_id=cast.account.pk, url=receiver.url)
    assert "It has the test." in text(alice.post(to("test", cast, made.pk)))
    receiver.statuses = [503]
    assert "not with 2xx" in text(alice.post(to("test", cast, made.pk)))
    assert [b"webhook.test" in body for _, body in receiver.got] == [True, True]
    receiver.shutdown()
    receiver.server_close()
    monkeypatch.delenv("STANDFAST_ALLOW_PRIVATE")
    assert "inside a private network" in text(alice.post(to("test", cast, made.pk)))


def test_bob_reads_and_charlie_finds_nothing(client, cast, endpoint):
    told(endpoint, ["done"])
    with account_scope(cast.account.pk):
        Membership.objects.filter(user=cast.bob).update(role=Role.READER)
    client.force_login(cast.bob)
    page = text(client.get(to("show", cast, endpoint.pk)))
    assert "anna@people.example" in page and "Send a test" not in page and "Make a new one" not in page
    assert client.get(to("new", cast)).status_code == 403
    client.force_login(cast.charlie)
    assert client.get(to("show", cast, endpoint.pk)).status_code == 404
    mine = reverse("webhooks:show", args=[cast.other.pk, endpoint.pk])
    assert client.get(mine).status_code == 404, "under Charlie's own account neither"
    assert client.post(reverse("webhooks:delete", args=[cast.other.pk, endpoint.pk])).status_code == 302
    with account_scope(cast.account.pk):
        assert Endpoint.objects.filter(pk=endpoint.pk).exists()
