"""The tracker's pages say whose mail they are about, believe nobody else's word for it, and act on POST alone."""

from urllib.parse import quote

import pytest

from standfast.protocols.tokens import sign_sender
from standfast.services.tracker.tests.tracker_process import KEY, Tracker, token

SENDER = "Zoë's <b>Shop</b> & Café"
SHOWN = "Zoë&#x27;s &lt;b&gt;Shop&lt;/b&gt; &amp; Café"


def named(path: str, name: str = SENDER, **change: int) -> str:
    signature = sign_sender(KEY, **{"account_id": 1, "send_id": 2, "name": name, **change})
    return f"{path}?n={quote(name, safe='')}&s={signature}"


def test_every_page_of_an_unsubscription_names_the_sender(shared: Tracker) -> None:
    page = shared.ask("GET", named(f"/u/{token(seq=201)}"))
    assert SHOWN in page.body.decode()
    action = page.body.decode().partition('action="')[2].partition('"')[0].replace("&amp;", "&")
    done = shared.ask("POST", action, b"from=page").body.decode()
    assert SHOWN in done
    undo = done.partition('action="')[2].partition('"')[0].replace("&amp;", "&")
    assert SHOWN in shared.ask("POST", undo, b"").body.decode()
    assert [event.kind for event in shared.events()[-2:]] == ["unsubscribed", "resubscribed"]


def test_one_click_works_with_the_name_in_the_address(shared: Tracker) -> None:
    answer = shared.ask("POST", named(f"/u/{token(seq=202)}"), b"List-Unsubscribe=One-Click")
    assert answer.status == 200
    assert (shared.events()[-1].kind, shared.events()[-1].data["way"]) == ("unsubscribed", "one_click")


@pytest.mark.parametrize(
    "path",
    [
        f"/u/{token()}",
        named(f"/u/{token()}", send_id=3),
        named(f"/u/{token()}", account_id=3),
        named(f"/u/{token()}").replace("Shop", "Bank"),
        named(f"/u/{token()}").partition("&s=")[0] + "&s=é",
    ],
    ids=["bare", "send", "account", "name", "letter"],
)
def test_a_name_that_is_not_signed_is_not_shown_and_does_not_stop_anybody(shared: Tracker, path: str) -> None:
    page = shared.ask("GET", path.replace("é", "%C3%A9"))
    assert page.status == 200
    assert b"Stop these e-mails?" in page.body
    assert b"Shop" not in page.body
    assert b"Bank" not in page.body
    assert shared.ask("POST", path.replace("é", "%C3%A9"), b"from=page").status == 200


def test_reporting_spam_takes_a_post(shared: Tracker) -> None:
    before, path = len(shared.events()), named(f"/r/{token(seq=203)}")
    page = shared.ask("GET", path)
    assert (page.status, len(shared.events())) == (200, before)
    assert SHOWN in page.body.decode()
    assert f"/u/{token(seq=203)}" in page.body.decode()  # most people want no more than that
    assert SHOWN in shared.ask("POST", path, b"").body.decode()
    (event,) = shared.events()[before:]
    assert (event.kind, event.account_id, event.seq, event.contact_id) == ("complained", 1, 203, 4)
    assert shared.ask("GET", "/r/nothing").status == shared.ask("POST", "/r/nothing", b"").status == 404


def test_what_needs_the_database_is_the_applications(shared: Tracker) -> None:
    before = len(shared.events())
    for door, page in (("v", "view"), ("p", "preferences")):
        answer = shared.ask("GET", f"/{door}/{token()}")
        assert answer.status == 302
        assert answer.headers["location"] == f"http://127.0.0.1:8000/{page}/{token()}"
        assert shared.ask("GET", f"/{door}/{token()}x").status == 404
        assert shared.ask("POST", f"/{door}/{token()}", b"").status == 405
    assert len(shared.events()) == before
