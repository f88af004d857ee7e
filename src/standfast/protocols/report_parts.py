"""Reading mail that strangers send to us (bounces, complaints) within bounds of size and depth."""

from email import message_from_bytes
from email.message import Message
from email.policy import compat32

from .charsets import known_charset

REPORT_BYTES_MAX = 512 * 1024  # the report comes first; of a large original returned after it the head is enough
NESTING_MAX = 40
FIELD_CHARS_MAX = 2000
PARTS_MAX = 50
BOUNDARY_LINES_MAX = 1000  # each makes a part, of which we look at few


class ReportError(ValueError):
    """The message cannot be read as the report it was taken for; the text says why."""


def read_report(raw: bytes) -> Message:
    """Parse one message. Raises ReportError when it is empty, nested too deeply or in too many parts; what exceeds the size
    is cut off."""
    raw = raw[:REPORT_BYTES_MAX]
    if not raw.strip():
        raise ReportError("the message is empty")
    # The parser recurses once for each multipart and each message inside a message.
    lowered = raw.lower()
    if lowered.count(b"boundary") + lowered.count(b"message/") > NESTING_MAX:
        raise ReportError("the message is nested too deeply")
    if raw.count(b"\n--") > BOUNDARY_LINES_MAX:
        raise ReportError("the message has too many parts")
    try:
        return message_from_bytes(raw, policy=compat32)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise ReportError("the message is not readable as MIME") from error


def walk(message: Message) -> list[Message]:
    """The message's parts in order, itself first, no more than PARTS_MAX."""
    found: list[Message] = []
    waiting = [message]
    while waiting and len(found) < PARTS_MAX:
        part = waiting.pop(0)
        found.append(part)
        waiting[:0] = children(part)
    return found


def children(part: Message) -> list[Message]:
    """A multipart's parts, a message's message, a delivery-status' blocks; nothing when the part is text."""
    if not part.is_multipart():  # asked first, as reading a text with a nonsensical charset raises
        return []
    inside = part.get_payload()
    return [child for child in inside if isinstance(child, Message)] if isinstance(inside, list) else []


def field(part: Message, name: str) -> str:
    """A header on one line, "" when it is not there."""
    value = part.get(name)
    return "" if value is None else " ".join(str(value)[: FIELD_CHARS_MAX * 2].split())[:FIELD_CHARS_MAX]


def fields(part: Message, name: str) -> tuple[str, ...]:
    """All headers of a name, each on one line, at most PARTS_MAX."""
    values = part.get_all(name, [])[:PARTS_MAX]
    return tuple(" ".join(str(value)[:FIELD_CHARS_MAX].split()) for value in values)


def text_of(part: Message) -> str:
    """The decoded text of a part, whatever its charset claims to be."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return ""
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(known_charset(str(part.get_content_charset() or "utf-8")), "replace")
    except (LookupError, ValueError, TypeError):
        return payload.decode("utf-8", "replace")


def kind(part: Message) -> str:
    """The content type in lower case; text/plain where the header makes no sense."""
    try:
        return part.get_content_type()
    except (ValueError, LookupError, TypeError, AttributeError):
        return "text/plain"


def typed_address(value: str) -> str:
    """The address of a field such as "rfc822; bob@example.com" (RFC 3464 section 2.3.2), angle brackets taken off."""
    prefix, semicolon, rest = value.partition(";")
    return (rest if semicolon else prefix).strip().strip("<>").strip()


def original_headers(parts: list[Message], container: str) -> Message | None:
    """The headers of the message reported on, as returned in a multipart/report after the part of type `container`."""
    seen = False
    for part in parts:
        if kind(part) == container:
            seen = True
        elif seen and kind(part) in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"):
            if inside := children(part):
                return inside[0]
            try:
                return message_from_bytes(text_of(part).encode("utf-8", "replace"), policy=compat32)
            except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
                return None
    return None
