"""What is wrong with a template, with the line and in plain words."""

import re
from bisect import bisect_right

from liquid.exceptions import LiquidError, OutputStreamLimitError, UnknownFilterError

from .budget import BudgetError


class ContentError(Exception):
    """The content cannot be compiled or rendered. `line` counts from 1 in the user's source (0: not known)."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line
        self.reason = reason


class Lines:
    """Finds the user's line for a place in a source, also after the source was rewritten.

    `anchors` are (offset in the rewritten source, line in the user's source), ascending; without them the source is the
    user's own.
    """

    def __init__(self, source: str, anchors: list[tuple[int, int]] | None = None) -> None:
        self._source = source
        self._anchors = anchors

    def at(self, offset: int) -> int:
        if offset < 0:
            return 0
        if self._anchors is None:
            return self._source.count("\n", 0, offset) + 1
        index = bisect_right(self._anchors, (offset, 1 << 60)) - 1
        return self._anchors[max(index, 0)][1] if self._anchors else 0


# python-liquid's patterns take time with the square of a tag's length and of white space in it, and with the cube of a
# tag that is nothing but white space.
TAG_CHARS_MAX = 6_000
SPACES_MAX = 500
_SPACES = re.compile(rf"\s{{{SPACES_MAX + 1}}}")
_BEGIN = re.compile(r"\{\{|\{%")

_BLOCKS = ("if", "unless", "for", "case", "capture", "tablerow", "comment", "raw", "ifchanged", "doc")
_TAG = re.compile(r"\{%-?\s*(#|\w+)|(\{\{)")
_OPAQUE_END = {name: re.compile(r"\{%-?\s*end" + name + r"\s*-?%\}") for name in ("raw", "comment", "doc")}
_LEAF_OF = {"elsif": ("if", "unless"), "else": ("if", "unless", "case", "for"), "when": ("case",)}


def check_balance(source: str, lines: Lines) -> None:
    """Find blocks that are never closed or closed twice: python-liquid notices these only at the end of the file.

    Raises ContentError with the line where the block begins.
    """
    open_blocks: list[tuple[str, int]] = []
    position = 0
    while found := _TAG.search(source, position):
        position = found.end()
        name = found[1]
        _check_tag(source, found.start(), lines)
        if found[2]:
            continue
        if name in _OPAQUE_END:
            end = _OPAQUE_END[name].search(source, position)
            if end is None:
                raise ContentError(lines.at(found.start()), f"the tag `{name}` is never closed")
            if name == "comment":  # python-liquid reads what is in it
                for inner in _BEGIN.finditer(source, position, end.start()):
                    _check_tag(source, inner.start(), lines)
            position = end.end()
        elif name in _BLOCKS:
            open_blocks.append((name, found.start()))
        elif name.startswith("end") and name[3:] in _BLOCKS:
            _close(name[3:], open_blocks, lines, found.start())
        elif name in _LEAF_OF and (not open_blocks or open_blocks[-1][0] not in _LEAF_OF[name]):
            raise ContentError(lines.at(found.start()), f"`{name}` stands outside of {_either(_LEAF_OF[name])}")
    if open_blocks:
        name, start = open_blocks[-1]
        raise ContentError(lines.at(start), f"the tag `{name}` is never closed: add `{{% end{name} %}}`")


def _check_tag(source: str, start: int, lines: Lines) -> None:
    """Raises ContentError for a tag that does not end, or that python-liquid would take minutes to read."""
    begin = source[start : start + 2]
    closing = "}}" if begin == "{{" else "%}"
    end = source.find(closing, start + 2)
    if end < 0:
        raise ContentError(lines.at(start), f"`{begin}` is never closed by `{closing}`")
    if end - start > TAG_CHARS_MAX:
        raise ContentError(lines.at(start), f"a tag has more than {TAG_CHARS_MAX:,} characters")
    inside = source[start + 2 : end]
    if begin == "{{" and not inside.strip().strip("-").strip():
        raise ContentError(lines.at(start), "`{{ }}` holds nothing to show")
    if _SPACES.search(inside):
        raise ContentError(lines.at(start), f"a tag has more than {SPACES_MAX} spaces on end")


def _close(name: str, open_blocks: list[tuple[str, int]], lines: Lines, start: int) -> None:
    if not open_blocks:
        raise ContentError(lines.at(start), f"`end{name}` closes nothing: there is no open `{name}` before it")
    opened, opened_at = open_blocks.pop()
    if opened != name:
        raise ContentError(
            lines.at(opened_at),
            f"the tag `{opened}` is never closed: line {lines.at(start)} closes `{name}` instead",
        )


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def plain_error(error: Exception, lines: Lines) -> ContentError:
    """Turn what python-liquid raised into a ContentError."""
    if not isinstance(error, LiquidError):
        return ContentError(0, f"the content cannot be rendered: {error}")
    line = lines.at(error.token.start_index) if error.token is not None else 0
    text = str(error.message)
    if isinstance(error, OutputStreamLimitError):
        text = "it writes too much"
    if isinstance(error, BudgetError | OutputStreamLimitError):
        return ContentError(line, f"the template is stopped: {text}")
    if isinstance(error, UnknownFilterError):
        name = re.sub(r"^unknown filter ", "", text).strip("'")
        return ContentError(line, f"there is no filter `{name}`")
    if found := re.match(r"(?:\w+: )?(\w+?)_?\(\) (.*argument.*)", text):
        return ContentError(line, f"the filter `{found[1]}` is {found[2]}")
    if found := re.match(r"unexpected tag '?(\w+)'?", text):
        return ContentError(line, f"there is no tag `{found[1]}`, or it may not stand here")
    return ContentError(line, text.replace("end of expression", "the end of the tag"))
