"""What strangers send to keep the exchanger busy: each message costs it little, whatever stands in it."""

import asyncio

import pytest

from standfast.protocols.report_parts import ReportError, read_report, text_of
from standfast.protocols.tokens import RecipientRef, seal_recipient
from standfast.services.mail_exchanger import addressing
from standfast.services.mail_exchanger.inbound import Exchange
from standfast.services.mail_exchanger.reading import NotRead, read

KEY = b"k" * 32
DOMAIN = "bounces.example.com"


def test_of_many_forged_tokens_few_are_tried(monkeypatch):
    tried: list[str] = []
    opened = addressing.open_recipient

    def counted(key, token, **more):
        tried.append(token)
        return opened(key, token, **more)

    monkeypatch.setattr(addressing, "open_recipient", counted)
    links = " ".join(f"/u/t{n:016d}" for n in range(5_000)) + " " + " ".join(f"b-b{n:024d}@x" for n in range(5_000))
    assert addressing.recipient_named_in(links, key=KEY) is None
    assert len(tried) == 2 * addressing.TOKENS_TRIED_MAX
    ours = seal_recipient(KEY, RecipientRef(1, 2, 3, 4, 5))
    assert addressing.recipient_named_in(f"/c/t{'a' * 20} " * 5_000 + f"/u/{ours}", key=KEY) == RecipientRef(
        1, 2, 3, 4, 5
    )
    assert addressing.recipient_named_in("x" * addressing.NAMED_CHARS_MAX + f"/u/{ours}", key=KEY) is None


def test_an_address_named_twenty_times_is_one():
    class Kept:
        count = 0

        def keep(self, raw, *, reason):
            self.count += 1

    kept = Kept()
    exchange = Exchange(spool=None, key=KEY, domains=frozenset({DOMAIN}), unparsed=kept)  # type: ignore[arg-type]
    asyncio.run(
        exchange.take([f"fbl@{DOMAIN}", f"Abuse@{DOMAIN}", f"postmaster@{DOMAIN}"] * 9, b"Subject: x\r\n\r\nx\r\n")
    )
    assert kept.count == 2


def test_parts_without_number_are_not_taken_apart():
    many = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n\r\n" * 40_000
    with pytest.raises(ReportError, match="too many parts"):
        read_report(many)
    assert read(many) == NotRead("unreadable")


@pytest.mark.parametrize("charset", ["punycode", "idna"])
def test_a_text_that_claims_to_be_a_host_name_is_read_as_text(charset):
    body = b"xn-" + b"aaaa" * 100_000
    raw = f"Subject: undeliverable\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode() + body
    assert text_of(read_report(raw)) == body.decode()
