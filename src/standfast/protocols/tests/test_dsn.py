"""Delivery reports of real servers, and whatever else arrives at a bounce address."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.protocols.bounces import BounceClass, classify
from standfast.protocols.dsn import Action, DsnError, parse_dsn

POSTFIX = b"""Return-Path: <>
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: b-abc@bounces.example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="1E2F.1/mx.example.net"

--1E2F.1/mx.example.net
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.net.

<bob@example.org>: host mx.example.org[192.0.2.9] said: 550 5.1.1
    <bob@example.org>: Recipient address rejected: User unknown

--1E2F.1/mx.example.net
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 1E2F
Arrival-Date: Mon,  2 Nov 2026 10:00:00 +0000 (UTC)

Final-Recipient: rfc822; bob@example.org
Original-Recipient: rfc822;bob@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; 550 5.1.1 <bob@example.org>: Recipient address rejected:
    User unknown in virtual mailbox table

Final-Recipient: rfc822; carol@example.org
Action: delayed
Status: 4.2.2
Diagnostic-Code: smtp; 452 4.2.2 Mailbox full

--1E2F.1/mx.example.net
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

From: Alice <alice@example.com>
Message-ID: <1.2.3.x@example.com>
Subject: Spring

--1E2F.1/mx.example.net--
"""

EXCHANGE = b"""From: <postmaster@example.org>
Subject: Undeliverable: Spring
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: multipart/alternative; boundary="b2"

--b2
Content-Type: text/plain; charset="utf-8"

Delivery has failed to these recipients or groups:
--b2
Content-Type: text/html

<p>Delivery has failed</p>
--b2--
--b1
Content-Type: message/delivery-status

Reporting-MTA: dns;x.prod.outlook.com
Received-From-MTA: dns;mail.example.com

Final-Recipient: rfc822;bob@example.org
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup

--b1
Content-Type: message/rfc822

From: Alice <alice@example.com>
Message-ID: <1.2.4.x@example.com>

Hello
--b1--
"""

QMAIL = b"""From: MAILER-DAEMON@mail.example.net
To: b-abc@bounces.example.com
Subject: failure notice

Hi. This is the qmail-send program at mail.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<bob@example.org>:
192.0.2.9 does not like recipient.
Remote host said: 550 5.1.1 unknown user
Giving up on 192.0.2.9.

--- Below this line is a copy of the message.

Message-ID: <1.2.5.x@example.com>
Subject: 421 ways
"""

QMAIL_LOCAL = b"""From: MAILER-DAEMON@mail.example.net
Subject: failure notice

Hi. This is the qmail-send program at mail.example.net.

<bob@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.
"""

EXIM = b"""From: Mail Delivery System <Mailer-Daemon@host.example.net>
Subject: Mail delivery failed: returning message to sender
Auto-Submitted: auto-replied
X-Failed-Recipients: bob@example.org

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  bob@example.org
    host mx.example.org [192.0.2.9]
    SMTP error from remote mail server after RCPT TO:<bob@example.org>:
    550 No Such User Here

------ This is a copy of the message, including all the headers. ------

Message-ID: <1.2.6.x@example.com>
"""

EXIM_DELAY = b"""From: Mail Delivery System <Mailer-Daemon@host.example.net>
Subject: Warning: message 1abc delayed 24 hours

The address to which the message has not yet been delivered is:

  bob@example.org
    Delay reason: Connection timed out

No action is required on your part.
"""


def crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("form", [bytes, crlf])
def test_postfix(form) -> None:
    report = parse_dsn(form(POSTFIX))
    bob, carol = report.recipients
    assert (
        report.structured and report.reporting_mta == "mx.example.net" and report.message_id == "<1.2.3.x@example.com>"
    )
    assert (bob.recipient, bob.action, bob.code, bob.enhanced) == ("bob@example.org", Action.FAILED, 550, "5.1.1")
    assert bob.text.endswith("rejected: User unknown in virtual mailbox table") and bob.remote_mta == "mx.example.org"
    assert (carol.action, carol.code, carol.enhanced) == (Action.DELAYED, 452, "4.2.2")
    assert classify(bob.code, bob.enhanced, bob.text) is BounceClass.INVALID_RECIPIENT


def test_exchange_with_an_empty_status() -> None:
    report = parse_dsn(crlf(EXCHANGE))
    (bob,) = report.recipients
    assert (bob.recipient, bob.code, bob.enhanced) == ("bob@example.org", 550, "5.1.10")
    assert report.message_id == "<1.2.4.x@example.com>"


@pytest.mark.parametrize(
    ("raw", "code", "enhanced", "action", "cls", "message_id"),
    [
        (QMAIL, 550, "5.1.1", Action.FAILED, BounceClass.INVALID_RECIPIENT, "<1.2.5.x@example.com>"),
        (QMAIL_LOCAL, None, "5.1.1", Action.FAILED, BounceClass.INVALID_RECIPIENT, ""),
        (EXIM, 550, "", Action.FAILED, BounceClass.INVALID_RECIPIENT, "<1.2.6.x@example.com>"),
        (EXIM_DELAY, None, "", Action.DELAYED, BounceClass.NO_ANSWER_FROM_HOST, ""),
    ],
)
@pytest.mark.parametrize("form", [bytes, crlf])
def test_texts_without_structure(form, raw, code, enhanced, action, cls, message_id) -> None:
    report = parse_dsn(form(raw))
    (bob,) = report.recipients
    assert not report.structured and report.message_id == message_id
    assert (bob.recipient, bob.code, bob.enhanced, bob.action) == ("bob@example.org", code, enhanced, action)
    assert classify(bob.code, bob.enhanced, bob.text) is cls


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"From: bob@example.org\r\nSubject: Re: Spring\r\n\r\nThanks! 550 roses, please.\r\n",
        b"From: bob@example.org\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nBack on Monday.\r\n",
        b"From: postmaster@example.org\r\nSubject: Undeliverable\r\n\r\nWhatever.\r\n",
        b'Content-Type: text/plain; charset="a\0b"\r\n\r\n\xe9\r\n',
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 500,
        b"Content-Type: message/rfc822\r\n\r\n" * 5000,
    ],
)
def test_what_is_no_report_is_refused(raw) -> None:
    with pytest.raises(DsnError):
        parse_dsn(raw)


def test_a_huge_report_is_read_within_bounds() -> None:
    assert parse_dsn(POSTFIX + b"x" * 3_000_000).recipients[0].enhanced == "5.1.1"
    many = POSTFIX.replace(
        b"Final-Recipient: rfc822; carol", b"Final-Recipient: rfc822; d@x.org\n\n" * 900 + b"X: carol"
    )
    assert len(parse_dsn(many).recipients) <= 101


SAMPLES = [POSTFIX, EXCHANGE, QMAIL, EXIM, EXIM_DELAY]


@given(data=st.data())
def test_broken_reports_raise_nothing_but_the_own_error(data) -> None:
    raw = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=20))
    with suppress(DsnError):
        parse_dsn(bytes(raw))


@given(raw=st.binary(max_size=500))
def test_garbage_raises_nothing_but_the_own_error(raw) -> None:
    for head in (
        b"",
        b"Subject: failure notice\r\n",
        b"Content-Type: multipart/report; boundary=a\r\n\r\n--a\r\nContent-Type: message/delivery-status\r\n\r\n",
    ):
        with suppress(DsnError):
            parse_dsn(head + raw)
