"""A kept message is shown safely, and its verdicts are what a receiver would say."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from standfast.platform.mail_display import parse_for_display
from standfast.platform.mail_store import decoded
from standfast.protocols.dkim import Signer, new_key
from standfast.protocols.dkim_verify import DkimResult

HTML = """<html><head><style>.big{font-size:2em}</style><script>alert(1)</script></head><body onload="alert(2)">
<table bgcolor="#fff" width="600"><tr><td style="color:red" class="big">Grüße <a href="https://t.test/c/1">go</a>
<a href="javascript:alert(3)">bad</a><img src="https://t.test/o/x.gif" onerror="alert(4)"></td></tr></table>
<form action="https://evil.test"><input name="password"></form><iframe src="https://evil.test"></iframe></body></html>"""


def build() -> bytes:
    message = EmailMessage()
    message["From"] = "News <news@mail.a.test>"
    message["Subject"] = "Grüße an alle"
    message["List-Unsubscribe"] = "<https://t.test/u/x>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content("Hallo Müller\n")
    message.add_alternative(HTML, subtype="html")
    message.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="Rechnung.pdf")
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def sign(raw: bytes) -> tuple[bytes, str]:
    key = new_key()
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.replace(b"\r\n ", b"\x00").split(b"\r\n")
    headers = [tuple(line.replace(b"\x00", b"\r\n ").split(b": ", 1)) for line in lines]
    return Signer("a.test", "s", key.private_pem).sign(headers, body) + raw, key.dns_txt


def test_a_signed_newsletter() -> None:
    raw, txt = sign(build())
    shown = parse_for_display(raw, key_lookup={"s._domainkey.a.test": txt}.get)
    assert shown.text == "Hallo Müller\n"
    assert ("Subject", "Grüße an alle") in shown.headers
    assert shown.source.startswith("DKIM-Signature:")
    assert [(part.name, part.size) for part in shown.attachments] == [("Rechnung.pdf", 6)]
    assert [verdict.result for verdict in shown.verdicts.dkim] == [DkimResult.PASS]
    assert shown.verdicts.aligned
    assert shown.verdicts.one_click_signed
    assert shown.verdicts.spf.startswith("not applicable")


def test_nothing_dangerous_is_left_and_the_look_is() -> None:
    html = parse_for_display(build(), key_lookup={}.get).html
    for danger in ("<script", "alert(", "onload", "onerror", "javascript:", "<form", "<input", "<iframe"):
        assert danger not in html
    for look in ("Grüße", ".big{font-size:2em}", 'bgcolor="#fff"', 'style="color:red"', 'src="https://t.test/o/x.gif"'):
        assert look in html
    assert "img-src data: http: https:" in html
    closed = parse_for_display(build(), key_lookup={}.get, remote_images=False).html
    assert "img-src data:;" in closed


def test_an_unsigned_message_says_so() -> None:
    verdicts = parse_for_display(build(), key_lookup={}.get).verdicts
    assert (verdicts.dkim, verdicts.aligned, verdicts.one_click, verdicts.one_click_signed) == ((), False, True, False)


def test_broken_messages_are_shown_as_far_as_they_go() -> None:
    for raw in (
        b"",
        b"no headers at all",
        b"Subject: x\r\nContent-Type: text/html; charset=klingon\r\n\r\n<p>\xff</p>",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n",
        b"From: \xff\xfe <@>\r\nSubject: =?utf-8?q?=FF?=\r\nDKIM-Signature: v=1; a=b\r\n\r\nx",
    ):
        shown = parse_for_display(raw, key_lookup={}.get)
        assert shown.source == raw.decode("utf-8", "replace")


@pytest.mark.parametrize(
    "header",
    [
        b"To: " + b"a," * 100_000, b"To: " + b"(" * 5_000, b"Subject: " + b"=?utf-8?q?a?= " * 50_000,
        b"From: " + b"a." * 50_000, b"Content-Type: text/plain; " + b"a*0=b;" * 20_000,
        b"Content-Disposition: " + b"(" * 5_000, b"Content-Type: text/html; charset=punycode", b"Content-Type: " + b"(" * 5_000,
    ],
)  # fmt: skip
def test_headers_that_take_for_ever_to_read_are_cut(header):
    shown = parse_for_display(header + b"\r\n\r\nxn-" + b"aaaa" * 100_000, key_lookup=lambda name: None)
    assert "aaaa" in shown.text + shown.html and all(len(value) < 20_000 for _, value in shown.headers)


def test_a_broken_word_in_a_subject_is_shown_as_it_stands():
    assert decoded("=?utf-8?b?A?= hi") == "=?utf-8?b?A?= hi"
