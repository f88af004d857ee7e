"""MJML to HTML, by mrml, with errors that name the line."""

import re

import mrml

from standfast.components.content.placeholders import TAG_REST, Hidden, outside_comments
from standfast.components.content.problems import Problem, Severity
from standfast.protocols.liquid import ContentError

_ELEMENT = re.compile(rf"<!--|<(/?)(mjml|mj-[\w-]+)({TAG_REST})>")
_WARNINGS_MAX = 100


def mjml_to_html(hidden: Hidden) -> tuple[str, list[Problem]]:
    """Compile MJML whose Liquid is hidden. Raises ContentError with the line; files are never included."""
    _check_elements(hidden)
    options = mrml.ParserOptions(include_loader=mrml.noop_loader())
    try:
        output = mrml.to_html(hidden.source, options, mrml.RenderOptions(social_icon_origin=None, fonts={}))
    except OSError as error:
        raise ContentError(0, f"the MJML cannot be read: {error}") from error
    problems = [
        Problem(Severity.WARNING, hidden.line_at(warning.start), f"MJML: {_words(warning.kind)}", "Check the spelling.")
        for warning in output.warnings[:_WARNINGS_MAX]
    ]
    return output.content, problems


def _words(kind: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).replace("_", " ").lower()


def _check_elements(hidden: Hidden) -> None:
    """mrml says what is wrong but not where; unclosed elements are the usual mistake."""
    opened: list[tuple[str, int]] = []
    line_at = hidden.line_at  # only of what is wrong: it looks through everything before
    for found in outside_comments(_ELEMENT, hidden.source):
        closing, name, rest = found.groups()
        if rest.endswith("/") and name != "mj-include":
            continue
        if name == "mj-include":
            raise ContentError(line_at(found.start()), "`mj-include` is not available: paste what it would include")
        if not closing:
            opened.append((name, found.start()))
        elif not opened or opened[-1][0] != name:
            raise ContentError(line_at(found.start()), f"`</{name}>` closes nothing" + (
                f": `<{opened[-1][0]}>` of line {line_at(opened[-1][1])} is still open" if opened else ""))  # fmt: skip
        else:
            opened.pop()
    if opened:
        raise ContentError(line_at(opened[-1][1]), f"`<{opened[-1][0]}>` is never closed")
    if "<mjml" not in hidden.source:
        raise ContentError(1, "this is no MJML: it has no `<mjml>` element")
