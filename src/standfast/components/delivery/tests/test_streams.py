"""Messages appended to a stream: numbered without gaps, once under a key, seen by nobody else."""

import datetime as dt
import threading

import pytest
from django.db import connection

from standfast.components.delivery.models import Recipient, Send
from standfast.components.delivery.models import Submission as Row
from standfast.components.delivery.streams import Submission, open_stream, stream_source, submit
from standfast.platform import tenancy

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stream(transactional_db, cast):
    with tenancy.account_scope(cast.account.pk):
        return open_stream(account_id=cast.account.pk, sources={"from_email": "shop@example.test"})


def hand_in(stream, *messages: Submission):
    with tenancy.account_scope(stream.account_id):
        return submit(account_id=stream.account_id, send_id=stream.pk, messages=messages)


def message(name: str, **more) -> Submission:
    return Submission(contact_id=7, email=f"{name}@example.net", values={"tag": {"order": "é"}}, **more)


def test_the_same_contact_gets_many_messages_in_order(stream):
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    taken = hand_in(stream, message("alice"), message("alice"), message("alice", due_at=later))
    assert [one.seq for one in taken] == [1, 2, 3]
    assert [one.seq for one in hand_in(stream, message("bob", raw=b"Subject: x\r\n\r\nx"))] == [4]
    with tenancy.account_scope(stream.account_id):
        rows = list(Recipient.objects.filter(send_id=stream.pk).order_by("seq"))
        assert [row.status for row in rows] == [0, 0, 2, 0]
        assert rows[2].next_attempt_at == later
        assert Send.objects.get(pk=stream.pk).total == 4
        assert bytes(Row.objects.get(send_id=stream.pk, seq=4).raw) == b"Subject: x\r\n\r\nx"
        assert Row.objects.get(send_id=stream.pk, seq=1).given == {"tag": {"order": "é"}}


def test_the_same_key_and_recipient_within_a_day_is_the_same_message(stream):
    first = hand_in(stream, message("alice", key="<1@shop>"), message("bob", key="<1@shop>"))
    again = hand_in(
        stream, message("alice", key="<1@shop>"), message("carol", key="<1@shop>"), message("carol", key="<1@shop>")
    )
    assert [(one.seq, one.again) for one in first] == [(1, False), (2, False)]
    assert [(one.seq, one.again) for one in again] == [(1, True), (3, False), (3, True)]
    with tenancy.account_scope(stream.account_id):
        Row.objects.filter(send_id=stream.pk, seq=1).update(created_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=25))
    assert hand_in(stream, message("alice", key="<1@shop>"))[0].again is False


def test_a_hundred_at_once_make_one(stream):
    found, errors = [], []

    def go():
        try:
            found.extend(hand_in(stream, message("alice", key="same")))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert {one.seq for one in found} == {1}
    assert sum(not one.again for one in found) == 1


def test_a_source_is_kept_once(stream):
    with tenancy.account_scope(stream.account_id):
        common = {"account_id": stream.account_id, "send_id": stream.pk}
        first = stream_source(**common, sources={"a": 1, "b": 2})
        assert stream_source(**common, sources={"b": 2, "a": 1}) == first
        assert stream_source(**common, sources={"a": 2}) != first


def test_charlie_can_neither_append_nor_see(stream, cast):
    with tenancy.account_scope(cast.other.pk):
        with pytest.raises(LookupError):
            submit(account_id=cast.other.pk, send_id=stream.pk, messages=[message("charlie")])
        assert not Row.objects.exists()


def test_an_ended_stream_takes_nothing(stream):
    with tenancy.account_scope(stream.account_id):
        Send.objects.filter(pk=stream.pk).update(state="cancelled")
    with pytest.raises(LookupError):
        hand_in(stream, message("alice"))
