"""Sources that would keep a compiler busy for hours: a reader may ask for a preview, so each must end at once."""

import pytest

from standfast.components.content.compile import compile_message
from standfast.components.content.css import inline_css
from standfast.components.content.links import LinkSigner
from standfast.protocols.liquid import ContentError

CHARS = 300_000


def outcome(source: str, *, kind="html", inline_css=False) -> str:
    try:
        compile_message(
            subject="x", preheader="", html_source=source, source_kind=kind, text_source="", inline_css=inline_css,
            links=LinkSigner("https://t.example", b"k" * 32, 7, 9),
        )  # fmt: skip
    except ContentError as error:
        return error.reason
    return "compiled"


@pytest.mark.parametrize(
    ("piece", "end"),
    [
        ("<style>", "</style"),
        ("<style", ""),
        ("<title>", "</title"),
        ("<!--", ""),
        ("<a href=", ""),
        ("<a '", ""),
        ("<a '", ">"),
    ],
)
def test_beginnings_without_end_are_looked_for_once(piece, end):
    assert outcome(piece * (CHARS // len(piece)) + end)


def test_comments_that_a_style_sheet_or_an_attribute_hides_are_no_trap_either():
    many = "<!--" * (CHARS // 4)
    assert outcome(f"<style>{many}</style><p>Hi</p>") == "compiled"
    assert outcome(f"<a b='<!--'>{'<style>' * 30_000}-->")


def test_the_line_of_an_element_is_looked_for_only_where_something_is_wrong():
    many = "<mj-text></mj-text>\n" * (CHARS // 20)
    assert outcome(f"<mjml>\n{many}</mj-body></mjml>", kind="mjml").startswith("`</mj-body>` closes nothing")


def test_rules_that_fit_everything_are_refused_before_they_multiply():
    rules, elements = "".join(f"*{{a{n}:b}}" for n in range(1000)), "<b></b>" * 2000
    for begin in ("<style>", "<STYLE type='text/css'>", "<style><!-- "):
        with pytest.raises(ContentError, match="too many style rules"):
            inline_css(f"<html><head>{begin}{rules}</style></head><body>{elements}</body></html>")
    letter = "".join(f".c{n}{{color:red;margin:0;padding:{n}px}}" for n in range(200)) + "a:hover{color:blue}"
    assert 'style="color: red' in inline_css(
        f"<html><head><style>{letter}</style></head><body><p class=c1>x</p>{elements}</body></html>"
    )
