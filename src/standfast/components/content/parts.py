"""What is added to a content: the preheader, the open pixel, the honeypot link, and a text part where there is none."""

import re
from html import escape
from html.parser import HTMLParser

from standfast.components.content.placeholders import TAG_REST, Hidden
from standfast.protocols.liquid import MESSAGE_TOKEN

_BODY = re.compile(rf"<body\b{TAG_REST}>", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s{0,99}>", re.IGNORECASE)
_HIDDEN = "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all;font-size:1px;line-height:1px"
# Invisible characters after the preheader keep mail programs from filling its line with the first words of the body.
_FILLER = "&#847;&zwnj;&nbsp;&#8199;&shy;" * 24
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "ul",
        "ol",
        "table",
        "tr",
        "td",
        "th",
        "br",
        "hr",
        "blockquote",
        "section",
        "article",
        "header",
        "footer",
        "center",
        "title",
        "pre",
        "dl",
        "dt",
        "dd",
        "address",
        "figure",
        "figcaption",
        "body",
    ]
)
_SPACED = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "hr"])
_VOID = frozenset(
    ["br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"]
)
_SILENT = frozenset(["style", "script", "head", "title", "noscript", "template", "svg"])


def add_preheader(html: str, preheader: str) -> str:
    """Put a preheader (text with Liquid) into HTML as hidden words before all others."""
    if not preheader.strip():
        return html
    pieces = re.split(r"(\{\{.*?\}\}|\{%.*?%\})", preheader, flags=re.DOTALL)
    text = "".join(piece if index % 2 else escape(piece, quote=False) for index, piece in enumerate(pieces))
    block = f'<div style="{_HIDDEN}">{text}{_FILLER}</div>'
    body = _BODY.search(html)
    return html[: body.end()] + block + html[body.end() :] if body else block + html


def add_tracking(html: str, *, tracker_url: str, honeypot: tuple[str, str] | None, pixel: bool) -> str:
    """Put the honeypot link and the open pixel before the end of the body. No person sees either."""
    block = ""
    if honeypot:
        href = escape(honeypot[0]) + MESSAGE_TOKEN + escape(honeypot[1])
        block += (
            f'<div style="{_HIDDEN}" aria-hidden="true"><a href="{href}" rel="nofollow" tabindex="-1" '
            'style="color:transparent;text-decoration:none">&#8203;</a></div>'
        )
    if pixel:
        block += (
            f'<img src="{escape(tracker_url)}/o/{MESSAGE_TOKEN}.gif" width="1" height="1" alt="" '
            'style="display:block;width:1px;height:1px;border:0">'
        )
    end = next(iter([*_BODY_END.finditer(html)][-1:]), None)
    return html[: end.start()] + block + html[end.start() :] if end else html + block


def text_from_html(html: str, hidden: Hidden) -> str:
    """Write HTML whose Liquid is hidden as plain text with its links after their words; the Liquid comes along."""
    reader = _Reader(hidden)
    # Behind the last `>` no tag can end: the parser would look for its end from each `<` anew.
    last = html.rfind(">") + 1
    reader.feed(html[:last] + html[last:].replace("<", "&lt;"))
    reader.close()
    return _tidy("".join(reader.out), hidden)


class _Reader(HTMLParser):
    def __init__(self, hidden: Hidden) -> None:
        super().__init__(convert_charrefs=True)
        self.hidden = hidden
        self.out: list[str] = []
        self.muted: list[str] = []  # elements inside of the one that is not shown, outermost first
        self.links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if self.muted or tag in _SILENT or "display:none" in values.get("style", "").replace(" ", "").lower():
            if tag not in _VOID:
                self.muted.append(tag)
            return
        if tag in _BLOCKS:
            self.out.append("\n\n" if tag in _SPACED else "\n")
        elif "display:block" in values.get("style", "") and tag != "img":
            self.out.append("\n")
        if tag == "li":
            self.out.append("- ")
        elif tag == "hr":
            self.out.append("----\n")
        elif tag == "a":
            self.links.append((values.get("href", "").strip(), len(self.out)))
        elif tag == "img" and values.get("alt", "").strip():
            self.out.append(f" {_inert(values['alt'].strip())} ")

    def handle_endtag(self, tag: str) -> None:
        if self.muted:
            if tag in self.muted:
                while self.muted.pop() != tag:
                    pass
            return
        if tag == "a" and self.links:
            href, start = self.links.pop()
            words = "".join(self.out[start:]).strip()
            if (
                href
                and not href.lower().startswith(("#", "javascript:", "data:"))
                and href not in (words, f"mailto:{words}")
            ):
                self.out.append(f" ({_inert(href)}) " if words else f" {_inert(href)} ")
        if tag in _BLOCKS and tag != "br":
            self.out.append("\n\n" if tag in _SPACED else "\n")

    def handle_data(self, data: str) -> None:
        if not self.muted:
            self.out.append(_inert(re.sub(r"\s+", " ", data)))

    def handle_comment(self, data: str) -> None:
        # Statements go on even where nothing is shown: an `if` inside must not lose its `endif` outside.
        if self.hidden.word.fullmatch(data):
            self.out.append(data)


def _inert(text: str) -> str:
    """Braces that were written as entities are text, not Liquid."""
    return text.replace("{{", "{ {").replace("{%", "{ %")


def _tidy(text: str, hidden: Hidden) -> str:
    text = re.sub(r"\) ([.,;:!?])", r")\1", text)
    lines = [re.sub(r"[ \t\xa0\u200b\u200c\u00ad\u034f\u2007]+", " ", line).strip() for line in text.split("\n")]
    # A line of statements alone would leave an empty line behind, so it is put before the next one.
    joined: list[str] = []
    held = ""
    opening = re.compile(rf"((?:{hidden.prefix}\d+z)+) ")
    for line in lines:
        found = opening.match(line)
        if found and not hidden.without_statements(found[1]):
            line = found[1] + line[found.end() :]
        if line and not hidden.without_statements(line).strip():
            held += line
        elif line or not held:
            joined.append(held + line)
            held = ""
        elif joined and joined[-1] and _ends_block(held, hidden):
            # The empty line after a list stays outside of its loop.
            joined.append(held)
            held = ""
    joined.append(held)
    kept = [line for index, line in enumerate(joined) if line or (index and joined[index - 1])]
    return "\n".join(kept).strip() + "\n"


def _ends_block(words: str, hidden: Hidden) -> bool:
    return re.search(r"\{%-?\s*end\w+\s*-?%\}$", hidden.reveal(words)) is not None
