"""A mistake in a template is named with its line, in plain words."""

import pytest

from standfast.protocols.liquid import ContentError, compile_template

MISTAKES = [
    ("a\n{% if contact.x %}\nb", 2, "the tag `if` is never closed"),
    ("\n\n{{ contact.first_name ", 3, "`{{` is never closed"),
    ("a\n{% for x in tag.items %}{% endif %}", 2, "the tag `for` is never closed"),
    ("x{% endif %}", 1, "`endif` closes nothing"),
    ("a\nb{% else %}", 2, "`else` stands outside of"),
    ("\n{% comment %} {% if %}", 2, "the tag `comment` is never closed"),
    ("\n{{ contact.x | shout }}", 2, "there is no filter `shout`"),
    ("\n{% include 'other' %}", 2, "there is no tag `include`"),
    ("{% if contact.x = 'a' %}{% endif %}", 1, "expected the end of the tag, found '='"),
    ("{% if a %}" * 40 + "{% endif %}" * 40, 0, "nesting"),
    ("x" * 500_001, 0, "500,000 are allowed"),
]


@pytest.mark.parametrize(("source", "line", "reason"), MISTAKES)
def test_mistakes_are_found_when_compiling(source, line, reason):
    with pytest.raises(ContentError) as caught:
        compile_template(source, html=True)
    assert reason in caught.value.reason
    assert line in (0, caught.value.line)


def test_errors_of_values_name_the_line():
    program = compile_template("a\n\n{{ contact.x | divided_by: 0 }}", html=True)
    with pytest.raises(ContentError) as caught:
        program.render({"x": 3}, {}, {})
    assert caught.value.line == 3
    assert "divide" in caught.value.reason


def test_objects_that_are_never_set_are_listed():
    program = compile_template("{% assign a = 1 %}\n{{ a }}{{ customer.name }}{{ contact.b }}", html=True)
    assert program.unknown == (("customer", 2),)
    assert program.fields == {"b"}


def test_reading_the_whole_contact_needs_all_fields():
    assert "*" in compile_template("{% for pair in contact %}{{ pair[0] }}{% endfor %}", html=True).fields
    assert "*" in compile_template("{{ contact[tag.which] }}", html=True).fields
