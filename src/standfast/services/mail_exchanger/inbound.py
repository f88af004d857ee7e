"""One SMTP session of the mail exchanger: who may write to us, and what becomes of a message."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog

from standfast.platform.spool import Spool, SpoolError
from standfast.protocols.event_record import encode_event
from standfast.protocols.smtp_outcome import Reply
from standfast.protocols.smtp_session import Answer, Envelope, SessionHooks
from standfast.protocols.tokens import RecipientRef
from standfast.services.mail_exchanger.addressing import (
    BounceAddress,
    ComplaintAddress,
    PostmasterAddress,
    destination,
    recipient_named_in,
)
from standfast.services.mail_exchanger.reading import Bounced, Complaint, Delayed, Ignored, NotRead, Reading, read
from standfast.services.mail_exchanger.unparsed import UnparsedFolder

NOT_HERE = Reply(550, "5.1.1 no such address here")
TRY_LATER = Reply(451, "4.3.0 the message could not be stored, try again later")
# Where a big report is read, other sessions wait; above this size another thread does it.
INLINE_BYTES_MAX = 16 * 1024

log = structlog.get_logger("mail_exchanger")


class Exchange:
    """What all sessions share: the key, the spool, the folder of unread mail, the counts."""

    def __init__(self, *, spool: Spool, key: bytes, domains: frozenset[str], unparsed: UnparsedFolder) -> None:
        self.spool = spool
        self.key = key
        self.domains = domains
        self.unparsed = unparsed
        self.counts: Counter[str] = Counter()

    def session(self) -> "InboundSession":
        """The hooks of a new session."""
        return InboundSession(self)

    async def take(self, recipients: list[str], raw: bytes) -> None:
        """Make everything durable that the message says. Raises SpoolError and OSError when that cannot be done."""
        reading = await _read(raw)
        # Once for each meaning: a stranger may name an address twenty times over.
        for target in dict.fromkeys(destination(each, key=self.key, domains=self.domains) for each in recipients):
            match target:
                case BounceAddress(ref):
                    await self._take_for(ref, reading, raw)
                case ComplaintAddress():
                    await self._take_for(None, reading, raw)
                case PostmasterAddress() | None:
                    self._keep(raw, "postmaster")

    async def _take_for(self, ref: RecipientRef | None, reading: Reading, raw: bytes) -> None:
        match reading:
            case Complaint(feedback_type, named):
                ref = ref or recipient_named_in(named, key=self.key) or recipient_named_in(_text(raw), key=self.key)
                await self._append("complained", ref, {"type": feedback_type}, raw)
            case Bounced(data):
                await self._append("bounced", ref or recipient_named_in(_text(raw), key=self.key), data, raw)
            case Delayed(data):
                await self._append("deferred", ref or recipient_named_in(_text(raw), key=self.key), data, raw)
            case Ignored(reason):
                self.counts[f"ignored_{reason}"] += 1
            case NotRead(reason):
                self._keep(raw, reason)

    async def _append(self, kind: str, ref: RecipientRef | None, data: dict[str, Any], raw: bytes) -> None:
        if ref is None:
            self._keep(raw, f"{kind}_of_unknown_recipient")
            return
        payload = encode_event(
            account_id=ref.account_id,
            at_us=time.time_ns() // 1000,
            kind=kind,
            contact_id=ref.contact_id,
            send_id=ref.send_id,
            seq=ref.seq,
            data=data,
        )
        await self.spool.append(payload)
        self.counts[kind] += 1

    def _keep(self, raw: bytes, reason: str) -> None:
        self.unparsed.keep(raw, reason=reason)
        self.counts[f"unparsed_{reason}"] += 1


class InboundSession(SessionHooks):
    """Takes mail for our addresses only; 250 is said after the event is on disk."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def on_rcpt(self, envelope: Envelope, recipient: str) -> Answer:
        """Refuse what is not ours: no relay, and no guessing of tokens."""
        if destination(recipient, key=self._exchange.key, domains=self._exchange.domains) is None:
            self._exchange.counts["refused_recipient"] += 1
            return NOT_HERE
        return None

    async def on_message(self, envelope: Envelope, raw: bytes) -> Answer:
        """Store, then say yes; else ask the sender to come again."""
        try:
            await self._exchange.take(envelope.recipients, raw)
        except (SpoolError, OSError) as error:
            self._exchange.counts["refused_not_stored"] += 1
            log.warning("message not stored", error=str(error))
            return TRY_LATER
        return None


async def _read(raw: bytes) -> Reading:
    reader: Callable[[bytes], Reading] = read
    if len(raw) <= INLINE_BYTES_MAX:
        return reader(raw)
    return await asyncio.to_thread(reader, raw)


def _text(raw: bytes) -> str:
    return raw.decode("ascii", "replace")
