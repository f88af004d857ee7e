"""The face of content."""

from standfast.components.content.compile import CompiledMessage, Preview, compile_message
from standfast.components.content.links import LinkSigner
from standfast.components.content.models import Content, SourceKind
from standfast.components.content.problems import Problem
from standfast.protocols.liquid import ContentError

__all__ = [
    "CompiledMessage",
    "Content",
    "ContentError",
    "LinkSigner",
    "Preview",
    "Problem",
    "SourceKind",
    "compile_message",
]
