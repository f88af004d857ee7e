"""The face of delivery."""

from standfast.components.delivery.models import Recipient, RecipientStatus, Route, Send, SendingDomain, SendState, TlsMode

__all__ = ["Recipient", "RecipientStatus", "Route", "Send", "SendState", "SendingDomain", "TlsMode"]
