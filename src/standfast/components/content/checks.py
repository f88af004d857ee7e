"""What is looked at in a content besides its links."""

import re
from itertools import islice
from typing import Protocol

from standfast.components.content.links import UNSUBSCRIBE_NAMES
from standfast.components.content.placeholders import TAG_REST
from standfast.components.content.problems import Problem, Severity
from standfast.protocols.liquid import Program

GMAIL_CLIPS_BYTES = 102 * 1024
SUBJECT_CHARS_MAX = 150
IMAGES_LOOKED_AT = 1_000

_IMAGE = re.compile(rf"<img\b{TAG_REST}>", re.IGNORECASE)
_SILENT = re.compile(r"<(style|script|title)\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\s(src|alt)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)


class Report(Protocol):
    def __call__(self, severity: Severity, what: str, remedy: str, line: int = 0) -> None: ...


def check_content(
    *, subject: str, html: str, user_source: str, text_given: bool, program: Program, text: Program, commercial: bool
) -> list[Problem]:
    """List what is missing or doubtful. `html` is the finished HTML without tracking, Liquid included."""
    found: list[Problem] = []

    def report(severity: Severity, what: str, remedy: str, line: int = 0) -> None:
        found.append(Problem(severity, line, what, remedy))

    if not subject.strip():
        report(Severity.ERROR, "The subject is empty.", "Write a subject.")
    elif len(subject) > SUBJECT_CHARS_MAX:
        report(Severity.WARNING, f"The subject has {len(subject)} characters.", "Most readers see the first 50.")
    if not re.sub(r"<[^<>]*>|\s", "", _without_silent(html)):
        report(Severity.ERROR, "The content is empty.", "Write something.")
    if commercial:
        _check_law(program, report)
    _check_images(html, user_source, report)
    size = len(html.encode("utf-8", "replace"))
    if size > GMAIL_CLIPS_BYTES:
        report(Severity.WARNING, f"The HTML has {size // 1024} KB; Gmail shows the first 102 KB.",
               "Shorten it, or take out unused styles.")  # fmt: skip
    for name, line in program.unknown:
        report(Severity.WARNING, f"`{name}` is never set, so it shows nothing.",
               "Use contact, campaign or tag, or assign it.", line)  # fmt: skip
    if not text_given:
        report(Severity.NOTE, "There is no text part of your own.", "One is made from the HTML.")
    for part, name in ((program, "HTML"), (text, "text")):
        if not part.lowered:
            report(Severity.NOTE, f"The {name} part uses {part.fallback_reason} and renders more slowly.",
                   "This matters only for large audiences.")  # fmt: skip
    return found


def _without_silent(html: str) -> str:
    """Without the elements whose text nobody sees. An end that is missing is looked for once."""
    kept, done, endless = list[str](), 0, set[str]()
    for found in _SILENT.finditer(html):
        name = found[1].lower()
        if found.start() < done or name in endless:
            continue
        end = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(html, found.end())
        if end is None:
            endless.add(name)
            continue
        kept.append(html[done : found.start()])
        done = end.end()
    return "".join([*kept, html[done:]])


def _check_law(program: Program, report: Report) -> None:
    if not any(f"campaign.{name}" in program.reads for name in UNSUBSCRIBE_NAMES):
        report(Severity.ERROR, "There is no unsubscribe link.",
               'Add <a href="{{ campaign.unsubscribe_url }}">Unsubscribe</a>.')  # fmt: skip
    if "campaign.address" not in program.reads:
        report(Severity.ERROR, "There is no postal address.", "Add {{ campaign.address }} to the footer.")


def _check_images(html: str, user_source: str, report: Report) -> None:
    for image in islice(_IMAGE.finditer(html), IMAGES_LOOKED_AT):
        values = {hit[1].lower(): next(g for g in hit.groups()[1:] if g is not None)
                  for hit in _ATTRIBUTE.finditer(image[0])}  # fmt: skip
        source = values.get("src", "")
        at = user_source.find(source) if source else -1
        line = user_source.count("\n", 0, at) + 1 if at >= 0 else 0
        if "alt" not in values:
            report(Severity.WARNING, f"The image `{source[:80]}` has no alternative text.",
                   "Add alt, left empty for decoration.", line)  # fmt: skip
        if source.lower().startswith("data:"):
            report(Severity.WARNING, "An image stands inside the HTML; Gmail and Outlook do not show it.",
                   "Link to the image instead.", line)  # fmt: skip
