"""Every partial on one page, with made-up figures, for whoever works on the look. Only while debugging."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.utils import timezone


class ExampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(max_length=100, help_text="Only you see it.", initial="Autumn letter")
    sender = forms.EmailField(label="From", initial="alice@")
    language = forms.ChoiceField(choices=[("en", "English"), ("de", "German")])
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    when = forms.ChoiceField(
        label="When",
        choices=[("now", "As soon as it is ready"), ("at", "At a time I choose")],
        widget=forms.RadioSelect,
        initial="now",
    )
    tracked = forms.BooleanField(
        label="Count opens", required=False, help_text="A picture of one pixel at the end of the message.", initial=True
    )


class SourceForm(forms.Form):
    """A content's source."""

    source = forms.CharField(label="HTML", widget=forms.Textarea)


SOURCE = """<html>
  <body style="font-family: Georgia, serif; padding: 32px">
    {% if contact.first_name %}
      <h1>Hello {{ contact.first_name | capitalize }},</h1>
    {% endif %}
    <!-- the offer -->
    <p>Autumn is here. <a href="https://example.com/">See what is new</a>.</p>
  </body>
</html>
"""


def style_page(request: HttpRequest, name: str = "") -> HttpResponse:
    """`/_style/` shows the parts; `/_style/<template>` one template (404, welcome, account/login ...)."""
    if not name:
        return render(request, "style.html", _example())
    try:
        return render(request, f"{name}.html", _example() | {"form": ExampleForm()})
    except TemplateDoesNotExist:
        raise Http404(name) from None


def _example() -> dict[str, Any]:
    now = timezone.now()
    bound = ExampleForm({"name": "Autumn letter", "sender": "alice@", "language": "en", "when": "now"})
    hours = [f"{now - timedelta(hours=24 - hour):%H:00\n%-d %b}" for hour in range(24)]
    opens = [
        0,
        40,
        320,
        890,
        1240,
        1100,
        940,
        700,
        520,
        410,
        300,
        260,
        240,
        210,
        160,
        150,
        148,
        130,
        120,
        90,
        80,
        60,
        44,
        30,
    ]
    return {
        "form": bound,
        "source_form": SourceForm(initial={"source": SOURCE}),
        "snippets": [
            {"label": "First name", "text": "{{ contact.first_name }}"},
            {"label": "Unsubscribe", "text": "{{ unsubscribe_url }}"},
        ],
        "states": ["draft", "scheduled", "freezing", "sending", "paused", "held", "sent", "cancelled"],
        "campaigns": _campaigns(now),
        "progress": [
            SimpleNamespace(
                label="Sending",
                done=61840,
                total=100000,
                state="running",
                detail="3 120 a second; about 12 seconds left.",
            ),
            SimpleNamespace(label="Reading the file", done=0, total=0, state="running", detail=""),
            SimpleNamespace(
                label="Import", done=5000, total=5000, state="done", detail="4 988 new, 7 changed, 5 refused."
            ),
            SimpleNamespace(label="Import", done=1200, total=5000, state="failed", detail="Line 1 201 is not UTF-8."),
        ],
        "timeline": [
            SimpleNamespace(
                icon="hand-click",
                colour="accent",
                title="Clicked “See what is new”",
                at=now - timedelta(minutes=3),
                detail="example.com/new",
            ),
            SimpleNamespace(
                icon="mail-opened",
                colour="green",
                title="Opened Autumn letter",
                at=now - timedelta(minutes=9),
                detail="",
            ),
            SimpleNamespace(
                icon="send", colour="blue", title="Was sent Autumn letter", at=now - timedelta(hours=5), detail=""
            ),
            SimpleNamespace(
                icon="mail-x",
                colour="red",
                title="Bounced",
                at=now - timedelta(days=3),
                detail="550 5.1.1 no such user",
            ),
            SimpleNamespace(
                icon="user-plus", colour="grey", title="Came in with an import", at=now - timedelta(days=90), detail=""
            ),
        ],
        "funnel": [
            SimpleNamespace(label=label, value=value)
            for label, value in [
                ("Recipients", 100000),
                ("Delivered", 97412),
                ("Opened", 31208),
                ("Clicked", 4120),
                ("Unsubscribed", 63),
            ]
        ],
        "line": {
            "labels": hours,
            "series": [{"name": "Opens", "values": opens}, {"name": "Clicks", "values": [n // 7 for n in opens]}],
        },
        "bar": {
            "labels": ["Mon", "Tue", "Wed", "Thu", "Fri"],
            "series": [{"name": "People", "values": [120, 340, 280, 190, 60]}],
        },
        "mail_source": "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.com; s=sf1;\r\n h=From:To:Subject:Date",
    }


def _campaigns(now: Any) -> list[SimpleNamespace]:
    rows = [
        ("Autumn letter", "sending", 100000, 31208, 4120, now - timedelta(minutes=4)),
        ("Spring sale, last call", "sent", 1284339, 401220, 58021, now - timedelta(days=2)),
        ("Welcome, again", "held", 48200, 0, 0, now - timedelta(hours=3)),
        ("Price change for trade customers", "draft", 0, 0, 0, now - timedelta(days=20)),
    ]
    return [SimpleNamespace(name=n, state=s, recipients=r, opened=o, clicked=c, at=at) for n, s, r, o, c, at in rows]
