"""Events of programs: in the log before the answer, once under their id, refused row by row; nothing of Charlie's."""

import datetime as dt

import psycopg
import pytest
from procrastinate.contrib.django import app

from standfast.platform import postgres

pytestmark = pytest.mark.django_db(transaction=True)


def run_job(name: str, at: dt.datetime) -> None:
    """As the worker runs a periodic job."""
    app.tasks[name](timestamp=int(at.timestamp()))


def tell(caller, *events, **more):
    return caller.v1("POST", "/events", {"events": list(events), **more})


def outcomes(answer) -> list[str]:
    return [row["outcome"] for row in answer.json()["results"]]


def logged(caller) -> list[dict]:
    return caller.v1("GET", "/events?limit=500").json()["data"]


def test_events_are_in_the_log_in_order_whoever_is_named_how(alice, charlie):
    ann = alice.v1("POST", "/contacts", {"email": "ann@example.net", "uid": "A1"}).json()
    answer = tell(
        alice,
        {"name": "signed_up", "email": "Ann@example.net", "properties": {"plan": "é", "price": 1.5}},
        {"name": "ordered", "uid": "A1", "occurred_at": "2025-01-02T03:04:05Z"},
        {"name": "left", "contact_id": ann["id"]},
    )
    assert outcomes(answer) == ["taken"] * 3
    rows = [row for row in logged(alice) if row["kind"].startswith("custom_")]
    assert [(row["kind"], row["contact_id"]) for row in rows] == [
        (kind, ann["id"]) for kind in ("custom_signed_up", "custom_ordered", "custom_left")
    ]
    assert rows[0]["details"] == {"properties": {"plan": "é", "price": 1.5}}
    assert rows[1]["at"].startswith("2025-01-02T03:04:05")
    assert [row["position"] for row in answer.json()["results"]] == [row["position"] for row in rows]
    assert logged(charlie) == []
    assert outcomes(tell(charlie, {"name": "spied", "contact_id": ann["id"]})) == ["refused"]
    assert alice.v1("GET", f"/events?after={rows[1]['position']}&fields=kind").json()["data"] == [
        {"kind": "custom_left"}
    ]
    alice.v1("DELETE", f"/contacts/{ann['id']}")
    assert all("properties" not in row["details"] for row in logged(alice)), "erased with the person"


def test_an_unknown_address_makes_a_person_only_when_asked(alice):
    event = {"name": "signed_up", "email": "New@Example.net"}
    refused = tell(alice, event)
    assert outcomes(refused) == ["refused"] and "create_contacts" in refused.json()["results"][0]["reason"]
    assert outcomes(tell(alice, event, event, {"name": "x", "email": "no address"}, create_contacts=True)) == [
        "taken", "taken", "refused",
    ]  # fmt: skip
    assert len(alice.v1("GET", "/contacts").json()["data"]) == 1
    assert [row["kind"] for row in logged(alice)] == ["contact_created", "custom_signed_up", "custom_signed_up"]


def test_the_same_id_is_one_event_for_seven_days(alice, charlie, database):
    once = {"name": "ordered", "email": "ann@example.net", "id": "order-1"}
    assert outcomes(tell(alice, once, {**once}, {**once, "id": "order-2"}, create_contacts=True)) == [
        "taken", "again", "taken",
    ]  # fmt: skip
    assert outcomes(tell(alice, once)) == ["again"]
    assert outcomes(tell(charlie, once, create_contacts=True)) == ["taken"], "another account's ids are others"
    now = dt.datetime.now(dt.UTC)
    run_job("audience.forget_event_keys", now)
    assert outcomes(tell(alice, once)) == ["again"]
    run_job("audience.forget_event_keys", now + dt.timedelta(days=8))
    assert outcomes(tell(alice, once)) == ["taken"]
    with psycopg.connect(postgres.dsn(database, "loader")) as loader:
        loader.execute(
            "UPDATE audience_eventkey SET at = at - interval '8 days' WHERE account_id = %s", [alice.account_id]
        )
    assert outcomes(tell(alice, once)) == ["taken"], "forgotten before the job has come to it"


def test_a_refused_event_leaves_its_id_free(alice):
    event = {"name": "ordered", "email": "ann@example.net", "id": "order-1"}
    assert outcomes(tell(alice, event)) == ["refused"]
    assert outcomes(tell(alice, event, create_contacts=True)) == ["taken"]


def test_a_row_that_cannot_be_is_refused_alone(alice):
    alice.v1("POST", "/contacts", {"email": "ann@example.net"})
    good = {"name": "ordered", "email": "ann@example.net"}
    bad = [
        {"name": "ordered"},
        {**good, "uid": "1"},
        {**good, "occurred_at": "2999-01-01T00:00:00Z"},
        {**good, "occurred_at": "1999-01-01T00:00:00Z"},
        {**good, "properties": {"text": "x" * 9000}},
        {**good, "properties": {"text": "a\0b"}},
        {**good, "properties": {str(n): n for n in range(101)}},
        {"name": "ordered", "contact_id": 2**61},
    ]
    answer = tell(alice, *bad, good)
    assert outcomes(answer) == ["refused"] * len(bad) + ["taken"]
    assert all(row["reason"] for row in answer.json()["results"][:-1])


@pytest.mark.parametrize(
    "body",
    [
        b'{"events": [{"name": "a", "email": "a@example.net", "properties": {"n": 1e400}}], "create_contacts": true}',
        b'{"events": [{"name": "a", "email": "a@example.net", "properties": {"n": ' + b"9" * 5000 + b"}}]}",
        b'{"events": [{"name": "a", "email": "a@example.net", "properties": {"n": "\\ud800"}}]}',
        b'{"events": [{"name": "Not A Name", "email": "a@example.net"}]}',
        b'{"events": []}',
        b'{"events": [{"name": "a", "contact_id": 1e99}]}',
        b'{"events": [{"name": "a", "uid": "1", "occurred_at": 1e300}]}',
        b'{"events": [{"name": "a", "uid": "1", "occurred_at": "0001-01-01T00:00:00+23:59"}]}',
        b'{"events": [{"name": "a", "uid": "\\u0000"}]}',
    ],
)
def test_bad_bodies_are_answered_with_a_reason(alice, body):
    answer = alice.v1("POST", "/events", body)
    if answer.status_code == 200:
        assert outcomes(answer) == ["refused"]
    else:
        assert answer.status_code in (400, 422) and answer.json()["title"]


def test_answers_under_keys_are_deleted_after_seven_days(alice, database):
    def kept() -> int:
        with psycopg.connect(postgres.dsn(database, "loader")) as loader:
            return loader.execute(
                "SELECT count(*) FROM idempotent_answer WHERE account_id = %s", [alice.account_id]
            ).fetchone()[0]

    alice.v1("POST", "/contacts", {"email": "ann@example.net"}, **{"idempotency-key": "k"})
    now = dt.datetime.now(dt.UTC)
    run_job("platform.forget_answers", now + dt.timedelta(days=6))
    assert kept() == 1
    run_job("platform.forget_answers", now + dt.timedelta(days=8))
    assert kept() == 0


def test_the_worker_knows_the_jobs_that_forget():
    periodic = {each.task.name for each in app.periodic_registry.periodic_tasks.values()}
    assert {"platform.forget_answers", "audience.forget_event_keys"} <= periodic
