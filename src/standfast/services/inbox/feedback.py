"""What mailbox providers send back by mail: complaints (ARF, RFC 5965) and late bounces (DSN, RFC 3464)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

_PROVIDER = "inbox.standfast.test"


def complaint(*, recipient: str, envelope_sender: str, to: str, headers: bytes, mark: str) -> bytes:
    """An abuse report about a message with these headers (bytes, CRLF), as a feedback loop sends it."""
    now = format_datetime(datetime.now(tz=UTC))
    report = _lines(
        "Feedback-Type: abuse",
        "User-Agent: standfast-inbox/1",
        "Version: 1",
        f"Original-Mail-From: <{envelope_sender}>",
        f"Original-Rcpt-To: <{recipient}>",
        f"Arrival-Date: {now}",
        f"Reporting-MTA: dns; {_PROVIDER}",
    )
    return _report(
        kind="feedback-report",
        sender=f"feedback@{_PROVIDER}",
        to=to,
        subject="complaint about message from you",
        now=now,
        mark=mark,
        words="This is an abuse report for a message that a user of ours marked as spam.",
        middle=("message/feedback-report", report),
        headers=headers,
    )


def late_bounce(*, recipient: str, envelope_sender: str, headers: bytes, mark: str) -> bytes:
    """A delivery status notification about a message that was accepted and then could not be delivered."""
    now = format_datetime(datetime.now(tz=UTC))
    report = (
        _lines(f"Reporting-MTA: dns; {_PROVIDER}", f"Arrival-Date: {now}")
        + b"\r\n"
        + _lines(
            f"Final-Recipient: rfc822; {recipient}",
            f"Original-Recipient: rfc822; {recipient}",
            "Action: failed",
            "Status: 5.1.1",
            f"Remote-MTA: dns; store.{_PROVIDER}",
            "Diagnostic-Code: smtp; 550 5.1.1 The email account that you tried to reach does not exist",
            f"Last-Attempt-Date: {now}",
        )
    )
    return _report(
        kind="delivery-status",
        sender=f"mailer-daemon@{_PROVIDER}",
        to=envelope_sender,
        subject="Undelivered Mail Returned to Sender",
        now=now,
        mark=mark,
        words=f"The message could not be delivered to <{recipient}>: the mailbox does not exist.",
        middle=("message/delivery-status", report),
        headers=headers,
    )


def _report(
    *,
    kind: str,
    sender: str,
    to: str,
    subject: str,
    now: str,
    mark: str,
    words: str,
    middle: tuple[str, bytes],
    headers: bytes,
) -> bytes:
    boundary = f"report-{mark}"
    # RFC 3462: the headers alone, as most providers send them.
    parts = (("text/plain; charset=utf-8", _lines(words)), middle, ("text/rfc822-headers", headers))
    head = _lines(
        f"From: <{sender}>",
        f"To: <{to}>",
        f"Subject: {subject}",
        f"Date: {now}",
        f"Message-ID: <{mark}.{kind}@{_PROVIDER}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind}; boundary="{boundary}"',
    )
    body = b"".join(
        _lines(f"--{boundary}", f"Content-Type: {content_type}", "") + content.rstrip(b"\r\n") + b"\r\n\r\n"
        for content_type, content in parts
    )
    return head + b"\r\n" + body + _lines(f"--{boundary}--")


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
