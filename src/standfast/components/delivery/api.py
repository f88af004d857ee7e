"""The face of delivery."""

from standfast.components.delivery.composers import Composers
from standfast.components.delivery.control import books, finish_cancelled, resend_uncertain, set_state
from standfast.components.delivery.domains import add_domain, check_domain, records, signers_for
from standfast.components.delivery.estimating import estimate_audience
from standfast.components.delivery.freeze import TEST_RECIPIENTS_MAX, Audience, count_audience, freeze_send, test_send
from standfast.components.delivery.message import Composer
from standfast.components.delivery.models import (
    Recipient,
    RecipientStatus,
    Route,
    Send,
    SendingDomain,
    SendKind,
    SendState,
    TlsMode,
)
from standfast.components.delivery.online import letter_online
from standfast.components.delivery.recovery import recover
from standfast.components.delivery.sender import Sender
from standfast.components.delivery.streams import Submission, Taken, name_stream, open_stream, stream_source, submit
from standfast.components.delivery.submitted import Submitted, submitted, submitted_at

__all__ = [
    "TEST_RECIPIENTS_MAX",
    "Audience",
    "Composer",
    "Composers",
    "Recipient",
    "RecipientStatus",
    "Route",
    "Send",
    "SendKind",
    "SendState",
    "Sender",
    "SendingDomain",
    "Submission",
    "Submitted",
    "Taken",
    "TlsMode",
    "add_domain",
    "books",
    "check_domain",
    "count_audience",
    "estimate_audience",
    "finish_cancelled",
    "freeze_send",
    "letter_online",
    "name_stream",
    "open_stream",
    "records",
    "recover",
    "resend_uncertain",
    "set_state",
    "signers_for",
    "stream_source",
    "submit",
    "submitted",
    "submitted_at",
    "test_send",
]
