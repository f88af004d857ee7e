"""The contents that a new one can begin with."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

_EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Starter:
    """A ready-made content. `key` is its file's name without the ending."""

    key: str
    name: str
    about: str
    source_kind: Literal["html", "mjml"]
    subject: str
    preheader: str
    source: str


_STARTERS: tuple[tuple[str, str, str, Literal["html", "mjml"], str, str], ...] = (
    ("welcome", "Welcome", "The first letter to somebody new", "mjml",
     'Welcome{% if contact.first_name %}, {{ contact.first_name | capitalize }}{% endif %}', "Three good places to begin"),
    ("announcement", "Announcement", "One thing that is new, and why it matters", "mjml",
     "One line that says what changed", "And why it matters to you"),
    ("notice", "Order notice", "A receipt-like message with a list of items", "mjml",
     "Your order {{ tag.order_number }}", "We have it and are packing it"),
    ("newsletter", "Newsletter", "A short monthly letter", "mjml",
     "Five minutes of good news", "What grew, what opened, and what somebody finally repaired"),
)  # fmt: skip


@cache
def starters() -> tuple[Starter, ...]:
    """The contents offered on the page of a new one, in the order in which they are shown."""
    return tuple(
        Starter(key, name, about, kind, subject, preheader, (_EXAMPLES / f"{key}.{kind}").read_text(encoding="utf-8"))
        for key, name, about, kind, subject, preheader in _STARTERS
    )


@cache
def example_newsletter() -> Starter:
    """The 34 KB newsletter of the demonstration and the benchmarks: 15 merge fields, three loops, 24 links."""
    return Starter(
        "newsletter", "Tidewater, the spring letter", "A long letter in HTML", "html",
        '{{ contact.first_name | capitalize | default: "Hello" }}, the spring letter is here',
        "The long way round the harbour, bread that waits for you, and a library of seeds",
        (_EXAMPLES / "newsletter.html").read_text(encoding="utf-8"),
    )  # fmt: skip
