"""The inbox's pages: an account's members read its mail, and nobody else's, whatever is written in the headers."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import time

import pytest
from tests.visitors import signed_in

from standfast.components.accounts.api import Membership, Role, User
from standfast.components.delivery import api as delivery
from standfast.platform import config, tenancy
from standfast.platform.mail_store import (
    INDEX_NAME,
    StoredMessage,
    format_line,
    hash_prefix,
    list_messages,
    segment_path,
)
from standfast.platform.tenancy import account_scope
from standfast.protocols.keys import derive
from standfast.protocols.tokens import RecipientRef, seal_recipient

pytestmark = pytest.mark.django_db(transaction=True)


def keep(*mail: tuple[str, bytes]) -> list[int]:
    """Put messages, as (envelope sender, bytes), where the inbox does; returns their ids."""
    directory = config.load().inbox_dir
    bodies = segment_path(directory, 1)
    bodies.parent.mkdir(parents=True, exist_ok=True)
    kept = []
    for sender, raw in mail:
        with bodies.open("ab") as segment, (directory / INDEX_NAME).open("ab") as index:
            text = raw.decode()
            message = StoredMessage(
                id=index.tell(), at=dt.datetime.now(dt.UTC), sender=sender, recipients=("ada@readers.example",),
                message_id=header(text, "Message-ID"), subject=header(text, "Subject"), from_header=header(text, "From"),
                size=len(raw), sha256=hash_prefix(raw), segment=1, offset=segment.tell(),
            )  # fmt: skip
            segment.write(raw)
            index.write(format_line(message))
        kept.append(message.id)
    return kept


def header(text: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)\r$", text, re.MULTILINE)
    return found[1] if found else ""


def verp(account_id: int, send_id: int = 1) -> str:
    ref = RecipientRef(account_id, send_id, 1, 0, int(time.time()))
    return f"b-{seal_recipient(derive(config.load().secret(), 'tokens'), ref, purpose='bounce')}@bounces.example"


def letter(subject: str, *, message_id: str = "<x@y>") -> bytes:
    return (
        f"From: Alice <alice@shop.example>\r\nTo: ada@readers.example\r\nSubject: {subject}\r\nMessage-ID: {message_id}\r\n"
        "Content-Type: text/html; charset=utf-8\r\n\r\n"
        '<p>Hello Ada</p><script>alert(1)</script><img src="http://t.example/o/x.gif">\r\n'
    ).encode()


def url(account, rest=""):
    return f"/accounts/{account.pk}/inbox/{rest}"


def test_a_message_is_read_in_every_way(cast):
    subject = f"Autumn {secrets.token_hex(4)}"
    (number,) = keep((verp(cast.account.pk), letter(subject)))
    bob = signed_in(cast.bob)
    assert subject in bob.get(url(cast.account)).content.decode()
    assert subject in bob.get(url(cast.account), {"q": subject.upper()}).content.decode()
    shown = bob.get(url(cast.account, f"{number}/")).content.decode()
    assert "Hello Ada" in shown
    assert "alert(1)" not in shown
    assert "img-src data:;" in shown, "looking does not count as an open"
    assert "img-src data: http:" in bob.get(url(cast.account, f"{number}/"), {"pictures": "1"}).content.decode()
    for view in ("text", "headers", "source", "nonsense"):
        assert bob.get(url(cast.account, f"{number}/"), {"view": view}).status_code == 200
    assert bob.get(url(cast.account, f"{number}/raw/")).content == letter(subject)
    assert "No DKIM signature" in shown


def test_the_accounts_own_keys_verify_its_signatures(cast, app_connection):
    with account_scope(cast.account.pk):
        delivery.add_domain(account_id=cast.account.pk, domain="shop.example")
    with app_connection.transaction():
        tenancy.enter(app_connection, cast.account.pk)
        (signer,) = delivery.signers_for(app_connection, account_id=cast.account.pk, from_email="alice@shop.example")
    raw = letter("Signed")
    head, _, body = raw.partition(b"\r\n\r\n")
    headers = [tuple(line.split(b": ", 1)) for line in head.split(b"\r\n")]
    (number,) = keep((verp(cast.account.pk), signer.sign(headers, body) + raw))
    shown = signed_in(cast.bob).get(url(cast.account, f"{number}/")).content.decode()
    assert "DKIM pass" in shown
    assert "Aligned" in shown


def test_charlie_reads_none_of_it_whatever_the_headers_say(cast):
    mark = secrets.token_hex(4)
    forged = letter(f"Forged {mark}", message_id=f"<{cast.other.pk}.1.1.x@shop.example>")
    numbers = keep(
        (verp(cast.account.pk), letter(f"Secret {mark}")),
        (verp(cast.account.pk), forged),
        (verp(cast.account.pk)[:-20] + "x@bounces.example", letter(f"Torn {mark}")),
        ("reset@standfast.test", letter(f"Reset {mark}")),
        ("", letter(f"Bounce {mark}")),
    )
    charlie = signed_in(cast.charlie)
    assert charlie.get(url(cast.account)).status_code == 404
    assert mark not in charlie.get(url(cast.other), {"q": mark}).content.decode().replace(f'value="{mark}"', "")
    for number in numbers:
        for rest in (f"{number}/", f"{number}/raw/"):
            assert charlie.get(url(cast.other, rest)).status_code == 404
            assert charlie.get(url(cast.account, rest)).status_code == 404
    alice = signed_in(cast.alice).get(url(cast.account), {"q": mark}).content.decode()
    assert "Secret" in alice
    for word in ("Torn", "Reset", "Bounce"):
        assert word not in alice, "only what this account sent"


def test_a_reader_may_read(cast):
    user = User.objects.create_user(f"reader-{secrets.token_hex(4)}@example.com", "correct horse battery")
    with account_scope(cast.account.pk):
        Membership.objects.create(account=cast.account, user=user, role=Role.READER)
    (number,) = keep((verp(cast.account.pk), letter("For all")))
    assert signed_in(user).get(url(cast.account, f"{number}/")).status_code == 200


def test_numbers_that_are_no_message_are_not_found(cast):
    bob = signed_in(cast.bob)
    for number in (1, 10**9, 10**18, 10**25):
        assert bob.get(url(cast.account, f"{number}/")).status_code == 404
    assert bob.get(url(cast.account), {"before": "x"}).status_code == 200
    assert bob.get(url(cast.account), {"before": str(10**18)}).status_code == 200


def test_older_mail_is_a_page_away(cast):
    mark = secrets.token_hex(4)
    keep(*((verp(cast.account.pk), letter(f"{mark} {n:03}")) for n in range(60)))
    bob = signed_in(cast.bob)
    first = bob.get(url(cast.account)).content.decode()
    assert f"{mark} 059" in first
    assert f"{mark} 005" not in first
    last = list_messages(config.load().inbox_dir, limit=50)[-1].id
    assert f"before={last}" in first
    assert f"{mark} 005" in bob.get(url(cast.account), {"before": str(last)}).content.decode()
