"""What the tracker answers: pixel, redirect, pages; and to forged addresses nothing of the kind."""

from urllib.parse import quote

import pytest

from standfast.services.tracker.replies import PIXEL
from standfast.services.tracker.tests.tracker_process import SHOP, Tracker, click_path, token


def test_open(shared: Tracker) -> None:
    answer = shared.ask("GET", f"/o/{token(seq=100)}.gif")
    assert (answer.status, answer.body, len(PIXEL)) == (200, PIXEL, 43)
    assert "no-store" in answer.headers["cache-control"]
    event = shared.events()[-1]
    assert (event.account_id, event.kind, event.send_id, event.seq, event.contact_id) == (1, "opened", 2, 100, 4)
    assert (event.data["verdict"], event.data["ip"]) == ("human", "127.0.0.1")


def test_click(shared: Tracker) -> None:
    answer = shared.ask("GET", click_path(token(seq=101), link=7))
    assert (answer.status, answer.headers["location"]) == (302, SHOP)
    event = shared.events()[-1]
    assert event.kind == "clicked"
    assert (event.data["link"], event.data["url"], event.data["verdict"]) == (7, SHOP, "human")


@pytest.mark.parametrize(
    "rewrite", [lambda path: path.replace("&s=", "&amp;s="), lambda path: path.replace("%20", "+")]
)
def test_a_click_through_a_mail_program_that_rewrites(shared: Tracker, rewrite: object) -> None:
    url = "https://shop.example.com/a b?x=1"
    path = click_path(token(), url=url)
    answer = shared.ask("GET", rewrite(path))  # type: ignore[operator]
    assert (answer.status, answer.headers["location"]) == (302, "https://shop.example.com/a%20b?x=1")


def test_head_is_a_machine_and_gets_no_body(shared: Tracker) -> None:
    assert shared.ask("HEAD", click_path(token(seq=102))).headers["location"] == SHOP
    assert (shared.events()[-1].data["verdict"], shared.events()[-1].data["reason"]) == ("machine", "head")
    answer = shared.ask("HEAD", f"/u/{token()}")
    assert (answer.status, answer.body) == (200, b"")


def test_the_honeypot_catches_machines(shared: Tracker) -> None:
    for path in (click_path(token(seq=103), link=0), f"/c/{token(seq=103)}/0"):
        assert shared.ask("GET", path).status in {302, 200}
        assert shared.events()[-1].data["reason"] == "honeypot"


def test_unsubscribing_takes_a_post_and_can_be_undone(shared: Tracker) -> None:
    path, before = f"/u/{token(seq=104)}", len(shared.events())
    page = shared.ask("GET", path)
    assert page.status == 200
    assert b"<form" in page.body
    assert b"<script" not in page.body
    assert shared.ask("GET", path + "/undo").status == 405
    assert len(shared.events()) == before
    assert shared.ask("POST", path, b"List-Unsubscribe=One-Click").status == 200
    assert shared.ask("POST", path, b"from=page").status == 200
    undone = shared.ask("POST", path + "/undo", b"")
    assert b"still subscribed" in undone.body
    kinds = [(event.kind, event.data["way"], event.seq) for event in shared.events()[before:]]
    assert kinds == [("unsubscribed", "one_click", 104), ("unsubscribed", "page", 104), ("resubscribed", "page", 104)]


def test_no_character_of_an_address_can_be_changed(shared: Tracker) -> None:
    before = len(shared.events())
    good = token(seq=105)
    forged = {good[:place] + chr(ord(good[place]) ^ 1) + good[place + 1 :] for place in range(len(good))}
    forged |= {good[:length] for length in range(0, len(good), 3)} | {good + "0", good.upper(), "%00", "é", "a" * 500}
    for bad in (quote(each, safe="%") for each in sorted(forged)):
        for path in (f"/o/{bad}.gif", f"/c/{bad}/1?u=https%3A%2F%2Fevil.example&s=x", f"/u/{bad}"):
            answer = shared.ask("GET", path)
            assert answer.status == 404, path
            assert "location" not in answer.headers
        assert shared.ask("POST", f"/u/{bad}", b"from=page").status == 404
    assert len(shared.events()) == before


@pytest.mark.parametrize(
    "path",
    [
        click_path(token()).replace("shop.example.com", "evil.example"),
        click_path(token()).replace("/1?", "/2?"),
        click_path(token(send_id=9)),
        click_path(token(account_id=9)),
        click_path(token()).partition("&s=")[0],
        click_path(token()).partition("&s=")[0] + "&s=",
        click_path(token()) + "&u=https%3A%2F%2Fevil.example",
        click_path(token()).partition("?")[0],
        click_path(token(), url="javascript:alert(1)"),
        click_path(token(), url="//evil.example/"),
        click_path(token(), url="file:///etc/passwd"),
    ],
    ids=[str(number) for number in range(11)],  # a token holds the time: not the same in two processes
)
def test_no_open_redirect(shared: Tracker, path: str) -> None:
    answer = shared.ask("GET", path)
    assert answer.status == 400
    assert "location" not in answer.headers
    assert b"evil" not in answer.body


def test_a_signed_line_break_cannot_split_the_answer(shared: Tracker) -> None:
    answer = shared.ask("GET", click_path(token(), url="https://shop.example.com/\r\nset-cookie: a=b"))
    assert answer.headers["location"] == "https://shop.example.com/%0D%0Aset-cookie:%20a=b"
    assert "set-cookie" not in answer.headers


def test_limits(shared: Tracker) -> None:
    assert shared.ask("GET", "/c/" + "a" * 9000).status in {414, 431}
    assert shared.ask("POST", f"/u/{token()}", b"x" * 5000).status == 413
    assert shared.ask("DELETE", f"/u/{token()}").status == 405
    assert shared.ask("POST", f"/o/{token()}.gif", b"").status == 405
    assert shared.ask("GET", "/").status == 404


def test_an_address_is_believed_from_known_proxies_only(
    tmp_path_factory: pytest.TempPathFactory, shared: Tracker
) -> None:
    path = f"/o/{token()}.gif"
    shared.ask("GET", path, x_forwarded_for="203.0.113.9")
    assert shared.events()[-1].data["ip"] == "127.0.0.1"
    behind = Tracker(tmp_path_factory.mktemp("behind") / "var")
    behind.start(STANDFAST_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8", STANDFAST_ANONYMISE_IP="1")
    try:
        behind.ask("GET", path, x_forwarded_for="6.6.6.6, 203.0.113.9, 10.1.2.3")
        assert behind.events()[-1].data["ip"] == "203.0.113.0"
        assert behind.ask("GET", "/metrics", x_forwarded_for="203.0.113.9").status == 404
    finally:
        behind.stop()


def test_health_and_figures(shared: Tracker) -> None:
    assert shared.ask("GET", "/healthz/spool").status == 200
    shared.ask("GET", f"/o/{token()}.gif")
    figures = shared.ask("GET", "/metrics").body.decode()
    assert 'standfast_tracker_answers_total{outcome="opened"}' in figures
    assert 'verdict="human"' in figures
