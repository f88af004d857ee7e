"""The compiler: a content's sources and a send's addresses become a program that makes one message per recipient.

Compiling the same sources with the same signer gives the same program in any process, so what is frozen with a send is
the sources. Steps, in order: check the Liquid, hide it, MJML to HTML, inline CSS, make the text part, add the preheader,
track the links, add honeypot and pixel, bring the Liquid back, lower it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

from standfast.components.content.checks import check_content
from standfast.components.content.css import inline_css as inline_style_sheets
from standfast.components.content.links import Link, LinkSigner, track_links
from standfast.components.content.mjml import mjml_to_html
from standfast.components.content.parts import add_preheader, add_tracking, text_from_html
from standfast.components.content.placeholders import Hidden, check_depth, hide_liquid
from standfast.components.content.problems import Problem
from standfast.protocols.headers import Header
from standfast.protocols.liquid import ContentError, Program, compile_template, qp_slot
from standfast.protocols.mime import Skeleton
from standfast.protocols.quoted_printable import qp_close

Values = Mapping[str, Any]


class Rendered(NamedTuple):
    """One message: the subject as text on one line, and the body under `CompiledMessage.headers`, with CR LF."""

    subject: str
    body: bytes


class Preview(NamedTuple):
    """What a person sees: nothing encoded, no link tracked."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class CompiledMessage:
    """A content that can be rendered for many recipients.

    `fields`: the contact's fields that rendering reads; `{"*"}` in it means all of them. `links` are the tracked ones.
    `problems` are for the person who writes and for the checks before a send.
    """

    subject: Program
    text: Program
    html: Program
    preview_html: str
    preview_anchors: list[tuple[int, int]]
    boundary: str
    fields: frozenset[str]
    links: tuple[Link, ...]
    problems: tuple[Problem, ...]
    signer: LinkSigner

    @property
    def lowered(self) -> bool:
        return self.html.lowered and self.text.lowered

    @property
    def headers(self) -> list[Header]:
        """MIME-Version and Content-Type of the message, as (name, value) bytes."""
        return self._skeleton.headers

    @cached_property
    def _skeleton(self) -> Skeleton:
        return Skeleton(boundary=self.boundary)

    def render(self, contact: Values, *, token: str, campaign: Values, tag: Values) -> Rendered:
        """Make one recipient's message. `token` is the tracking token (tokens.seal_recipient).

        Raises ContentError where the content cannot be rendered for this recipient; nothing must be sent then.
        """
        piece = qp_slot(token)
        track = self.signer.click_parts
        text = self.text.pieces(contact, campaign, tag, token=token, token_piece=piece, track=track)
        html = self.html.pieces(contact, campaign, tag, token=token, token_piece=piece, track=track)
        text[-1], html[-1] = qp_close(text[-1]), qp_close(html[-1])
        frame = self._skeleton
        body = b"".join([frame.opening, *text, frame.between, *html, frame.closing])
        return Rendered(self.render_subject(contact, token=token, campaign=campaign, tag=tag), body)

    def render_subject(self, contact: Values, *, token: str, campaign: Values, tag: Values) -> str:
        """The subject alone, on one line."""
        return " ".join(self.subject.render(contact, campaign, tag, token=token).split())

    def render_page(self, contact: Values, *, token: str, campaign: Values, tag: Values) -> str:
        """The HTML of one recipient's message as it is sent, for a browser. Raises ContentError."""
        return self.html.render(contact, campaign, tag, token=token, track=self.signer.click_parts)

    def preview(self, contact: Values, *, campaign: Values, tag: Values, token: str = "preview") -> Preview:  # noqa: S107
        """Render for looking at, as the contact would see it. Raises ContentError."""
        html = compile_template(
            self.preview_html, html=True, message_urls=self.signer.message_urls(), anchors=self.preview_anchors
        )
        return Preview(
            self.render_subject(contact, token=token, campaign=campaign, tag=tag),
            html.render(contact, campaign, tag, token=token),
            self.text.render(contact, campaign, tag, token=token),
        )


def compile_message(
    *,
    subject: str,
    preheader: str,
    html_source: str,
    source_kind: Literal["html", "mjml"],
    text_source: str,
    inline_css: bool,
    links: LinkSigner,
    pixel: bool = True,
    honeypot: bool = True,
    commercial: bool = True,
) -> CompiledMessage:
    """Compile a content for one send.

    `text_source` empty: the text part is made from the HTML. `commercial`: an unsubscribe link and the postal address
    are required, as the law does for marketing. Raises ContentError with the line of `html_source` (other parts are
    named in the reason).
    """
    html_source, text_source = _lines(html_source), _lines(text_source)
    compile_template(html_source, html=True)  # first of all, on what the user wrote, for the sake of the lines
    urls = links.message_urls()
    subject_program = _part("subject", subject, urls)
    _part("preheader", preheader, urls)
    hidden = hide_liquid(html_source)
    check_depth(hidden, xml=source_kind == "mjml")
    html, problems = mjml_to_html(hidden) if source_kind == "mjml" else (hidden.source, [])
    if inline_css:
        html = inline_style_sheets(html)
    text = _part("text part", text_source, urls) if text_source.strip() else _made_text(html, hidden, urls)

    preview, preview_anchors = hidden.reveal_with_lines(add_preheader(html, preheader))
    tracked = track_links(html, hidden, partial(_line_of, html_source), links)
    honeypot_url = links.around_token(0, f"{links.tracker_url}/") if honeypot else None
    finished = add_tracking(
        add_preheader(tracked.html, preheader), tracker_url=links.tracker_url, honeypot=honeypot_url, pixel=pixel
    )
    source, anchors = hidden.reveal_with_lines(finished)
    program = compile_template(_ended(source), html=True, message_urls=urls, anchors=anchors)
    problems += tracked.problems
    problems += check_content(
        subject=subject, html=preview, user_source=html_source, text_given=bool(text_source.strip()), program=program,
        text=text, commercial=commercial,
    )  # fmt: skip
    programs = (subject_program, text, program)
    return CompiledMessage(
        subject=subject_program,
        text=text,
        html=program,
        preview_html=preview,
        preview_anchors=preview_anchors,
        boundary=_boundary(source, subject, text_source),
        fields=frozenset().union(*(part.fields for part in programs)),
        links=tuple(tracked.links),
        problems=tuple(problems),
        signer=links,
    )


def _part(name: str, source: str, urls: dict[str, tuple[str, str]]) -> Program:
    """Compile a part that is plain text; its errors name it."""
    return compile_template(_ended(source) if name == "text part" else source, html=False, message_urls=urls, part=name)


def _made_text(html: str, hidden: Hidden, urls: dict[str, tuple[str, str]]) -> Program:
    text = text_from_html(html, hidden)
    try:
        source, anchors = hidden.reveal_with_lines(text)
        return compile_template(source, html=False, message_urls=urls, anchors=anchors)
    except ContentError:
        # Statements around elements that text leaves out; a text part without conditions is better than none.
        source, anchors = hidden.reveal_with_lines(hidden.without_statements(text))
        return compile_template(source, html=False, message_urls=urls, anchors=anchors)


def _lines(source: str) -> str:
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _ended(source: str) -> str:
    return source if source.endswith("\n") else source + "\n"


def _line_of(source: str, needle: str) -> int:
    found = source.find(needle) if needle else -1
    if found < 0:
        found = source.find(needle.replace("&", "&amp;")) if needle else -1
    return source.count("\n", 0, found) + 1 if found >= 0 else 0


def _boundary(*sources: str) -> str:
    """Fixed per content, so that the same sources give the same bytes."""
    return blake2b("\0".join(sources).encode("utf-8", "replace"), digest_size=12).hexdigest()
