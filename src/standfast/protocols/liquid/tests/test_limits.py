"""Whatever a template asks for, it ends with a clear error; lowered or not."""

import pytest

from standfast.protocols.liquid import ContentError, compile_template

GROW = "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..14) %}{% assign a = a | append: a %}{% endfor %}"
GREEDY = [
    "{% for i in (1..9999) %}{% for j in (1..9999) %}x{% endfor %}{% endfor %}",
    "{% for i in (1..9000) %}x{% endfor %}" * 4,
    "{% for i in (1..1000000000) %}x{% endfor %}",
    "{% for i in (1..1000000000) reversed %}x{% endfor %}",
    "{% assign r = (1..1000000000) %}{% for i in r offset: 999999999 %}x{% endfor %}",
    "{% if (1..1000000000) contains 'x' %}{% endif %}",
    "{{ (1..1000000000) | join }}",
    "{% assign a = 'x' %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}{{ a | size }}",
    "{% assign a = 'xx' %}{% for i in (1..60) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}",
    "{% assign a = 7 %}{% for i in (1..5000) %}{% assign a = a | times: a %}{% endfor %}",
    GROW + "{{ a | replace: 'x', a }}",
    GROW + "{{ a | split: '' | join: a }}",
    GROW + "{% for i in (1..9999) %}{{ a }}{% endfor %}",
    GROW + "{{ a | split: '' | uniq | size }}",
    "{% assign a = 'x' %}{{ a " + "| base64_encode " * 60 + "}}",
]


@pytest.mark.parametrize("unlowered", ["", "{% increment n %}"], ids=["lowered", "liquid"])
@pytest.mark.parametrize("source", GREEDY)
def test_greed_ends_in_an_error(source, unlowered):
    program = compile_template("\n" + unlowered + source, html=False)
    assert program.lowered is not bool(unlowered)
    with pytest.raises(ContentError) as caught:
        program.render({}, {}, {})
    assert caught.value.line == 2
    assert "the template is stopped" in caught.value.reason


def test_odd_values_do_not_break_md5_and_date():
    program = compile_template(
        "{{ contact.v | md5 }} {{ contact.v | date: '%Y' }} {{ contact.v | date: contact.v }}", html=True
    )
    for value in (None, "", "no date", 10**30, -(10**30), float("inf"), float("nan"), True, [1], {"a": 1}, "9" * 400,
                  "0000-00-00", "\ud800", "%", "٣", "1e999"):  # fmt: skip
        assert program.render({"v": value}, {}, {})
    program = compile_template("{{ contact.v | md5 }} {{ 1700000000 | date: '%d.%m.%Y %H:%M' }}", html=False)
    assert program.render({"v": "a@b.c"}, {}, {}) == "5d60d4e28066df254d5452f92c910092 14.11.2023 22:13"


def test_absent_values_are_blank():
    program = compile_template("{% if contact.x == blank %}none{% else %}some{% endif %}", html=True)
    assert [program.render({"x": value}, {}, {}) for value in (None, "", " ", "a")] == ["none", "none", "none", "some"]
    assert program.render({}, {}, {}) == "none"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{" + " " * 50_000 + "}}", "more than"),
        ("{{" + " " * 5_000 + "}}", "nothing to show"),
        ("{{-\n" + "\n" * 400 + "-}}", "nothing to show"),
        ("{% if" + " " * 5_000 + "contact.a %}{% endif %}", "spaces on end"),
        ("{% comment %}{{" + " " * 5_000 + "}}{% endcomment %}", "nothing to show"),
        ("{{ contact" + ".a" * 100_000 + " }}", "more than"),
    ],
)
def test_what_would_be_read_for_minutes_is_refused_first(source, reason):
    with pytest.raises(ContentError, match=reason):
        compile_template(source, html=True)
