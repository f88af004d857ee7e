"""The addresses of a message's own pages: each has its door, and those that stop mail say whose mail it is."""

import re
from html import unescape
from quopri import decodestring
from urllib.parse import parse_qs, urlsplit

import pytest

from standfast.components.delivery.message import Composer
from standfast.protocols.tokens import open_recipient, verify_sender

KEY = b"k" * 32
HTML = "".join(
    f'<a href="{{{{ campaign.{name} }}}}">{name}</a>'
    for name in ("unsubscribe_url", "report_spam", "edit_profile", "click_to_view")
)


def composed(from_name: str) -> tuple[str, str]:
    """Head and body of a message."""
    sources = {
        "subject": "Hi", "preheader": "", "html": HTML, "source_kind": "html", "text": "", "inline_css": False,
        "from_name": from_name, "from_email": "alice@shop.example.com", "reply_to": "", "bounce_domain": "b.example.com",
        "tracker_url": "https://t.example.com", "campaign": {"id": 1},
    }  # fmt: skip
    composer = Composer(account_id=3, send_id=4, nonce="n", sources=sources, signers=[], key=KEY)
    made = composer.compose(seq=1, contact_id=5, email="dora@example.com", contact={"first_name": "Dora"})
    return made.head.decode(), decodestring(made.body).decode()


@pytest.mark.parametrize(
    ("from_name", "shown"),
    [
        ("Alice's 100% Shop & Café <b>", "Alice's 100% Shop & Café <b>"),
        ("", "alice@shop.example.com"),
        ("ü" * 200, "ü" * 40),
        ("  two   words ", "two words"),
    ],
)
def test_the_header_and_the_link_name_the_sender(from_name: str, shown: str) -> None:
    head, body = composed(from_name)
    header = re.search(r"List-Unsubscribe: <([^>]*)>", head)
    assert header is not None
    assert all(len(line) <= 998 for line in head.split("\r\n"))
    link = unescape(next(href for href in re.findall(r'href="([^"]*)"', body) if "/u/" in href))
    for address in (header[1], link):
        parts = urlsplit(address)
        ref = open_recipient(KEY, parts.path.removeprefix("/u/"))
        query = parse_qs(parts.query)
        assert query["n"] == [shown]
        assert verify_sender(KEY, account_id=ref.account_id, send_id=ref.send_id, name=shown, signature=query["s"][0])


def test_each_page_has_its_door() -> None:
    _, body = composed("Alice")
    paths = [urlsplit(unescape(href)).path for href in re.findall(r'href="(https://t[^"]*)"', body)]
    assert [path[:3] for path in paths if not path.startswith("/c/")] == ["/u/", "/r/", "/p/", "/v/"]
    assert len({path[3:] for path in paths if not path.startswith("/c/")}) == 1
