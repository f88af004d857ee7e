"""The face of content."""

from standfast.components.content.models import Content, SourceKind

__all__ = ["Content", "SourceKind"]
