import json
import re

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import engines
from django.test import RequestFactory


def rendered(source, **context):
    return engines["django"].from_string(source).render(context)


def test_an_unknown_state_is_still_shown():
    assert "Half done" in rendered('{% status_badge "half_done" %}')


def test_text_in_badges_and_labels_is_escaped():
    out = rendered("{% badge text %}{% icon 'x' label=text %}{% status_badge text %}", text="<script>")
    assert "<script>" not in out


def test_chart_data_cannot_end_its_script():
    out = rendered("{% chart 'bar' data %}", data={"labels": ["</script><script>alert(1)</script>"]})
    assert out.count("</script>") == 1
    inner = re.search(r"<script[^>]*>(.*)</script>", out, re.S).group(1)
    assert json.loads(inner)["labels"] == ["</script><script>alert(1)</script>"]


def test_a_mail_is_only_shown_where_nothing_in_it_runs():
    out = rendered('{% include "partials/mail_frame.html" with html=html %}', html='"><script>alert(1)</script>')
    assert "<script>" not in out
    assert "allow-scripts" not in out
    assert "allow-same-origin" not in out


def test_a_field_announces_its_help_and_its_error():
    class Form(forms.Form):
        sender = forms.EmailField(help_text="Where answers go.")

    out = str(Form({"sender": "alice@"}))
    assert 'aria-describedby="id_sender_hint id_sender_error"' in out
    assert 'id="id_sender_error"' in out
    assert 'class="form-control"' in out


@pytest.mark.parametrize(("state", "polls"), [("running", True), ("paused", True), ("done", False), ("failed", False)])
def test_progress_polls_until_it_ends(state, polls):
    progress = {"label": "Import", "done": 5, "total": 10, "state": state}
    out = rendered('{% include "partials/progress.html" with url="/p" %}', progress=progress)
    assert ("hx-get" in out) is polls
    assert "width: 50.00%" in out


def test_the_pager_keeps_the_query():
    request = RequestFactory().get("/contacts/?q=alice&page=2")
    page = Paginator(list(range(30)), 10).get_page(2)
    out = rendered("{% pager page %}", request=request, page=page)
    assert "?q=alice&amp;page=1" in out
    assert "?q=alice&amp;page=3" in out
    assert "11–20 of 30" in out


def test_what_stands_between_backticks_is_code_and_the_rest_is_text():
    out = rendered("{{ text|with_code }}", text="The link `<b>` is <i>odd</i>.")
    assert out == "The link <code>&lt;b&gt;</code> is &lt;i&gt;odd&lt;/i&gt;."
    assert rendered("{{ text|with_code }}", text="a ` b") == "a ` b"
