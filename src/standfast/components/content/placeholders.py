"""Liquid kept out of the way while other programs rewrite the HTML around it.

An MJML compiler and a CSS inliner parse HTML; `{% for %}` between two table rows would be moved before the table, and
`{{ name }}` in an attribute be escaped. So each tag is replaced by a word of letters and digits, or by a comment where
only a comment may stand, and put back when they are done.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from standfast.protocols.liquid import ContentError

_LIQUID = re.compile(
    r"\{%-?\s*(?P<whole>raw|comment|doc)\s*-?%\}.*?\{%-?\s*end(?P=whole)\s*-?%\}"
    r"|\{%(?P<tag>.*?)%\}|\{\{.*?\}\}",
    re.DOTALL,
)
# The rest of a tag up to its `>`. It stops at the next `<` and after 200 pieces, so that no text makes it run for long.
TAG_REST = r"(?:\"[^\"]*+\"|'[^']*+'|[^'\"<>]++){0,200}+"
_WHOLE = "style|script|title|textarea|mj-title|mj-preview|mj-style"
_TAG = re.compile(rf"</?(?P<name>[a-zA-Z][\w:-]*){TAG_REST}>")
_MARKUP = re.compile(rf"<!--|<(?P<whole>{_WHOLE})\b[^<>]*>|{_TAG.pattern}")
_ENDS = {"<!--": re.compile("-->"), **{name: re.compile(rf"</{name}\s*>") for name in _WHOLE.split("|")}}
_OPENING = re.compile(rf"<!--|<({_WHOLE})\b[^<>]*>")
# Directly inside of these HTML allows no text, and parsers move it elsewhere.
_NO_TEXT = re.compile(
    r"<(?:table|thead|tbody|tfoot|tr|colgroup|select|/td|/th|/tr|/thead|/tbody|/tfoot|/option)\b", re.I
)


DEPTH_MAX = 250
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
# In HTML, not in MJML, the next of their kind closes these.
_IMPLIED = frozenset(["p", "li", "td", "th", "tr", "option", "dd", "dt", "thead", "tbody", "tfoot", "colgroup"])


class Markup(NamedTuple):
    """A tag (`name` is its element's), or a comment, style sheet and the like from beginning to end (`name` is empty)."""

    start: int
    end: int
    text: str
    name: str


@dataclass(frozen=True)
class Hidden:
    """A source with its Liquid replaced. `spans` are (the Liquid, its line in the user's source)."""

    source: str
    spans: tuple[tuple[str, int], ...]
    prefix: str

    @property
    def word(self) -> re.Pattern[str]:
        """Matches a placeholder in any of the shapes that it may have by now; group 1 is its number."""
        return re.compile(rf'<!--{self.prefix}(\d+)z-->|{self.prefix}(\d+)z(?:="")?')

    def reveal(self, text: str) -> str:
        """Put the Liquid back."""
        return self.word.sub(lambda found: self.spans[int(found[1] or found[2])][0], text)

    def reveal_with_lines(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """Put the Liquid back, and say at which offset of the result which line of the user's source stands."""
        pieces: list[str] = []
        anchors: list[tuple[int, int]] = []
        done, length = 0, 0
        for found in self.word.finditer(text):
            liquid, line = self.spans[int(found[1] or found[2])]
            pieces += (text[done : found.start()], liquid)
            length += found.start() - done
            anchors.append((length, line))
            length += len(liquid)
            done = found.end()
        pieces.append(text[done:])
        return "".join(pieces), anchors

    def without_statements(self, text: str) -> str:
        """Take the placeholders of `{% ... %}` out, and leave those of values."""
        return self.word.sub(
            lambda found: "" if self.spans[int(found[1] or found[2])][0].startswith("{%") else found[0], text
        )

    def line_at(self, offset: int) -> int:
        """The user's line of a place in the hidden source."""
        return self.reveal(self.source[:offset]).count("\n") + 1


def hide_liquid(source: str) -> Hidden:
    """Replace every Liquid tag of an HTML or MJML source. Raises ContentError when placeholders cannot be told apart."""
    prefix = next((word for word in ("sfq", "sfw", "sfk", "sfj") if word not in source), None)
    if prefix is None:
        raise ContentError(0, "the content holds the words `sfq`, `sfw`, `sfk` and `sfj`; please leave one out")
    _check_closed(source)
    spans: list[tuple[str, int]] = []
    statements: set[int] = set()
    line, counted = 1, 0

    def hide(found: re.Match[str]) -> str:
        nonlocal line, counted
        line += source.count("\n", counted, found.start())
        counted = found.start()
        spans.append((found[0], line))
        if not found[0].startswith("{{"):
            statements.add(len(spans) - 1)
        return f"{prefix}{len(spans) - 1}z"

    words = _LIQUID.sub(hide, source)
    return Hidden(_comment_statements(words, prefix, statements, spans), tuple(spans), prefix)


def _check_closed(source: str) -> None:
    """Whatever hides the rest of a document must end: a comment, a style sheet, a title."""
    position = 0
    while found := _OPENING.search(source, position):
        end = source.find(f"</{found[1]}" if found[1] else "-->", found.end())
        if end < 0:
            raise ContentError(source.count("\n", 0, found.start()) + 1, f"`{found[0][:40]}` is never closed")
        position = end


def outside_comments(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """What `pattern` finds outside of comments. One of its alternatives must be `<!--`, which is not handed on."""
    position, closed = 0, True
    while found := pattern.search(text, position):
        position = found.end()
        if found[0] != "<!--":
            yield found
        elif closed:
            # What is not closed is looked for once: a text of many beginnings must not cost its length for each.
            end = text.find("-->", position)
            position, closed = (end + 3, True) if end >= 0 else (position, False)


def _markup(source: str) -> Iterator[Markup]:
    """Tags, comments and whole elements in order. Each kind of end that is missing is looked for once, see above."""
    position, endless = 0, set[str]()
    while found := _MARKUP.search(source, position):
        start, name = found.start(), found["name"] or ""
        tag: re.Match[str] | None = found
        if not name:
            kind = found["whole"] or "<!--"
            end = None if kind in endless else _ENDS[kind].search(source, found.end())
            if end is not None:
                position = end.end()
                yield Markup(start, position, source[start:position], "")
                continue
            endless.add(kind)
            tag = _TAG.match(source, start)
        position = tag.end() if tag else start + 1
        if tag:
            yield Markup(start, position, tag[0], tag["name"])


def check_depth(hidden: Hidden, *, xml: bool) -> None:
    """Refuse elements nested so deeply that the programs which parse them would run out of stack and crash."""
    depth = 0
    for found in _markup(hidden.source):
        name = found.name.lower()
        if not name or name in _VOID or (found.text.endswith("/>") if xml else name in _IMPLIED):
            continue
        depth = max(depth - 1, 0) if found.text.startswith("</") else depth + 1
        if depth > DEPTH_MAX:
            raise ContentError(hidden.line_at(found.start), f"elements are nested more than {DEPTH_MAX} deep")


def _comment_statements(source: str, prefix: str, statements: set[int], spans: list[tuple[str, int]]) -> str:
    """Turn placeholders in running text into comments where they are statements, or where text may not stand."""
    word = re.compile(rf"{prefix}(\d+)z")
    pieces: list[str] = []
    done = 0
    before = ""
    for found in [*_markup(source), None]:
        text = source[done : found.start if found else len(source)]
        no_text = _NO_TEXT.match(before) is not None
        pieces.append(
            word.sub(lambda hit: f"<!--{hit[0]}-->" if no_text or int(hit[1]) in statements else hit[0], text)  # noqa: B023
        )
        if found:
            pieces.append(_join_statements(found.text, word, statements, spans) if found.name else found.text)
            done = found.end
            before = found.text if not found.text.startswith("<!--") else before
    return "".join(pieces)


def _join_statements(tag: str, word: re.Pattern[str], statements: set[int], spans: list[tuple[str, int]]) -> str:
    """Hide `{% if a %}class="b"{% else %}class="c"{% endif %}` as one: a parser would drop the second attribute."""
    if not word.search(tag):
        return tag
    outside: list[re.Match[str]] = []
    for piece in re.finditer(r"\"[^\"]*\"|'[^']*'|[^'\"]+", tag):
        if piece[0][0] not in "\"'":
            outside += [hit for hit in word.finditer(tag, piece.start(), piece.end()) if int(hit[1]) in statements]
    if len(outside) < 2:
        return tag
    start, end = outside[0].start(), outside[-1].end()
    liquid = word.sub(lambda hit: spans[int(hit[1])][0], tag[start:end])
    spans.append((liquid, spans[int(outside[0][1])][1]))
    return f"{tag[:start]}{word.pattern.split('(')[0]}{len(spans) - 1}z{tag[end:]}"
