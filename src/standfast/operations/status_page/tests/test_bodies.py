"""People's text becomes safe HTML whatever it holds."""

import re

from hypothesis import given
from hypothesis import strategies as st

from standfast.operations.status_page.bodies import as_html

OURS = (
    r"</?(p|ul|li|h3|h4|strong|code|tr|th|td|table|div)( class=\"(scroll|plain)\")?>|<br>|</a>"
    r"|<a href=\"https?://[^\"<>]*\" rel=\"nofollow noopener\">"
)


def test_paragraphs_lists_headings_tables_and_links():
    text = "## What\n\nFirst line\nsecond (https://a.example/x?y=1&z).\n\n- one\n- **two** `code`\n\n"
    text += "| a | b |\n|---|---|\n| 1 | <i> |"
    html = as_html(text)
    assert "<h3>What</h3>" in html and "First line<br>second" in html
    assert '<a href="https://a.example/x?y=1&amp;z" rel="nofollow noopener">https://a.example/x?y=1&amp;z</a>).' in html
    assert "<ul><li>one</li><li><strong>two</strong> <code>code</code></li></ul>" in html
    assert "<th>a</th>" in html and "<td>&lt;i&gt;</td>" in html


@given(st.text(alphabet=st.sampled_from(list("<>&\"'`*#|-_:/ \nhtps.ajvscrip=()\x00\x07é")), max_size=200))
def test_only_our_own_tags_come_out(text):
    html = as_html(text)
    assert "<" not in re.sub(OURS, "", html)
    assert not re.search(r"[\x00-\x08]", html)
