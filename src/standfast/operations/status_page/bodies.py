"""What people wrote, as HTML: plain text with paragraphs, lists, headings and links; all else is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_LINK = re.compile(r"https?://[^\s<>\"'`]+")
_TRAILING = ".,;:!?)]}*"
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"(#{1,4})\s+(.*)")
_ITEM = re.compile(r"\s*[-*]\s+(.*)")
_ROW = re.compile(r"\|(.*)\|\s*$")
_RULE = re.compile(r"\|[\s:|-]+\|\s*$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@lru_cache(4096)  # the same posts are shown on several pages, in feeds, and at the next edition
def as_html(text: str) -> SafeString:
    """Blank lines part paragraphs; "- " makes a list, "## " a heading, "| a | b |" a table; web addresses are linked."""
    blocks = re.split(r"\n\s*\n", clean(text).strip())
    return mark_safe("\n".join(part for block in blocks for part in _block(block)))  # noqa: S308  # escaped in _inline


def clean(text: str) -> str:
    """The text without what XML and terminals cannot bear."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _block(block: str) -> Iterator[str]:
    """The elements of one block: runs of lines of the same kind."""
    lines = [line for line in block.split("\n") if line.strip()]
    start = 0
    while start < len(lines):
        kind = _kind(lines[start])
        end = start + 1
        while kind != "heading" and end < len(lines) and _kind(lines[end]) == kind:
            end += 1
        yield _ELEMENTS[kind](lines[start:end])
        start = end


def _kind(line: str) -> str:
    if _HEADING.match(line):
        return "heading"
    if _ITEM.match(line):
        return "list"
    return "table" if _ROW.match(line) else "paragraph"


def _paragraph(lines: list[str]) -> str:
    return f"<p>{'<br>'.join(_inline(line) for line in lines)}</p>"


def _list(lines: list[str]) -> str:
    items = (match.group(1) for line in lines if (match := _ITEM.match(line)))
    return f"<ul>{''.join(f'<li>{_inline(item)}</li>' for item in items)}</ul>"


def _heading(lines: list[str]) -> str:
    match = _HEADING.match(lines[0])
    level = 3 if match and len(match.group(1)) <= 2 else 4
    return f"<h{level}>{_inline(match.group(2) if match else lines[0])}</h{level}>"


def _table(lines: list[str]) -> str:
    head = len(lines) > 1 and bool(_RULE.match(lines[1]))
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if not _RULE.match(line)]
    shown = [
        "<tr>" + "".join(f"<{tag}>{_inline(cell)}</{tag}>" for cell in row) + "</tr>"
        for number, row in enumerate(rows)
        for tag in ["th" if head and number == 0 else "td"]
    ]
    return f'<div class="scroll"><table class="plain">{"".join(shown)}</table></div>'


_ELEMENTS = {"heading": _heading, "list": _list, "table": _table, "paragraph": _paragraph}


def _inline(line: str) -> str:
    """Escaped text; links, **bold** and `code` are the only markup that comes out of it."""
    shown, last = [], 0
    for match in _LINK.finditer(line):
        address = match.group().rstrip(_TRAILING)
        shown.append(_marked(line[last : match.start()]))
        shown.append(f'<a href="{escape(address)}" rel="nofollow noopener">{escape(address)}</a>')
        last = match.start() + len(address)
    shown.append(_marked(line[last:]))
    return "".join(shown)


def _marked(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", _BOLD.sub(r"<strong>\1</strong>", escape(text)))
