"""Complaints: feedback reports of mailbox providers (RFC 5965), sent when somebody presses "this is spam"."""

from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from .report_parts import (
    ReportError,
    children,
    field,
    fields,
    kind,
    original_headers,
    read_report,
    typed_address,
    walk,
)


class ArfError(ReportError):
    """This message is no feedback report."""


class FeedbackType(StrEnum):
    """What the reader said (RFC 5965 section 7.3, RFC 6430). NOT_SPAM takes a complaint back."""

    ABUSE = "abuse"
    FRAUD = "fraud"
    VIRUS = "virus"
    NOT_SPAM = "not-spam"
    OPT_OUT = "opt-out"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """A complaint. Providers black out what they like; empty strings are what they did not say.

    mail_from and list_unsubscribe bear our tokens when left in; message_id and feedback_id are the original's.
    """

    feedback_type: FeedbackType
    user_agent: str
    mail_from: str
    recipients: tuple[str, ...]
    source_ip: str
    message_id: str
    feedback_id: str
    list_unsubscribe: str
    subject: str


def parse_arf(raw: bytes) -> FeedbackReport:
    """Read a feedback report. Raises ArfError for anything else, and for messages out of bounds."""
    try:
        message = read_report(raw)
    except ReportError as error:
        raise ArfError(str(error)) from error
    parts = walk(message)
    place = next((at for at, part in enumerate(parts) if kind(part) == "message/feedback-report"), None)
    if place is None:
        raise ArfError("it holds no feedback report")
    report = (children(parts[place]) or parts[place:])[0]
    word = field(report, "Feedback-Type").lower()
    if not word:
        raise ArfError("the feedback report has no type")
    original = original_headers(parts, "message/feedback-report")
    headers = original if original is not None else Message()
    return FeedbackReport(
        feedback_type=FeedbackType(word) if word in FeedbackType._value2member_map_ else FeedbackType.OTHER,
        user_agent=field(report, "User-Agent"),
        mail_from=typed_address(field(report, "Original-Mail-From") or field(headers, "Return-Path")),
        recipients=tuple(typed_address(value) for value in fields(report, "Original-Rcpt-To")),
        source_ip=field(report, "Source-IP"),
        message_id=field(headers, "Message-ID"),
        feedback_id=field(headers, "Feedback-ID"),
        list_unsubscribe=field(headers, "List-Unsubscribe"),
        subject=field(headers, "Subject"),
    )
