"""HTTP as hostile or hurried clients speak it: smuggling, pipelining, floods, halves; each answered once or refused."""

import socket
from collections.abc import Iterator

import pytest

from standfast.services.tracker.tests.tracker_process import Tracker, click_path, token

HOST = b"Host: t.example.com\r\n"
ONE_CLICK = b"List-Unsubscribe=One-Click"


def say(tracker: Tracker, *pieces: bytes, ends: bool = True) -> bytes:
    """Send the pieces, end our side, and read all that comes."""
    with socket.create_connection(("127.0.0.1", tracker.port), timeout=20) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            if ends:
                connection.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # refused before everything was sent
        answer = b""
        try:
            while data := connection.recv(65536):
                answer += data
        except ConnectionError:
            pass
        return answer


def statuses(answer: bytes) -> list[bytes]:
    return [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]


def get(path: str, *headers: bytes, version: bytes = b"1.1") -> bytes:
    return (
        b"GET "
        + path.encode()
        + b" HTTP/"
        + version
        + b"\r\n"
        + HOST
        + b"".join(h + b"\r\n" for h in headers)
        + b"\r\n"
    )


def post(path: str, *headers: bytes, body: bytes = b"") -> bytes:
    return b"POST " + path.encode() + b" HTTP/1.1\r\n" + HOST + b"".join(h + b"\r\n" for h in headers) + b"\r\n" + body


@pytest.fixture
def before(shared: Tracker) -> Iterator[int]:
    yield len(shared.events())


def test_pipelined_requests_are_answered_in_their_order(shared: Tracker, before: int) -> None:
    # Opens wait for the disk, the others do not; none overtakes.
    asked = b"".join(
        get(f"/o/{token(seq=seq)}.gif") + get("/nothing") + get(click_path(token(seq=seq))) for seq in range(200)
    )
    assert statuses(say(shared, asked)) == [b"200", b"404", b"302"] * 200
    assert [event.seq for event in shared.events()[before:]] == [seq for seq in range(200) for _ in range(2)]


def test_a_request_in_single_bytes_is_one_request(shared: Tracker, before: int) -> None:
    asked = get(f"/o/{token(seq=7)}.gif", b"Connection: close")
    assert statuses(say(shared, *[asked[at : at + 1] for at in range(len(asked))])) == [b"200"]
    assert len(shared.events()) == before + 1


def test_a_body_in_chunks(shared: Tracker, before: int) -> None:
    chunks = b"".join(b"%x;name=value\r\n%b\r\n" % (1, ONE_CLICK[at : at + 1]) for at in range(len(ONE_CLICK)))
    trailer = b"0\r\nX-Forwarded-For: 6.6.6.6\r\nUser-Agent: curl/1\r\n\r\n"
    asked = post(f"/u/{token(seq=8)}", b"Transfer-Encoding: chunked", b"User-Agent: x", body=chunks + trailer)
    assert statuses(say(shared, asked + get("/robots.txt"))) == [b"200", b"200"]
    (event,) = shared.events()[before:]
    assert (event.kind, event.data["way"], event.data["ua"]) == ("unsubscribed", "one_click", "x")


def test_a_client_that_waits_for_100_gets_it(shared: Tracker) -> None:
    asked = post(f"/u/{token()}", b"Expect: 100-continue", b"Content-Length: 26", b"Connection: close")
    with socket.create_connection(("127.0.0.1", shared.port), timeout=20) as connection:
        connection.sendall(asked)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(ONE_CLICK)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")
    too_large = say(shared, post("/u/x", b"Expect: 100-continue", b"Content-Length: 99999"))
    assert statuses(too_large) == [b"413"]


@pytest.mark.parametrize(
    "doubtful",
    [
        post("/u/{t}", b"Content-Length: 26", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + get("/robots.txt")),
        post("/u/{t}", b"Content-Length: 26", b"Content-Length: 5", body=ONE_CLICK),
        post("/u/{t}", b"Content-Length: 26, 26", body=ONE_CLICK),
        post("/u/{t}", b"Content-Length: +26", body=ONE_CLICK),
        post("/u/{t}", b"Content-Length: 0x1a", body=ONE_CLICK),
        post("/u/{t}", b"Content-Length : 26", body=ONE_CLICK),
        post("/u/{t}", b"Transfer-Encoding: xchunked", body=ONE_CLICK),
        post("/u/{t}", b"Transfer-Encoding: chunked, identity", body=ONE_CLICK),
        post("/u/{t}", b"Transfer-Encoding: chunked", body=b"1a\n" + ONE_CLICK + b"\r\n0\r\n\r\n"),
        post("/u/{t}", b"Transfer-Encoding: chunked", body=b"-1\r\n" + ONE_CLICK + b"\r\n0\r\n\r\n"),
        post("/u/{t}", b"Transfer-Encoding: chunked", body=b"1a\r\n" + ONE_CLICK + b"xx0\r\n\r\n"),
        b"POST /u/{t} HTTP/1.1\r\n" + HOST + b" folded: line\r\n\r\n",
        b"POST /u/{t} HTTP/1.1\r\n" + HOST + b"a\0b: c\r\n\r\n",
        b"POST /u/{t} HTTP/1.1\r\n" + HOST + b"a: b\rc: d\r\n\r\n",
        b"POST /u/{t} HTTP/1.1\n" + HOST.replace(b"\r", b"") + b"\n",
        b"POST /u/{t}\r\n\r\n",
        b"POST /u/{t} HTTP/9.9\r\n" + HOST + b"\r\n",
        b"POST /u/{t} HTTP/1.1\r\n\r\n",
        b"POST /u/{t} HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
        b"FROB /u/{t} HTTP/1.1\r\n" + HOST + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS hello
        b"\0" * 40,
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_and_the_connection_closed(
    shared: Tracker, before: int, doubtful: bytes
) -> None:
    answer = say(shared, doubtful.replace(b"{t}", token().encode()) + get("/robots.txt"))
    assert statuses(answer) in ([b"400"], [b"413"]), answer[:200]
    assert b"connection: close" in answer
    assert len(shared.events()) == before


def test_floods_of_head_and_body_are_cut_off(shared: Tracker, before: int) -> None:
    for flood, expected in (
        (b"GET /" + b"x" * 20_000_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", b"431"),
        (get(click_path(token()) + "&x=" + "y" * 20_000_000), b"431"),
        (get("/o/x.gif", *[b"a-%d: b" % number for number in range(20_000)]), b"431"),
        (get("/o/x.gif", b"x: " + b"y" * 1_000_000), b"431"),
        (get("/c/" + "x" * 9_000), b"414"),
        (post(f"/u/{token()}", b"Content-Length: 20000000", body=b"x" * 20_000_000), b"413"),
        (post(f"/u/{token()}", b"Content-Length: 99999999999999999999999", body=b"x"), b"4"),
        (post(f"/u/{token()}", b"Transfer-Encoding: chunked", body=b"1\r\nx\r\n" * 100_000), b"413"),
        (post(f"/u/{token()}", b"Transfer-Encoding: chunked", body=b"1;" + b"x" * 1_000_000), b"413"),
        (b"\r\n" * 1_000_000, b""),
    ):
        found = b"".join(statuses(say(shared, flood)))
        assert found.startswith(expected), (flood[:80], found)
    assert len(shared.events()) == before
    assert shared.ask("GET", "/healthz").status == 200


def test_pipelined_nonsense(shared: Tracker, before: int) -> None:
    good = get(f"/o/{token(seq=9)}.gif")
    assert statuses(say(shared, good + b"\0nonsense" * 10_000 + good)) == [b"200", b"400"]
    assert statuses(say(shared, get("/o/nonsense.gif") * 5_000)) == [b"404"] * 5_000
    assert len(shared.events()) == before + 1


def test_an_upgrade_is_not_taken(shared: Tracker) -> None:
    for upgrade in (b"h2c", b"websocket"):
        answer = say(shared, get("/robots.txt", b"Connection: Upgrade", b"Upgrade: " + upgrade), ends=False)
        assert statuses(answer) == [b"200"]
    assert statuses(say(shared, b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n")) == [b"404"]


def test_old_clients_and_absolute_targets(shared: Tracker) -> None:
    gif = f"/o/{token()}.gif"
    assert b"connection" not in say(shared, get(gif))
    assert b"connection: close" in say(shared, get(gif, b"Connection: close"), ends=False)
    assert b"connection: close" in say(shared, get(gif, version=b"1.0"), ends=False)
    kept = say(shared, get(gif, b"Connection: keep-alive", version=b"1.0") * 2)
    assert (statuses(kept), kept.count(b"connection: keep-alive")) == ([b"200", b"200"], 2)
    assert statuses(say(shared, b"GET /robots.txt HTTP/1.0\r\n\r\n", ends=False)) == [b"200"]
    assert statuses(say(shared, get("http://t.example.com" + gif))) == [b"200"]
    assert statuses(say(shared, get("*"))) == [b"404"]


def test_head_says_the_length_and_sends_no_body(shared: Tracker) -> None:
    answer = say(shared, get(f"/u/{token()}").replace(b"GET", b"HEAD", 1))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-length: 0" not in head
    assert body == b""


def test_a_client_that_leaves_has_its_event_and_harms_nobody(shared: Tracker, before: int) -> None:
    for seq in range(50):
        with socket.create_connection(("127.0.0.1", shared.port), timeout=20) as connection:
            connection.sendall(get(f"/o/{token(seq=seq)}.gif"))
    assert shared.ask("GET", f"/o/{token(seq=99)}.gif").status == 200
    assert {event.seq for event in shared.events()[before:]} <= {*range(50), 99}
