"""Delivery reports: multipart/report of RFC 3464, and the texts that some servers send instead of it.

Who a report is about is told by the envelope recipient (VERP), never by the report alone: that can be forged.
"""

import re
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from .report_parts import (
    ReportError,
    children,
    field,
    kind,
    original_headers,
    read_report,
    text_of,
    typed_address,
    walk,
)

RECIPIENTS_MAX = 100
_TEXT_CHARS_MAX = 20_000


class DsnError(ReportError):
    """This message is no delivery report."""


class Action(StrEnum):
    """What became of a message (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """One recipient's outcome. code: the SMTP reply's, when told; enhanced: such as "5.1.1", or "" when not told."""

    recipient: str
    action: Action
    code: int | None
    enhanced: str
    text: str
    remote_mta: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """structured: by RFC 3464; otherwise found in the text. message_id: the original's, "" when it was not returned."""

    recipients: tuple[RecipientReport, ...]
    reporting_mta: str
    message_id: str
    structured: bool


_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_CODE = re.compile(r"(?<![\d.#])([245]\d\d)(?=[ \-#]|$)")
_FROM_MAILER = re.compile(r"mailer-?daemon|postmaster|mail delivery (?:sub)?system|mail ?admin|bounce", re.I)
_SUBJECT = re.compile(
    r"undeliver|deliver\w* (?:status|fail|problem|has failed)|failure notice|returned (?:mail|to sender)"
    r"|fail\w* deliver"
    r"|could not be delivered|not delivered|mail system error|unzustellbar|non remis|no entregado|warning: message",
    re.IGNORECASE,
)
_DELAY = re.compile(r"\bdelay(?:ed)?\b|will (?:be retried|retry)|not yet been delivered|still trying", re.IGNORECASE)
_BRACKETED = re.compile(r"^\s{0,8}<([^\s<>@]{1,64}@[^\s<>@]{1,253})>", re.MULTILINE)
_INDENTED = re.compile(r"^\s{1,8}\"?([^\s<>@\":]{1,64}@[^\s<>@\":]{1,253})\"?:?\s*$", re.MULTILINE)
_REPLY = re.compile(r"(?:^|[\s:])([45]\d\d[ \-](?:[45]\.\d{1,3}\.\d{1,3})?[^\n]{0,400})")
_BELOW = re.compile(
    r"^-{2,}.{0,40}(?:copy of|original message|message header|below this line).{0,80}$", re.I | re.MULTILINE
)
_MESSAGE_ID = re.compile(r"^\s*message-id:\s*(<[^\s<>]{1,250}>)", re.IGNORECASE | re.MULTILINE)


def parse_dsn(raw: bytes) -> DeliveryReport:
    """Read a bounce. Raises DsnError for anything else, out-of-office replies among it, and out of bounds."""
    try:
        message = read_report(raw)
    except ReportError as error:
        raise DsnError(str(error)) from error
    parts = walk(message)
    status = next((part for part in parts if kind(part) == "message/delivery-status"), None)
    if status is not None and (report := _structured(parts, status)):
        return report
    return _from_text(message, parts)


def _structured(parts: list[Message], status: Message) -> DeliveryReport | None:
    blocks = children(status)
    recipients = []
    for block in blocks[: RECIPIENTS_MAX + 1]:
        recipient = typed_address(field(block, "Original-Recipient") or field(block, "Final-Recipient"))
        recipient = recipient or typed_address(field(block, "Final-Recipient"))
        if recipient or field(block, "Action"):
            recipients.append(_recipient(block, recipient))
    if not recipients:
        return None
    original = original_headers(parts, "message/delivery-status")
    return DeliveryReport(
        recipients=tuple(recipients),
        reporting_mta=typed_address(field(blocks[0], "Reporting-MTA")),
        message_id=field(original, "Message-ID") if original is not None else "",
        structured=True,
    )


def _recipient(block: Message, recipient: str) -> RecipientReport:
    status = _STATUS.search(field(block, "Status"))
    text = typed_address(field(block, "Diagnostic-Code"))
    code = _CODE.search(text)
    enhanced = status[1] if status else ""
    # "5.0.0" says nothing; servers put the reply's own code into the diagnostic.
    if (not enhanced or enhanced.endswith(".0.0")) and (better := _STATUS.search(text)):
        enhanced = better[1]
    word = field(block, "Action").split(" ")[0].lower()
    action = Action(word) if word in Action._value2member_map_ else _action_of(enhanced)
    return RecipientReport(
        recipient=recipient,
        action=action,
        code=int(code[1]) if code else None,
        enhanced=enhanced,
        text=text,
        remote_mta=typed_address(field(block, "Remote-MTA")),
    )


def _action_of(enhanced: str) -> Action:
    return {"2": Action.DELIVERED, "4": Action.DELAYED}.get(enhanced[:1], Action.FAILED)


def _from_text(message: Message, parts: list[Message]) -> DeliveryReport:
    subject, sender = field(message, "Subject"), field(message, "From")
    named = field(message, "X-Failed-Recipients")
    if field(message, "Auto-Submitted").lower().startswith("auto-replied") and not named:
        raise DsnError("an automatic reply, not a delivery report")
    if not (named or _SUBJECT.search(subject) or (_FROM_MAILER.search(sender) and not field(message, "In-Reply-To"))):
        raise DsnError("nothing says that this is a delivery report")
    text = next((text_of(part) for part in parts if kind(part) == "text/plain"), "")[:_TEXT_CHARS_MAX]
    text = text.replace("\r\n", "\n")
    below = _BELOW.search(text)
    report, original = (text[: below.start()], text[below.start() :]) if below else (text, text)
    recipients = tuple(_named(report, named))
    reply = _REPLY.search(report)
    if not recipients and not reply:
        raise DsnError("no recipient and no reason in it")
    line = " ".join(reply[1].split()) if reply else _reason(report, recipients)
    status, code = _STATUS.search(line) or _STATUS.search(report), _CODE.match(line)
    delayed = _DELAY.search(subject) or (not reply and _DELAY.search(report[:1000]))
    found = RecipientReport(
        recipient="",
        action=Action.DELAYED if delayed else Action.FAILED,
        code=int(code[1]) if code else None,
        enhanced=status[1] if status else "",
        text=line,
    )
    message_id = _MESSAGE_ID.search(original)
    return DeliveryReport(
        recipients=tuple(_for(found, recipient) for recipient in recipients or ("",)),
        reporting_mta="",
        message_id=message_id[1] if message_id else "",
        structured=False,
    )


def _for(found: RecipientReport, recipient: str) -> RecipientReport:
    return RecipientReport(recipient, found.action, found.code, found.enhanced, found.text)


def _named(report: str, header: str) -> list[str]:
    """Recipients by Exim's header, by qmail's "<a@b>:" lines, or alone on an indented line."""
    if header:
        return [name.strip() for name in header.split(",") if "@" in name][:RECIPIENTS_MAX]
    found = _BRACKETED.findall(report) or _INDENTED.findall(report)
    return list(dict.fromkeys(found))[:RECIPIENTS_MAX]


def _reason(report: str, recipients: tuple[str, ...]) -> str:
    """What follows the first recipient: the reason, where no SMTP reply is quoted."""
    rest = report.partition(recipients[0])[2] if recipients else report
    return " ".join(rest.lstrip('>:" \n').partition("\n\n")[0].split())[:500]
