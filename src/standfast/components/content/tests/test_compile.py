"""From a content's sources to one recipient's message."""

import email
from email import policy
from urllib.parse import parse_qs, urlsplit

import pytest

from standfast.components.content.compile import compile_message
from standfast.components.content.links import LinkSigner
from standfast.components.content.problems import Severity
from standfast.components.content.starters import example_newsletter, starters
from standfast.protocols.liquid import ContentError
from standfast.protocols.tokens import verify_link

KEY = b"k" * 32
SIGNER = LinkSigner("https://t.example", KEY, 7, 9)
TOKEN = "tAAAAAAAAAAAAAAAA7g9g1g5g69a0b1c2"
CAMPAIGN = {"name": "Spring", "from_name": "Alice & Co", "address": "1 High St\nTown", "send_time": 1_775_000_000}
FOOTER = '<p>{{ campaign.address }} <a href="{{ campaign.unsubscribe_url }}">Unsubscribe</a></p>'


def compiled(html="", **changes):
    given = {
        "subject": "Hello {{ contact.first_name }}", "preheader": "", "html_source": html, "source_kind": "html",
        "text_source": "", "inline_css": False, "links": SIGNER,
    } | changes  # fmt: skip
    return compile_message(**given)


def parts(message, contact=None, tag=None):
    rendered = message.render(contact or {}, token=TOKEN, campaign=CAMPAIGN, tag=tag or {})
    head = b"".join(b"%b: %b\r\n" % header for header in message.headers)
    parsed = email.message_from_bytes(head + b"\r\n" + rendered.body, policy=policy.default)
    assert not parsed.defects and not any(part.defects for part in parsed.walk())
    assert all(len(line) <= 76 for line in rendered.body.split(b"\r\n"))
    bodies = [part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts()]
    assert len(bodies) == 2
    return rendered.subject, *bodies


def warned(message, severity):
    return [(problem.line, problem.what) for problem in message.problems if problem.severity is severity]


@pytest.mark.parametrize("inline_css", [False, True])
def test_message_has_both_parts_escaped_and_encoded(inline_css):
    message = compiled(
        f"<html><body><h1>Hi {{{{ contact.first_name }}}}</h1>{FOOTER}</body></html>",
        preheader="For you & {{ contact.first_name }}", inline_css=inline_css,
    )  # fmt: skip
    subject, text, html = parts(message, {"first_name": "Zoë <b>\r\nBcc: x"})
    assert subject == "Hello Zoë <b> Bcc: x"
    assert "Hi Zoë &lt;b&gt;" in html and "For you &amp; Zoë &lt;b&gt;" in html
    assert "Hi Zoë <b>" in text and f"Unsubscribe (https://t.example/u/{TOKEN})" in text
    assert f'href="https://t.example/u/{TOKEN}"' in html and f'src="https://t.example/o/{TOKEN}.gif"' in html
    assert html.index("/o/") < html.index("</body>")
    assert message.fields == {"first_name"}
    assert message.lowered


def hrefs(html):
    from html.parser import HTMLParser

    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag in ("a", "area"):
                found.append(dict(attrs).get("href"))

    Reader().feed(html)
    return found


def test_links_are_signed_and_numbered():
    message = compiled(
        '<a href="https://a.example/?x=1&amp;y=2">A <b>link</b></a>'
        "{% for p in tag.items %}<a href='{{ p.url }}'>{{ p.name }}</a>{% endfor %}"
        "<a href=https://c.example/{{ contact.city | url_encode }}>c</a>"
        '<a href="mailto:a@b.example">m</a><a href="#top">t</a><a href="tel:+1">p</a>' + FOOTER
    )
    assert [(link.n, link.url, link.text) for link in message.links] == [
        (1, "https://a.example/?x=1&y=2", "A link"),
        (2, "{{ p.url }}", "{{ p.name }}"),
        (3, "https://c.example/{{ contact.city | url_encode }}", "c"),
    ]
    items = [{"url": "https://p.example/?a=1&b=ü"}, {"url": "javascript:alert(1)"}, {"url": "mailto:x@y.z"}, {}]
    html = parts(message, {"city": "São Paulo"}, {"items": items})[2]
    wanted = [(1, "https://a.example/?x=1&y=2"), (2, "https://p.example/?a=1&b=ü"), None, None, None,
              (3, "https://c.example/S%C3%A3o+Paulo"), None, None, None, None, (0, "https://t.example/")]  # fmt: skip
    found = hrefs(html)
    assert found[2:5] == ["#", "mailto:x@y.z", "#"]
    assert found[6:10] == ["mailto:a@b.example", "#top", "tel:+1", f"https://t.example/u/{TOKEN}"]
    assert len(found) == len(wanted)
    for href, want in zip(found, wanted, strict=True):
        if want is None:
            continue
        url = urlsplit(href)
        query = parse_qs(url.query)
        assert (url.path, query["u"]) == (f"/c/{TOKEN}/{want[0]}", [want[1]])
        assert verify_link(KEY, account_id=7, send_id=9, link_id=want[0], url=want[1], signature=query["s"][0])


@pytest.mark.parametrize("inline_css", [False, True])
def test_statements_between_rows_survive(inline_css):
    message = compiled(
        "<style>td { color: red }</style><table>{% for i in tag.items %}<tr><td {% if forloop.first %}class='a'{% endif %}>"
        "{{ i }}</td></tr>{% else %}<tr><td>none</td></tr>{% endfor %}</table>" + FOOTER,
        inline_css=inline_css,
    )  # fmt: skip
    html = parts(message, tag={"items": ["x", "y"]})[2]
    assert html.count("<tr>") == 2
    assert html.index("<table>") < html.index("x</td>") < html.index("y</td>") < html.index("</table>")
    assert ('style="color: red' in html) is inline_css
    assert "none" in parts(message, tag={"items": []})[2]


def test_mjml_keeps_liquid_in_its_place():
    source = """<mjml><mj-body>
    {% for s in tag.items %}
    <mj-section><mj-column>{% if s.t %}<mj-text>{{ s.t }}</mj-text>{% endif %}
      <mj-button href="https://x.example/{{ s.id }}">Go</mj-button></mj-column></mj-section>
    {% endfor %}
    </mj-body></mjml>"""
    html = parts(compiled(source, source_kind="mjml"), tag={"items": [{"t": "One", "id": 1}, {"id": 2}]})[2]
    assert html.count(">One<") == 1
    assert "%2F1&amp;s=" in html and "%2F2&amp;s=" in html


@pytest.mark.parametrize(("source", "line", "reason"), [
    ("<mjml>\n<mj-body>\n<mj-section>\n</mj-body></mjml>", 4, "`<mj-section>` of line 3 is still open"),
    ("<mjml><mj-body>\n<mj-include path='/etc/passwd' /></mj-body></mjml>", 2, "not available"),
    ("<p>hello</p>", 1, "this is no MJML"),
    ("<mjml><mj-body>\n\n{% if x %}</mj-body></mjml>", 3, "never closed"),
])  # fmt: skip
def test_mjml_errors_name_the_line(source, line, reason):
    with pytest.raises(ContentError) as caught:
        compiled(source, source_kind="mjml")
    assert (caught.value.line, reason in caught.value.reason) == (line, True)


def test_errors_for_one_recipient_keep_the_users_line_after_rewriting():
    source = "<style>p{color:red}</style>\n<p>a</p>\n\n<p>{{ contact.age | divided_by: contact.zero }}</p>" + FOOTER
    message = compiled(source, inline_css=True, preheader="pre")
    with pytest.raises(ContentError) as caught:
        message.render({"age": 3, "zero": 0}, token=TOKEN, campaign=CAMPAIGN, tag={})
    assert caught.value.line == 4


def test_errors_outside_of_the_html_name_the_part():
    with pytest.raises(ContentError, match="in the subject: "):
        compiled("<p>", subject="{{ a | nope }}")
    with pytest.raises(ContentError, match="in the text part, line 2: "):
        compiled("<p>", text_source="a\n{% if %}")


def test_problems_are_found():
    message = compiled(
        '\n<a href="javascript:alert(1)">x</a>\n<a href="http://127.0.0.1/">y</a><a href="https://intranet/">z</a>\n'
        '<a href="http://plain.example/">p</a><a href="www.example.com">w</a><a href="https://www.example.com/news">n</a>\n<img src="https://i.example/a.png">'
        '<a href="https://169.254.169.254/latest">meta</a>{{ customer.name }}',
        subject=" ",
    )
    errors, warnings = warned(message, Severity.ERROR), warned(message, Severity.WARNING)
    assert [line for line, what in errors if "javascript" in what] == [2]
    assert [line for line, what in errors if "private network" in what] == [3, 3, 5]
    assert any("unsubscribe" in what for _, what in errors) and any("postal" in what for _, what in errors)
    assert any("subject is empty" in what for _, what in errors)
    assert (4, "The link `http://plain.example/` is not encrypted.") in warnings
    assert (4, "The link `https://www.example.com/news` is only an example.") in warnings
    assert (5, "The image `https://i.example/a.png` has no alternative text.") in warnings
    assert any("www.example.com" in what for _, what in warnings)
    assert any("`customer` is never set" in what for _, what in warnings)


def test_large_html_is_warned_about():
    message = compiled("<p>" + "x" * 105_000 + "</p>" + FOOTER)
    assert any("Gmail" in what for _, what in warned(message, Severity.WARNING))


def test_own_text_part_is_used():
    message = compiled(
        "<p>html</p>" + FOOTER, text_source="Dear {{ contact.first_name }},\r\n{{ campaign.unsubscribe_link }}"
    )
    assert parts(message, {"first_name": "A&B"})[1] == f"Dear A&B,\nhttps://t.example/u/{TOKEN}\n"


def test_made_text_reads_well_and_keeps_conditions():
    message = compiled(
        '<head><title>no</title></head><h1>Title</h1><p>One &amp; <a href="https://a.example">two</a>.</p>'
        "<ul>{% for i in tag.items %}<li>{{ i }}</li>{% endfor %}</ul><div style='display: none'>hidden</div>"
        '{% if contact.vip %}<p>VIP</p>{% endif %}<a href="https://b.example"><img src="https://i.example/x" alt="Shop"></a>'
    )
    text = parts(message, {"vip": False}, {"items": ["x", "y"]})[1]
    assert text == "Title\n\nOne & two (https://a.example).\n\n- x\n- y\n\nShop (https://b.example)\n"


def test_compiling_again_gives_the_same_bytes():
    example = example_newsletter()
    arguments = {"subject": example.subject, "preheader": example.preheader, "inline_css": True}
    first, second = (compiled(example.source, **arguments) for _ in range(2))
    assert first.render({}, token=TOKEN, campaign=CAMPAIGN, tag={}) == second.render(
        {}, token=TOKEN, campaign=CAMPAIGN, tag={}
    )


def test_preview_is_untracked():
    message = compiled('<body><a href="https://a.example/{{ contact.x }}">a</a></body>' + FOOTER)
    preview = message.preview({"x": "1<"}, campaign=CAMPAIGN, tag={})
    assert 'href="https://a.example/1&lt;"' in preview.html
    assert ".gif" not in preview.html and "/c/" not in preview.html


@pytest.mark.parametrize("starter", [*starters(), example_newsletter()], ids=lambda s: f"{s.key}.{s.source_kind}")
def test_starters_have_no_problems_but_their_example_links(starter):
    message = compiled(
        starter.source,
        subject=starter.subject,
        preheader=starter.preheader,
        source_kind=starter.source_kind,
        inline_css=True,
    )
    assert message.lowered
    problems = [problem for problem in message.problems if problem.severity is not Severity.NOTE]
    assert all(problem.what.endswith("is only an example.") for problem in problems), problems
    parts(message)


def test_example_newsletter_is_what_the_benchmarks_say():
    example = example_newsletter()
    assert len(compiled(example.source, inline_css=True).links) == 24
    assert 33_000 < len(example.source.encode()) < 36_000


@pytest.mark.parametrize(("kind", "source", "reason"), [
    ("html", "<div>" * 60_000, "nested more than"),
    ("mjml", "<mjml><mj-body>" + "<mj-section>" * 3_000, "nested more than"),
    ("mjml", "<mjml><mj-body><mj-raw>" + "<p>" * 30_000 + "</mj-raw></mj-body></mjml>", "nested more than"),
    ("html", "a\n<!-- " * 9_000, "`<!--` is never closed"),
    ("html", "<style>" * 9_000, "`<style>` is never closed"),
    ("html", "{{ a }}" * 20_000, "Liquid tags"),
    ("html", '<a href="https://a.example">x</a>' * 3_000, "2,000 links"),
])  # fmt: skip
def test_hostile_sources_are_refused(kind, source, reason):
    with pytest.raises(ContentError, match=reason):
        compiled(source, source_kind=kind, inline_css=True)


@pytest.mark.parametrize(
    "source", ["<a " * 90_000, "<" * 100_000, "<a '\"" * 60_000, "</body>" * 60_000, "<td>" * 30_000]
)
def test_broken_html_is_no_reason_to_fail(source):
    compiled(source, inline_css=True).render({}, token=TOKEN, campaign=CAMPAIGN, tag={})


@pytest.mark.parametrize("vip", [True, False])
def test_conditional_attributes_survive_inlining(vip):
    source = """<style>p { color: red }</style>
<p {% if contact.vip %}class="a" title='{{ contact.n }}'{% else %}class="b"{% endif %}
 id="x">y</p>"""
    html = parts(compiled(source, inline_css=True), {"vip": vip, "n": "<"})[2]
    assert ("class=\"a\" title='&lt;'" in html, 'class="b"' in html) == (vip, not vip)
    assert 'id="x"' in html and "color: red" in html
