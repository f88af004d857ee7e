"""What a message that came back says: a bounce, a delay, a complaint, an automatic reply, or nothing we understand."""

import re
from dataclasses import dataclass
from email.message import Message
from typing import Any

from standfast.protocols.arf import ArfError, FeedbackReport, FeedbackType, parse_arf
from standfast.protocols.bounces import classify, is_hard
from standfast.protocols.dsn import Action, DsnError, RecipientReport, parse_dsn
from standfast.protocols.report_parts import ReportError, field, read_report

TEXT_CHARS_MAX = 500
_AUTO_REPLY_SUBJECT = re.compile(
    r"^(auto(matic)?[ -]?(reply|response)|out of (the )?office|on vacation|vacation|away from|abwesenheit"
    r"|automatische antwort|réponse automatique|absence|respuesta automática|risposta automatica|afwezig)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Bounced:
    """The message will not arrive. `data` is the event's: class, code, enhanced, text, hard."""

    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delayed:
    """The message is still on its way. `data` as with a bounce."""

    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Complaint:
    """The reader said that it is spam. `named` holds what the report says of the original's sender and links."""

    feedback_type: str
    named: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood, and nothing to do: counted by reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotRead:
    """Not understood: kept for a person to read."""

    reason: str


Reading = Bounced | Delayed | Complaint | Ignored | NotRead


def read(raw: bytes) -> Reading:
    """Read one message. Never raises on what stands in it."""
    try:
        return _complaint(parse_arf(raw))
    except ArfError:
        pass
    try:
        return _delivery(parse_dsn(raw).recipients)
    except DsnError:
        pass
    try:
        message = read_report(raw)
    except ReportError:
        return NotRead("unreadable")
    return Ignored("auto_reply") if _is_auto_reply(message) else NotRead("no_report")


def _complaint(report: FeedbackReport) -> Reading:
    if report.feedback_type is FeedbackType.NOT_SPAM:
        return Ignored("not_spam")
    return Complaint(report.feedback_type.value, f"<{report.mail_from}> {report.list_unsubscribe}")


def _delivery(recipients: tuple[RecipientReport, ...]) -> Reading:
    """One of our messages has one recipient; of several lines, as an alias makes them, the worst counts."""
    by_action = {report.action: report for report in reversed(recipients)}
    if failed := by_action.get(Action.FAILED):
        return Bounced(_data(failed))
    if delayed := by_action.get(Action.DELAYED):
        return Delayed(_data(delayed))
    return Ignored("delivery_confirmed")


def _data(report: RecipientReport) -> dict[str, Any]:
    found = classify(report.code, report.enhanced or None, report.text)
    return {
        "class": found.value,
        "code": report.code,
        "enhanced": report.enhanced,
        "text": report.text[:TEXT_CHARS_MAX],
        "hard": is_hard(found) and report.action is Action.FAILED,
        "by": "report",
    }


def _is_auto_reply(message: Message) -> bool:
    """RFC 3834, and what came before it."""
    submitted = field(message, "Auto-Submitted").lower()
    if submitted and not submitted.startswith("no"):
        return True
    if any(field(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress")):
        return True
    if field(message, "Precedence").lower() in {"auto_reply", "auto-reply"}:
        return True
    return bool(_AUTO_REPLY_SUBJECT.search(field(message, "Subject")))
