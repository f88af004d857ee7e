"""Complaints as mailbox providers send them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.protocols.arf import ArfError, FeedbackType, parse_arf

YAHOO = b"""From: <feedback@arf.mail.yahoo.com>
Subject: FW:Spring
Content-Type: multipart/report; report-type=feedback-report; boundary="b1"
MIME-Version: 1.0

--b1
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.
--b1
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Yahoo!-Mail-Feedback/2.0
Version: 0.1
Original-Mail-From: <b-abc@bounces.example.com>
Original-Rcpt-To: <bob@yahoo.com>
Source-IP: 192.0.2.1
Reported-Domain: example.com

--b1
Content-Type: message/rfc822

Return-Path: <b-abc@bounces.example.com>
From: Alice <alice@example.com>
Message-ID: <1.2.3.x@example.com>
List-Unsubscribe: <https://t.example.com/u/abc>,
 <mailto:u@example.com>
Feedback-ID: c:a:bulk:standfast
Subject: Spring

Hello
--b1--
"""


@pytest.mark.parametrize("raw", [YAHOO, YAHOO.replace(b"\n", b"\r\n")])
def test_a_complaint(raw) -> None:
    report = parse_arf(raw)
    assert report.feedback_type is FeedbackType.ABUSE
    assert report.mail_from == "b-abc@bounces.example.com" and report.recipients == ("bob@yahoo.com",)
    assert report.message_id == "<1.2.3.x@example.com>" and report.feedback_id == "c:a:bulk:standfast"
    assert report.list_unsubscribe == "<https://t.example.com/u/abc>, <mailto:u@example.com>"
    assert report.source_ip == "192.0.2.1" and report.subject == "Spring"


def test_headers_only_and_redacted() -> None:
    raw = YAHOO.replace(b"message/rfc822", b"text/rfc822-headers").replace(b"Original-Mail-From", b"X")
    report = parse_arf(raw)
    assert report.mail_from == "b-abc@bounces.example.com" and report.message_id == "<1.2.3.x@example.com>"
    assert parse_arf(YAHOO.split(b"--b1\nContent-Type: message/rfc822")[0]).message_id == ""


@pytest.mark.parametrize(
    ("word", "expected"), [(b"not-spam", FeedbackType.NOT_SPAM), (b"new-kind", FeedbackType.OTHER)]
)
def test_other_kinds(word, expected) -> None:
    assert parse_arf(YAHOO.replace(b"Feedback-Type: abuse", b"Feedback-Type: " + word)).feedback_type is expected


@pytest.mark.parametrize("raw", [b"", b"From: a@b.c\r\n\r\nHi\r\n", YAHOO.replace(b"Feedback-Type:", b"X:")])
def test_what_is_no_complaint_is_refused(raw) -> None:
    with pytest.raises(ArfError):
        parse_arf(raw)


@given(data=st.data())
def test_broken_complaints_raise_nothing_but_the_own_error(data) -> None:
    raw = bytearray(YAHOO)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=20))
    with suppress(ArfError):
        parse_arf(bytes(raw))
