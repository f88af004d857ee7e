"""The face of tracking."""

from standfast.components.tracking.models import LinkCounter, Response, SendCounter, SendHour

__all__ = ["LinkCounter", "Response", "SendCounter", "SendHour"]
