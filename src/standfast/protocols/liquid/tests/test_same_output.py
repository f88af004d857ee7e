"""Lowered code and python-liquid give the same output, whatever the template and the data."""

import quopri

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standfast.protocols.liquid import ContentError, compile_template, qp_slot

NAMES = ["first_name", "city", "age", "items", "size", "first", "missing", "deep", "flag", "since"]
VARIABLES = ["contact.first_name", "contact.city", "contact.age", "contact.missing", "contact.deep.name", "tag.items",
             "tag.items[0]", "tag.items.first.name", "tag.items.size", "contact.flag", "contact.since", "contact",
             "contact[tag.key]", "campaign.name", "campaign.unsubscribe_url", "nothing", "nothing.at.all", "v", "w", "x",
             "x.name", "x[0]", "forloop.index", "forloop.last", "forloop.rindex0", "forloop.parentloop.index", "tag.list",
             "campaign.send_time"]  # fmt: skip
LITERALS = ["'a'", '"<b>&"', "''", "0", "1", "-3", "2.5", "true", "false", "nil", "blank", "empty", "(1..3)", "'é'"]
FILTERS = ["upcase", "downcase", "capitalize", "strip", "escape", "size", "first", "last", "md5", "url_encode", "round",
           "default: 'there'", "default: contact.city", "append: '<i>'", "append: contact.missing", "prepend: contact.age",
           "truncate: 4", "truncate: 5, '~'", "plus: 1", "minus: contact.age", "times: 2", "join: ', '", "join", "split: 'a'",
           "replace: 'a', '<'", "remove: 'e'", "date: '%d.%m.%Y'", "sort", "reverse", "map: 'name'", "strip_html",
           "newline_to_br", "escape_once", "divided_by: 2", "modulo: 3", "abs", "uniq", "compact", "where: 'name'",
           "slice: 0, 2", "truncatewords: 2", "floor", "url_decode", "default: 1, allow_false: true", "sort_natural",
           "concat: tag.list", "sum", "lstrip", "strip_newlines", "at_least: 3", "base64_encode", "squish"]  # fmt: skip
OPERATORS = ["==", "!=", "<", ">", "<=", ">=", "contains"]
DASH = st.sampled_from(["", "", "", "-"])

operand = st.sampled_from(VARIABLES + LITERALS)
filtered = st.builds(lambda a, f: " | ".join([a, *f]), operand, st.lists(st.sampled_from(FILTERS), max_size=3))
comparison = st.one_of(operand, st.builds(lambda a, o, b: f"{a} {o} {b}", operand, st.sampled_from(OPERATORS), operand))
condition = st.builds(
    lambda first, rest: first + "".join(f" {word} {term}" for word, term in rest),
    comparison,
    st.lists(st.tuples(st.sampled_from(["and", "or"]), comparison), max_size=2),
)
content = st.one_of(
    st.sampled_from([" ", "\n", "  \n ", "<td>", "plain = text", "é ü 漢字", "." * 90, "\n.\n", "=\n", "\t\n"]),
    st.text(alphabet=st.characters(exclude_characters="{}\r%", exclude_categories=("Cs", "Co")), max_size=12),
)


output = st.builds(lambda left, e, right: "{{" + left + " " + e + " " + right + "}}", DASH, filtered, DASH)
leaf = st.one_of(
    content,
    output,
    output,
    st.builds(lambda n, e: f"{{% assign {n} = {e} %}}", st.sampled_from("vw"), filtered),
    st.sampled_from(["{% comment %}{{ a }}{% endcomment %}", "{% raw %}{{ a }}{% endraw %}", "{% # note %}",
                     "{% break %}", "{% continue %}", "{% increment n %}", "{% cycle 'a', 'b' %}"]),
)  # fmt: skip


def blocks(inner):
    body = st.lists(inner, max_size=3).map("".join)
    return st.one_of(
        st.builds(lambda c, a, d, b, e: f"{{% if {c} %}}{a}{{% elsif {d} %}}{b}{{% else %}}{e}{{% endif %}}",
                  condition, body, condition, body, body),
        st.builds(lambda c, a, b: f"{{%- unless {c} -%}}{a}{{% else %}}{b}{{% endunless %}}", condition, body, body),
        st.builds(lambda e, w, a, u, b, c: (f"{{% case {e} %}} {{% when {w} %}}{a}"
                                            f"{{% when {u}, 7 %}}{b}{{% else %}}{c}{{% endcase %}}"),
                  operand, operand, body, operand, body, body),
        st.builds(lambda e, o, a, b: f"{{% for x in {e} {o} %}}{a}{{% else %}}{b}{{% endfor %}}",
                  st.sampled_from(["tag.items", "tag.list", "contact.deep", "contact.city", "(1..4)", "x", "v", "nothing"]),
                  st.sampled_from(["", "", "limit: 2", "offset: 1", "reversed", "limit: 1 offset: 1 reversed",
                                   "limit: contact.age"]),
                  body, body),
        st.builds(lambda n, a: f"{{% capture {n} %}}{a}{{% endcapture %}}", st.sampled_from("vw"), body),
        st.builds(lambda a: "{% tracked_link 4 %}https://s.example/" + a + "{% endtracked_link %}", body),
    )  # fmt: skip


node = st.deferred(lambda: st.one_of(leaf, leaf, leaf, blocks(node)))
template = st.lists(node, max_size=6).map("".join)
text = st.text(alphabet=st.characters(exclude_characters="\r", exclude_categories=("Cs", "Co")), max_size=30)
value = st.one_of(st.none(), text, st.integers(-10, 10**6), st.booleans(), st.floats(-1e6, 1e6), st.sampled_from(
    ["<b>", "a&b", "Ana", "2024-02-29", "1700000000", " ", "a" * 100, "a\nb", "it's \"q\""]))  # fmt: skip
record = st.dictionaries(st.sampled_from(NAMES), value, max_size=6)
items = st.lists(st.one_of(value, st.fixed_dictionaries({"name": value})), max_size=4)
contact = st.builds(lambda r, d: {**r, "deep": d}, record, st.one_of(value, st.fixed_dictionaries({"name": value})))
tags = st.fixed_dictionaries({"items": items, "list": st.lists(value, max_size=4), "key": st.sampled_from(NAMES)})

URLS = {"unsubscribe_url": ("https://t.example/u/", "?a=1&b=2")}
CAMPAIGN = {"name": "Spring & <co>", "send_time": 1700000000}
LINES_MAX = 76


def track(number, url):
    return (url, None) if "<" in url else ("https://t.example/c/", f"/{number}?u={url}&s=x")


def outcome(render):
    try:
        return render()
    except ContentError as error:
        return (error.line, error.reason)


@pytest.mark.parametrize("html", [True, False], ids=["html", "text"])
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(source=template, person=contact, values=tags)
def test_lowered_and_liquid_agree(html, source, person, values):
    try:
        program = compile_template(source, html=html, message_urls=URLS)
    except ContentError:
        return
    expected = outcome(lambda: program.render_by_liquid(person, CAMPAIGN, values, token="TOK", track=track))
    assert outcome(lambda: program.render(person, CAMPAIGN, values, token="TOK", track=track)) == expected

    body = outcome(
        lambda: b"".join(program.pieces(person, CAMPAIGN, values, token="TOK", token_piece=qp_slot("TOK"), track=track))
    )
    if isinstance(expected, tuple):
        assert body == expected
        return
    assert quopri.decodestring(body).replace(b"\r\n", b"\n").decode() == expected
    assert all(len(line) <= LINES_MAX for line in body.split(b"\r\n"))
    assert b"\n" not in body.replace(b"\r\n", b"")


@settings(max_examples=300, deadline=None)
@given(parts=st.lists(st.text(alphabet=st.characters(exclude_characters="\r", exclude_categories=("Cs",)))))
def test_pieces_can_be_joined(parts):
    body = b"".join(qp_slot(part) for part in parts)
    assert quopri.decodestring(body).replace(b"\r\n", b"\n").decode() == "".join(parts)
    assert all(len(line) <= LINES_MAX for line in body.split(b"\r\n"))


@pytest.mark.parametrize("part", ["limit", "offset"])
def test_a_loop_with_nothing_for_a_limit_is_refused_by_both(part):
    program = compile_template("{% for x in contact.missing " + part + ": contact.none %}a{% endfor %}", html=False)
    for render in (program.render, program.render_by_liquid):
        with pytest.raises(ContentError, match="expected an integer"):
            render({"none": None}, {}, {})
