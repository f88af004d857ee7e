"""Calls that are lost, put off, or half answered: repeated under one idempotency key, and never for ever."""

import io
import json

import pytest
from scripted_server import ScriptedServer, answer, half

from standfast_client import (
    Client,
    Conflict,
    Interrupted,
    Invalid,
    Retries,
    ServerError,
    StandfastError,
    TooManyRequests,
    Unreachable,
)

QUICK = Retries(count=3, first_wait_seconds=0.001, wait_seconds_max=0.01)
LIST = {"id": 1, "name": "News"}
BUSY = answer(429, {"title": "Too many calls at a time", "detail": "Wait for one to end."}, Retry_After="1")


@pytest.fixture
def server():
    found = ScriptedServer()
    yield found
    found.close()


@pytest.fixture
def client(server):
    with Client(server.url, "sf_1_secret-part-of-the-key", retries=QUICK, timeout=10) as found:
        yield found


@pytest.mark.parametrize(
    "lost",
    [
        "reset before", "reset after", "nothing", BUSY, half(answer(201, LIST)), b"HTTP/1.1 20", b"nonsense\r\n\r\n",
        answer(502, "a proxy"), answer(503, {"title": "The database does not answer"}), answer(504, {}),
        answer(409, {"title": "The first call with this key has not ended"}, Retry_After="1"),
    ],
)  # fmt: skip
def test_a_lost_call_is_made_again_and_is_the_same_call(server, client, lost):
    server.script = [lost, lost, answer(201, LIST)]
    assert client.lists.make(name="News")["id"] == 1
    assert len({each.headers["idempotency-key"] for each in server.asked}) == 1
    assert len({each.headers["x-request-id"] for each in server.asked}) == 1
    assert {each.body for each in server.asked} == {b'{"name":"News","description":""}'}
    assert len(server.asked) == (1 if lost == "reset before" else 3)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("7", 7, 9), ("900", 60, 62), ("Wed, 01 Jan 2200 00:00:00 GMT", 60, 62), ("Wed, 01 Jan 2020 00:00:00 GMT", 0, 2),
        ("", 0, 2), (None, 0, 2), ("-1", 0, 2), ("²", 0, 2), ("9" * 400, 60, 62), ("Wed, 99 Foo 99999999 00:00:00 GMT", 0, 2),
    ],
)  # fmt: skip
def test_it_waits_as_long_as_it_is_asked_to_within_its_limit(asked, least, most):
    assert least <= Retries(first_wait_seconds=2, wait_seconds_max=60).wait_seconds(0, asked) <= most


def test_each_wait_is_longer_up_to_the_limit():
    waits = [Retries(first_wait_seconds=1, wait_seconds_max=5).wait_seconds(n, None) for n in (0, 1, 2, 3, 10_000)]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, (1, 2, 4, 5, 5), strict=True))


def test_two_calls_are_two(server, client):
    client.lists.delete(1)
    client.lists.delete(1)
    first, second = (each.headers["idempotency-key"] for each in server.asked)
    assert first != second and len(first) >= 32


def test_a_key_of_the_callers_is_used(server, client):
    client.campaigns.send(7, idempotency_key="spring", if_match='"v1"')
    [asked] = server.asked
    assert (asked.headers["idempotency-key"], asked.headers["if-match"], asked.body) == ("spring", '"v1"', b"")


def test_it_ends_after_its_repetitions_and_says_how_to_make_the_call_again(server, client):
    server.script = ["reset after"] * 9
    with pytest.raises(Unreachable) as raised:
        client.lists.make(name="News")
    assert len(server.asked) == 4
    assert raised.value.idempotency_key == server.asked[0].headers["idempotency-key"]
    assert raised.value.idempotency_key in str(raised.value) and raised.value.request_id in str(raised.value)


@pytest.mark.parametrize(("said", "kind"), [(BUSY, TooManyRequests), (answer(503, {"title": "Away"}), ServerError)])
def test_what_is_answered_to_the_end_is_raised(server, client, said, kind):
    server.script = [said] * 9
    with pytest.raises(kind):
        client.account.get()
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("status", "kind"), [(409, Conflict), (422, Invalid), (500, ServerError), (302, StandfastError)]
)
def test_what_is_meant_is_not_repeated(server, client, status, kind):
    body = {"title": "No", "status": status, "detail": "Because.", "instance": "abc", "possible": ["cancel"],
            "errors": [{"field": "body.name", "message": "is blank", "remedy": "send a name"}]}  # fmt: skip
    server.script = [answer(status, body, Location="http://elsewhere.example/")]
    with pytest.raises(kind) as raised:
        client.campaigns.pause(1)
    assert len(server.asked) == 1
    assert str(raised.value) == (
        f"{status} No. Because. body.name: is blank; send a name Possible now: cancel. (request abc)"
    )
    assert raised.value.faults[0].remedy == "send a name" and raised.value.possible == ("cancel",)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"errors": 1, "possible": {}, "title": null}', b"[" * 100_000])
def test_an_error_that_is_no_problem_is_an_error_too(server, client, body):
    server.script = [b"HTTP/1.1 418 X\r\nConnection: close\r\n\r\n" + body]
    with pytest.raises(StandfastError, match="418"):
        client.account.get()


def test_a_page_of_something_else_is_no_answer(server, client):
    server.script = [b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n<html>"]
    with pytest.raises(StandfastError, match="base_url"):
        client.account.get()


def test_nobody_there():
    server = ScriptedServer()
    server.close()
    with Client(server.url, "sf_1_x", retries=Retries(1, 0.001)) as client, pytest.raises(Unreachable):
        client.account.get()


def test_a_file_is_sent_again_from_its_beginning(server, client, tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(b"email\n" + b"a@example.net\n" * 1000)
    with path.open("rb") as file:
        file.seek(100)
        for given in (path, file, io.BytesIO(path.read_bytes())):
            server.asked.clear()
            server.script = ["reset after", answer(202, {"id": 1})]
            assert client.imports.start(given)["id"] == 1
            assert [each.body for each in server.asked] == [path.read_bytes()] * 2
            assert server.asked[0].headers["content-length"] == str(path.stat().st_size)
            assert server.asked[0].headers["content-type"] == "text/csv"
        assert not file.closed
    with pytest.raises(ValueError, match="only once"):
        client.imports.start(_Pipe())


class _Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


def test_rows_that_end_early_are_told_apart_from_all_rows(server, client, tmp_path):
    rows = b'{"email":"a"}\n{"email":"b\xe2\x80\xa8c"}\n'
    head = b"HTTP/1.1 200 X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(rows)
    server.script = [head + rows, half(head + rows), half(head + rows)]
    assert [row["email"] for row in client.reports.rows(1, "open")] == ["a", "b\u2028c"]
    with pytest.raises(Interrupted):
        list(client.reports.rows(1, "open"))
    with pytest.raises(Interrupted):
        client.reports.export(1, "open", tmp_path / "open.csv")
    assert list(tmp_path.iterdir()) == []


def test_the_key_is_in_no_text(server, client):
    server.script = ["reset after"] * 4
    with pytest.raises(Unreachable) as raised:
        client.account.get()
    frames, trace = [], raised.value.__traceback__.tb_next  # the first frame is this one, which has the server
    while trace is not None:
        frames += map(repr, trace.tb_frame.f_locals.values())
        trace = trace.tb_next
    assert frames and raised.value.__suppress_context__
    shown = [repr(client), repr(client._calls), repr(client._calls._http.headers), str(raised.value), *frames]
    assert "secret-part" in server.asked[0].headers["authorization"]
    assert not [text for text in shown if "secret-part" in text]


@pytest.mark.parametrize("key", ["", "sf_1 x", "sf_secret\r\nX-Other: 1", "sf_sécret"])
def test_what_is_no_key_is_refused_without_showing_it(key):
    with pytest.raises(ValueError) as raised:
        Client("http://127.0.0.1", key)
    assert not key or key not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["", "example.com", "ftp://example.com", "http://", "http://a:b@example.com", "http://[::1"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="base_url"):
        Client(url, "sf_1_x")


def test_bodies_are_cut_into_what_a_call_holds(server, client):
    server.script = [answer(200, {"changed": 10_000}), answer(200, {"changed": 1})]
    assert client.lists.subscribe(1, contact_ids=iter(range(10_001)), idempotency_key="k") == 10_001
    assert [len(json.loads(each.body)["contact_ids"]) for each in server.asked] == [10_000, 1]
    assert [each.headers["idempotency-key"] for each in server.asked] == ["k:0", "k:1"]
    server.script = [answer(200, {"changed": 10_000}), answer(422, {"title": "No"})]
    with pytest.raises(Invalid) as raised:
        client.do_not_mail.add(emails=(f"p{n}@example.net" for n in range(10_001)))
    assert "rows before these were taken" in raised.value.__notes__[0]


def test_a_list_that_turns_in_a_circle_ends(server, client):
    server.script = [answer(200, {"data": [1], "next": "a"}) for _ in range(9)]
    with pytest.raises(StandfastError, match="same place"):
        list(client.contacts.all())
    assert len(server.asked) == 2


@pytest.mark.parametrize("part", ["", ".", "..", "...", "../account", "1?x=1", "1#"])
def test_an_id_leads_nowhere_else(server, client, part):
    try:
        client.contacts.get(part)
    except ValueError:
        assert server.asked == []
        return
    assert [each.path.count("/") for each in server.asked] == [4] and "?" not in server.asked[0].path
