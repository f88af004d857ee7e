"""The face of tracking."""

from standfast.components.tracking.consumers import CONSUMERS
from standfast.components.tracking.models import LinkCounter, Response, SendCounter, SendHour

__all__ = ["CONSUMERS", "LinkCounter", "Response", "SendCounter", "SendHour"]
