"""Messages: Python's e-mail package reads back exactly what went in."""

import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.protocols.mime import (
    HeaderError,
    Skeleton,
    date_value,
    encode_addresses,
    encode_header,
    feedback_id,
    list_unsubscribe,
    message_bytes,
    message_id,
    one_line,
    qp_run,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
mailish = st.text(st.sampled_from(" \t\n.=F-romé😀<a>"), max_size=300)
contents = texts | mailish
HEADERS = [(b"From", b"a@example.com"), (b"Subject", b"Hi")]


def lines_ok(data: bytes) -> None:
    assert b"\n" not in data.replace(b"\r\n", b"") and b"\r" not in data.replace(b"\r\n", b"")
    for line in data.split(b"\r\n"):
        assert len(line) <= 76 and not line.startswith((b".", b"From ")) and line[-1:] not in (b" ", b"\t")
        assert line.isascii()


def decoded(part) -> str:
    return part.get_payload(decode=True).decode().replace("\r\n", "\n")


def plain(text: str) -> str:
    return text.replace("\r\n", "\n")


@given(runs=st.lists(contents, max_size=6), html=contents)
def test_parts_read_back_as_they_were(runs, html) -> None:
    encoded = [qp_run(run) for run in runs]
    for run in encoded:
        lines_ok(run)
    skeleton = Skeleton()
    wire = message_bytes([*HEADERS, *skeleton.headers], skeleton.body(text=b"".join(encoded), html=qp_run(html)))
    lines_ok(wire.partition(b"\r\n\r\n")[2])
    assert wire.endswith(b"\r\n") and not wire.endswith(b"\r\n\r\n")
    message = message_from_bytes(wire, policy=SMTP)
    assert not message.defects
    first, second = message.iter_parts()
    assert (first.get_content_type(), second.get_content_type()) == ("text/plain", "text/html")
    assert decoded(first) == "".join(plain(run) for run in runs)
    assert decoded(second) == plain(html)


@given(text=contents, kind=st.sampled_from(["text", "html"]))
def test_a_single_part_reads_back(text, kind) -> None:
    skeleton = Skeleton(text=kind == "text", html=kind == "html")
    wire = message_bytes([*HEADERS, *skeleton.headers], skeleton.body(**{kind: qp_run(text)}))
    message = message_from_bytes(wire, policy=SMTP)
    # The CRLF that ends the last line belongs to the message here, there being no boundary to own it.
    assert decoded(message) == plain(text) + "\n"


def test_bytes_and_text_encode_alike_and_surrogates_do_not_fail() -> None:
    assert qp_run("José = 1".encode()) == qp_run("José = 1") == b"Jos=C3=A9 =3D 1=\r\n"
    assert qp_run("Alice") == b"Alice=\r\n" and qp_run("") == b""
    assert qp_run("\ud800") == b"?=\r\n"


subjects = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300).map(one_line) | st.text(
    st.sampled_from(" ab=?é😀_"), max_size=200
)


@given(value=subjects)
def test_a_subject_reads_back(value) -> None:
    encoded = encode_header("Subject", value)
    wire = b"Subject: " + encoded + b"\r\n\r\n"
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998
    assert not re.search(rb"\r\n[ \t]*\r\n", wire.rstrip())
    assert message_from_bytes(wire, policy=SMTP)["Subject"] == value


def test_long_subjects_are_folded_within_78() -> None:
    for value in ("word " * 60 + "end", "😀" * 100):
        assert all(len(line) <= 78 for line in (b"Subject: " + encode_header("Subject", value)).split(b"\r\n"))
    endless = b"Subject: " + encode_header("Subject", "x" * 3000)
    assert all(len(line) <= 78 for line in endless.split(b"\r\n"))


@given(display=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120).map(one_line))
def test_a_display_name_reads_back(display) -> None:
    wire = b"To: " + encode_addresses("To", [(display, "bob@example.com"), ("", "c@example.com")]) + b"\r\n\r\n"
    first, second = message_from_bytes(wire, policy=SMTP)["To"].addresses
    assert first.addr_spec == "bob@example.com" and second.addr_spec == "c@example.com"
    # Python 3.11 puts a space between encoded words of a phrase (RFC 2047 6.2); its older reader does not.
    assert first.display_name.replace(" ", "") == display.replace(" ", "")
    if b"=?utf-8?b?" in wire:
        phrase = encode_addresses("To", [(display, "bob@example.com")]).rpartition(b"\r\n <")[0].decode()
        assert str(make_header(decode_header(phrase))) == display


@pytest.mark.parametrize(
    ("display", "address", "expected"),
    [
        ("", "a@example.com", b"a@example.com"),
        ("Alice Smith", "a@example.com", b"Alice Smith <a@example.com>"),
        ('Smith, "A"', "a@example.com", b'"Smith, \\"A\\"" <a@example.com>'),
        ("", "a@bücher.example", b"a@xn--bcher-kva.example"),
        ("", '"a b"@example.com', b'"a b"@example.com'),
        ("🚀", "a@example.com", b"=?utf-8?b?8J+agA==?=\r\n <a@example.com>"),
    ],
)
def test_addresses_are_written_so(display, address, expected) -> None:
    assert encode_addresses("From", [(display, address)]) == expected


def test_headers_cannot_be_injected() -> None:
    for evil in ("a\r\nBcc: x@example.com", "a\nb", "a\rb", "a\0b"):
        with pytest.raises(HeaderError):
            encode_header("Subject", evil)
        with pytest.raises(HeaderError):
            encode_addresses("To", [(evil, "a@example.com")])
        with pytest.raises(HeaderError):
            encode_addresses("To", [("", evil + "@example.com")])
        with pytest.raises(HeaderError):
            encode_addresses("To", [("", "a@example.com" + evil)])
        with pytest.raises(HeaderError):
            list_unsubscribe(url=evil)
        with pytest.raises(HeaderError):
            message_id(unique=evil, domain="example.com")
        assert encode_header("Subject", one_line(evil))
    for name in ("Sub ject", "Subject:", ".x", "", "Süb"):
        with pytest.raises(HeaderError):
            encode_header(name, "x")
    for address in ("", "a", "a b@example.com", "a@", "ü@example.com", "a@b>c.com", "<a@example.com"):
        with pytest.raises(HeaderError):
            encode_addresses("To", [("", address)])


def test_the_fields_of_marketing_mail() -> None:
    fields = dict(list_unsubscribe(url="https://t.example.com/u/abc", mailto="u-abc@example.com"))
    assert fields[b"List-Unsubscribe"] == b"<https://t.example.com/u/abc>,\r\n <mailto:u-abc@example.com>"
    assert fields[b"List-Unsubscribe-Post"] == b"List-Unsubscribe=One-Click"
    assert date_value(0) == b"Thu, 01 Jan 1970 00:00:00 +0000"
    assert message_id(unique="1.2.3.x9", domain="Example.com") == b"<1.2.3.x9@example.com>"
    assert feedback_id(campaign="c:1", account="a", kind="bulk", sender="standfast") == b"c-1:a:bulk:standfast"
