"""Only the HTML changes: whatever else was given leaves byte for byte."""

import base64
import email
import email.policy
import secrets
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.protocols.mime_rewrite import LetterError, read_letter, rewrite_html

POLICY = email.policy.SMTP


def changed(raw: bytes) -> bytes:
    letter = rewrite_html(read_letter(raw), lambda html: html.replace("http://x", "http://tracked"))
    return letter.head() + letter.body


def newsletter(*, cte: str = "quoted-printable", html: str = '<p>Grüße <a href="http://x/">x</a></p>') -> EmailMessage:
    message = EmailMessage(policy=POLICY)
    message["From"], message["To"], message["Subject"] = "a@example.net", "b@example.net", "Ünï " * 20
    message.set_content("Plain http://x text\n")
    message.add_alternative(html, subtype="html", cte=cte)
    message.get_payload()[1].add_related(secrets.token_bytes(3000), "image", "png", cid="<logo>")
    message.add_attachment(secrets.token_bytes(5000), maintype="application", subtype="pdf", filename="ä.pdf")
    message.add_attachment("<a href='http://x'>kept</a>", subtype="html", filename="page.html")
    return message


@pytest.mark.parametrize("cte", ["quoted-printable", "base64", "8bit"])
def test_html_alone_changes(cte):
    raw = newsletter(cte=cte).as_bytes()
    out = changed(raw)
    before, after = (email.message_from_bytes(each, policy=POLICY) for each in (raw, out))
    parts = list(zip(before.walk(), after.walk(), strict=True))
    assert len(parts) == 8
    for old, new in parts:
        assert old.get_content_type() == new.get_content_type()
        if old.is_multipart():
            continue
        if old.get_content_type() == "text/html" and not old.is_attachment():
            assert new.get_content().rstrip() == '<p>Grüße <a href="http://tracked/">x</a></p>'
        else:
            assert old.as_bytes() == new.as_bytes()
    assert out.partition(b"\r\n\r\n")[0] == raw.partition(b"\r\n\r\n")[0]


def test_a_message_that_is_html_alone():
    raw = b"Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<a href='http://x'>" + b"y" * 2000 + b"</a>\r\n"
    parsed = email.message_from_bytes(changed(raw), policy=POLICY)
    assert parsed["Content-Transfer-Encoding"] == "quoted-printable"
    assert parsed.get_content().startswith("<a href='http://tracked'>yyy")
    assert max(map(len, changed(raw).split(b"\r\n"))) < 100


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: x\r\n\r\nplain http://x\r\n",
        b"Content-Type: text/html; charset=nonsense\r\n\r\nhttp://x",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: uuencode\r\n\r\nhttp://x",
        b"Content-Type: text/html; charset=utf-8\r\n\r\n\xff\xfe http://x",
        b"Content-Type: multipart/mixed\r\n\r\n--a\r\n\r\nhttp://x",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n--a--\r\n",
        b"\r\nno headers at all",
        b"Subject: only headers\r\n",
    ],
)
def test_what_cannot_be_read_stays_as_it_is(raw):
    letter = read_letter(raw)
    assert rewrite_html(letter, lambda html: html + "!!").body in (letter.body,)


def test_a_line_that_is_no_header_is_refused():
    with pytest.raises(LetterError, match="no header"):
        read_letter(b"Subject: x\r\nthis is not one\r\n\r\nbody")


def test_headers_are_read_folded_and_replaced():
    letter = read_letter(b"X-A: one\r\n two\r\nx-a: three\r\nSubject: s\r\n\r\nb")
    assert letter.values("X-A") == ["one two", "three"]
    assert letter.without(lambda name: name.startswith("x-")).head() == b"Subject: s\r\n\r\n"
    assert letter.with_headers([(b"Subject", b"new")]).value("subject") == "new"


@given(st.binary(max_size=400), st.sampled_from(["a", "=_x", "'quoted'", "a b"]))
def test_no_bytes_break_it(noise, boundary):
    raw = f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'.encode() + noise
    rewrite_html(read_letter(raw), lambda html: html + "x")


def test_an_endless_nest_ends():
    raw = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    body = b"".join(b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" for _ in range(2000))
    rewrite_html(read_letter(raw + body), lambda html: html + "x")


def test_base64_lines_are_of_mail_length():
    html = '<a href="http://x/">' + "z" * 5000 + "</a>"
    raw = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(
        html.encode()
    ).replace(b"\n", b"\r\n")
    out = changed(raw)
    assert max(map(len, out.split(b"\r\n"))) <= 78
    assert "http://tracked/" in email.message_from_bytes(out, policy=POLICY).get_content()


def test_headers_without_number_and_end_are_refused():
    with pytest.raises(LetterError, match="more than 1,000 headers"):
        read_letter(b"a:\r\n" * 1001 + b"\r\nb")
    with pytest.raises(LetterError, match="bytes"):
        read_letter(b"a: " + (b"x" * 900 + b"\r\n ") * 1200 + b"\r\n\r\nb")
    assert len(read_letter(b"a:\r\n" * 1000 + b"\r\nb").headers) == 1000


@pytest.mark.parametrize("charset", ["punycode", "IDNA", "unicode_escape"])
def test_codecs_that_are_no_charsets_of_text_decode_nothing(charset):
    raw = f"Content-Type: text/html; charset={charset}\r\n\r\n".encode() + b"xn-" + b"aaaa" * 200_000
    assert rewrite_html(read_letter(raw), lambda html: html + "!!").body == raw.partition(b"\r\n\r\n")[2]
