"""The face of content."""

from standfast.components.content.compile import CompiledMessage, Preview, compile_message
from standfast.components.content.finished import track_finished
from standfast.components.content.images import image_of
from standfast.components.content.languages import LANGUAGES
from standfast.components.content.links import LinkSigner
from standfast.components.content.models import Content, SourceKind
from standfast.components.content.previews import SAMPLE, Shown, contact_values, find_contact, newest_contact, show
from standfast.components.content.problems import Problem, Severity
from standfast.components.content.starters import example_newsletter, starters
from standfast.protocols.liquid import ContentError

__all__ = [
    "LANGUAGES",
    "SAMPLE",
    "CompiledMessage",
    "Content",
    "ContentError",
    "LinkSigner",
    "Preview",
    "Problem",
    "Severity",
    "Shown",
    "SourceKind",
    "compile_message",
    "contact_values",
    "example_newsletter",
    "find_contact",
    "image_of",
    "newest_contact",
    "show",
    "starters",
    "track_finished",
]
