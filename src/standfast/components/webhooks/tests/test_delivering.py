"""Events told to programs over real HTTP: signed, once they said 2xx, again after a kill, never into the private network."""

import datetime as dt
import json

import psycopg
import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from standfast.components.webhooks.api import (
    CONSUMERS,
    Attempt,
    Deliverer,
    Delivery,
    Endpoint,
    EndpointInvalid,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    send_again,
    send_test,
)
from standfast.components.webhooks.delivering import RETRY_SECONDS
from standfast.components.webhooks.jobs import forget_deliveries, forget_endpoint
from standfast.platform import consumers, events, postgres
from standfast.platform.tenancy import account_scope
from standfast.protocols.webhook_signature import signed_headers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(transactional_db, cast):
    return cast.account


@pytest.fixture
def work(database):
    """Fold and deliver until nothing is due, as the worker does."""
    deliverer = Deliverer()

    def go() -> int:
        with psycopg.connect(postgres.dsn(database, "loader")) as loader:
            while consumers.advance_all(loader, CONSUMERS):
                pass
            made = 0
            while step := deliverer.step(loader):
                made += step
            return made

    yield go
    deliverer.close()


def happen(account, *kinds: str) -> None:
    now = dt.datetime.now(dt.UTC)
    with account_scope(account.pk), connection.cursor() as cursor:
        events.append(
            cursor, account_id=account.pk, events=[events.Event(now, kind, data={"n": "é"}) for kind in kinds]
        )


def make(account, url: str, **more):
    with account_scope(account.pk):
        return create_endpoint(account_id=account.pk, url=url, **more)


def deliveries(account) -> list[tuple[int, str, int]]:
    with account_scope(account.pk):
        rows = Delivery.objects.filter(account_id=account.pk).order_by("position")
        return [(row.position, row.state, row.attempts) for row in rows]


def test_what_happens_after_it_was_made_is_told_once_and_signed(account, receiver, work):
    happen(account, "delivered")
    endpoint, secret = make(account, receiver.url)
    happen(account, "clicked", "bounced")
    work()
    assert work() == 0
    assert sorted(json.loads(body)["type"] for _, body in receiver.got) == ["message.bounced", "message.clicked"]
    for headers, body in receiver.got:
        seconds, name = int(headers["webhook-timestamp"]), headers["webhook-id"]
        signed = signed_headers(secret, message_id=name, seconds=seconds, body=body)
        assert headers["webhook-signature"] == signed["webhook-signature"]
        assert json.loads(body)["data"]["details"] == {"n": "é"}
    with account_scope(account.pk):
        assert [one.status for one in Attempt.objects.filter(endpoint_id=endpoint.pk)] == [204, 204]


def test_only_chosen_kinds_and_nothing_of_charlies(account, receiver, work, cast):
    make(account, receiver.url, kinds=["message.bounced"])
    happen(account, "clicked", "bounced")
    happen(cast.other, "bounced")
    work()
    assert len(receiver.got) == 1
    assert json.loads(receiver.got[0][1])["data"]["account_id"] == account.pk
    with account_scope(cast.other.pk):
        assert not Endpoint.objects.exists() and not Delivery.objects.exists()


def test_a_failure_is_tried_again_under_the_same_id_and_the_log_shows_both(account, receiver, work):
    make(account, receiver.url)
    receiver.statuses = [500]
    happen(account, "clicked")
    work()
    assert [row[1:] for row in deliveries(account)] == [("due", 1)]
    hasten(account)
    work()
    assert [row[1:] for row in deliveries(account)] == [("done", 2)]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    with account_scope(account.pk):
        assert [one.status for one in Attempt.objects.order_by("n")] == [500, 204]


def test_what_was_given_up_and_is_sent_again_is_tried_as_often_as_at_first(account, receiver, work):
    endpoint, _ = make(account, receiver.url)
    receiver.statuses = [500] * 20
    happen(account, "clicked")
    for _ in range(len(RETRY_SECONDS) + 1):
        work()
        hasten(account)
    [(position, state, attempts)] = deliveries(account)
    assert (state, attempts) == ("failed", len(RETRY_SECONDS) + 1)
    with account_scope(account.pk):
        assert send_again(endpoint, first=position, last=position) == 1
    work()
    assert deliveries(account) == [(position, "due", attempts + 1)]


def hasten(account) -> None:
    with account_scope(account.pk):
        Delivery.objects.filter(account_id=account.pk).update(next_at=dt.datetime.now(dt.UTC))


def test_a_worker_that_was_killed_leaves_an_attempt_without_outcome_and_it_goes_again(
    account, receiver, work, database
):
    make(account, receiver.url)
    happen(account, "clicked")
    with psycopg.connect(postgres.dsn(database, "loader")) as loader:
        while consumers.advance_all(loader, CONSUMERS):
            pass
        from standfast.components.webhooks.queries import QUERIES

        now = dt.datetime.now(dt.UTC)
        until = now + dt.timedelta(seconds=60)
        taken = loader.execute(
            QUERIES.take.sql, {"account_id": account.pk, "now": now, "until": until, "size": 5}
        ).fetchall()
        assert len(taken) == 1
    assert work() == 0, "another worker holds it"
    hasten(account)
    assert work() == 1
    with account_scope(account.pk):
        assert [one.status for one in Attempt.objects.order_by("n")] == [None, 204]


def test_gone_ends_the_endpoint_and_a_person_can_begin_again_from_the_log(account, receiver, work):
    endpoint, _ = make(account, receiver.url)
    receiver.statuses = [410]
    happen(account, "clicked", "clicked")
    work()
    with account_scope(account.pk):
        endpoint.refresh_from_db()
        assert endpoint.state == "disabled"
        change_endpoint(endpoint, state="active")
        positions = [row[0] for row in deliveries_in_scope(account)]
        assert send_again(endpoint, first=min(positions), last=max(positions)) == 2
    before = len(receiver.got)
    work()
    assert len(receiver.got) == before + 2
    assert {row[1] for row in deliveries(account)} == {"done"}


def deliveries_in_scope(account):
    return [(row.position, row.state) for row in Delivery.objects.filter(account_id=account.pk)]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "http://169.254.169.254/x"]
)
def test_private_addresses_are_refused_when_sending(account, work, monkeypatch, url):
    monkeypatch.delenv("STANDFAST_ALLOW_PRIVATE", raising=False)
    make(account, url)
    happen(account, "clicked")
    work()
    with account_scope(account.pk):
        [attempt] = Attempt.objects.all()
    assert attempt.status is None and "private" in attempt.detail


@pytest.mark.parametrize(
    "url",
    ["", "ftp://x.example/", "https://", "https://user:pw@x.example/", "https://x.example/ y", "https://x:99999999/"],
)
def test_an_address_that_is_none_is_refused(account, url):
    with pytest.raises(EndpointInvalid):
        make(account, url)


def test_a_redirect_is_not_followed(account, receiver, work):
    make(account, receiver.url)
    receiver.statuses = [302]
    happen(account, "clicked")
    work()
    assert len(receiver.got) == 1
    assert [row[1] for row in deliveries(account)] == ["due"]


def test_a_programs_own_event_with_the_longest_name_and_a_test_for_one_endpoint(account, receiver, work):
    name = "n" * 60
    one, _ = make(account, receiver.url, kinds=[f"custom.{name}"])
    make(account, receiver.url)
    happen(account, f"custom_{name}", "do_not_mail_removed")
    work()
    types = sorted(json.loads(body)["type"] for _, body in receiver.got)
    assert types == ["contact.do_not_mail_lifted", f"custom.{name}", f"custom.{name}"]
    with account_scope(account.pk):
        send_test(one)
    work()
    assert [json.loads(body)["type"] for _, body in receiver.got[3:]] == ["webhook.test"]


@pytest.mark.parametrize("kind", ["nothing", "custom.", "custom.Upper", "custom." + "n" * 61, "\0"])
def test_a_type_that_is_none_is_refused(account, kind):
    with pytest.raises(EndpointInvalid):
        make(account, "https://x.example/", kinds=[kind])


def test_the_log_of_an_endpoint_that_was_deleted_is_deleted_by_a_job(account, receiver, work, monkeypatch):
    monkeypatch.setattr("standfast.components.webhooks.jobs.FORGOTTEN_AT_ONCE", 2)
    ended, _ = make(account, receiver.url)
    stays, _ = make(account, receiver.url)
    happen(account, *["clicked"] * 5)
    work()
    with account_scope(account.pk):
        which = {"account_id": account.pk, "endpoint_id": ended.pk}
        delete_endpoint(ended)
        job = ProcrastinateJob.objects.get(task_name="webhooks.forget_endpoint", args=which)
        assert Delivery.objects.filter(endpoint_id=which["endpoint_id"]).count() == 5
    forget_endpoint(**job.args)
    with account_scope(account.pk):
        for kept in (Delivery, Attempt):
            assert set(kept.objects.values_list("endpoint_id", flat=True)) == {stays.pk}
            assert kept.objects.count() == 5


def test_what_ended_long_ago_is_forgotten(account, receiver, work):
    make(account, receiver.url)
    happen(account, "clicked")
    work()
    now = dt.datetime.now(dt.UTC)
    for days, left in ((29, 1), (31, 0)):
        forget_deliveries(timestamp=int((now + dt.timedelta(days=days)).timestamp()))
        assert len(deliveries(account)) == left
    with account_scope(account.pk):
        assert not Attempt.objects.exists()
