"""Tags of the house: icons, assets, badges, form fields, charts, pagers. `{% load look %}` is built in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django import template
from django.core.paginator import Page
from django.core.serializers.json import DjangoJSONEncoder
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, FileInput, RadioSelect, Select, Textarea
from django.http import QueryDict
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from standfast.services.application import assets

register = template.Library()

# state -> (what it says, colour, whether something is going on, whether nothing has begun)
STATUSES: Mapping[str, tuple[str, str, bool, bool]] = {
    "draft": ("Draft", "grey", False, True),
    "scheduled": ("Scheduled", "violet", False, False),
    "freezing": ("Freezing audience", "blue", True, False),
    "sending": ("Sending", "blue", True, False),
    "paused": ("Paused", "amber", False, False),
    "held": ("Held", "red", False, False),
    "sent": ("Sent", "green", False, False),
    "cancelled": ("Cancelled", "grey", False, False),
    "queued": ("Waiting", "grey", True, True),
    "waiting": ("Waiting", "grey", True, True),
    "uploaded": ("Columns to confirm", "amber", False, True),
    "checking": ("Checking", "blue", True, False),
    "checked": ("Checked", "violet", False, False),
    "running": ("Running", "blue", True, False),
    "done": ("Done", "green", False, False),
    "finished": ("Done", "green", False, False),
    "failed": ("Failed", "red", False, False),
    "subscribed": ("Subscribed", "green", False, False),
    "unsubscribed": ("Unsubscribed", "grey", False, False),
    "do_not_mail": ("Do not mail", "red", False, False),
    "delivered": ("Delivered", "green", False, False),
    "deferred": ("Deferred", "amber", False, False),
    "bounced": ("Bounced", "red", False, False),
    "uncertain": ("Uncertain", "amber", False, False),
    "complained": ("Complained", "red", False, False),
    "skipped": ("Skipped", "grey", False, True),
    "pending": ("Pending", "grey", False, True),
    "verified": ("Verified", "green", False, False),
    "active": ("Active", "green", False, False),
    "failing": ("Failing", "amber", False, False),
    "disabled": ("Disabled", "red", False, False),
    "human": ("Person", "green", False, False),
    "machine": ("Machine", "grey", False, True),
}


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """An inline Tabler icon; size "s", "" or "l"; with a label it speaks to screen readers, without it is decoration."""
    drawing = assets.icon(name) or '<circle cx="12" cy="12" r="3"/>'
    speech = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    paint = 'fill="currentColor"' if name.endswith("-filled") else 'fill="none" stroke="currentColor"'
    return format_html(
        '<svg class="sf-icon{}" viewBox="0 0 24 24" {} stroke-linecap="round" stroke-linejoin="round" {}>{}</svg>',
        f" {size}" if size else "",
        mark_safe(paint),  # noqa: S308 - our constants
        speech,
        mark_safe(drawing),  # noqa: S308 - from our own build
    )


@register.simple_tag
def vite(name: str) -> SafeString:
    """Styles and script of an entry of the islands (`app`, `charts`, `code`); a comment where they are not built."""
    try:
        found = assets.entry(name)
    except assets.AssetsMissing as error:
        return format_html("<!-- {} -->", str(error))
    styles = format_html_join("", '<link rel="stylesheet" href="{}">', ((static(path),) for path in found.styles))
    preload = format_html_join("", '<link rel="modulepreload" href="{}">', ((static(path),) for path in found.preload))
    return format_html('{}{}<script type="module" src="{}"></script>', styles, preload, static(found.script))


@register.simple_tag
def status_badge(state: Any, label: str = "") -> SafeString:
    """A badge for a state's name (a TextChoices member or text); `label` says something else than usual."""
    name = str(getattr(state, "value", state) or "").lower()
    says, colour, live, hollow = STATUSES.get(name, (name.replace("_", " ").capitalize(), "grey", False, False))
    kind = f"is-{colour}{' is-live' if live else ''}{' is-hollow' if hollow else ''}"
    return format_html('<span class="sf-badge {}"><span class="dot"></span>{}</span>', kind, label or says)


@register.simple_tag
def badge(text: Any, colour: str = "grey") -> SafeString:
    """A badge without a dot: grey, green, blue, violet, amber, red, accent."""
    return format_html('<span class="sf-badge is-{}">{}</span>', colour, text)


@register.filter
def with_code(text: Any) -> SafeString:
    """What stands between backticks as code: "`customer` is never set"."""
    parts = str(text).split("`")
    paired = len(parts) % 2 == 1
    shown = ((format_html("<code>{}</code>" if at % 2 and paired else "{}", part),) for at, part in enumerate(parts))
    return format_html_join("" if paired else "`", "{}", shown)


@register.filter
def initials(name: Any) -> str:
    """AB for Alice Baker, A for alice@example.com."""
    words = str(name or "?").split("@")[0].replace(".", " ").replace("_", " ").split() or ["?"]
    return "".join(word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words[:1])).upper()


@register.simple_tag
def widget(field: BoundField, **attributes: Any) -> SafeString:
    """A form field's input alone, with the house's classes and its errors and help announced."""
    inner = field.field.widget
    extra = {name.replace("_", "-"): value for name, value in attributes.items()}
    described = [f"{field.auto_id}_hint"] * bool(field.help_text) + [f"{field.auto_id}_error"] * bool(field.errors)
    if described and field.auto_id:
        extra.setdefault("aria-describedby", " ".join(described))
    if not isinstance(inner, (RadioSelect, CheckboxSelectMultiple)):
        known = "form-check-input" if isinstance(inner, CheckboxInput) else "form-control"
        known = "form-select" if isinstance(inner, Select) else known
        extra["class"] = " ".join(filter(None, [known, inner.attrs.get("class", ""), extra.pop("class", "")]))
    return field.as_widget(attrs=extra)


@register.filter
def field_kind(field: BoundField) -> str:
    """check, choices, file, area, select or input: which way a field is laid out."""
    inner = field.field.widget
    for kind, types in (
        ("choices", (RadioSelect, CheckboxSelectMultiple)),
        ("check", (CheckboxInput,)),
        ("file", (FileInput,)),
        ("area", (Textarea,)),
        ("select", (Select,)),
    ):
        if isinstance(inner, types):
            return kind
    return "input"


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, (datetime, date)) else super().default(o)


@register.simple_tag
def chart(kind: str, data: Any, size: str = "", label: str = "") -> SafeString:
    """A chart (line, bar, funnel) of data as islands/src/charts.ts describes it; size "", "short" or "tall"."""
    text = json.dumps(data, cls=_Encoder).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return format_html(
        '<div class="sf-chart{}" data-chart="{}" role="img" aria-label="{}"><script type="application/json">{}</script></div>',
        f" is-{size}" if size else "",
        kind,
        label,
        mark_safe(text),  # noqa: S308 - <, > and & are escaped above
    )


@register.inclusion_tag("partials/pager.html", takes_context=True)
def pager(
    context: template.Context, page: Page[Any] | None = None, newer: str = "", older: str = "", note: str = ""
) -> dict[str, Any]:
    """Previous and next: of a Django Page (keeps the query), or of two query values for keyset paging (`?before=`, `?after=`)."""
    query: QueryDict = context["request"].GET
    if page is not None:
        return {
            "previous": _with(query, page=page.previous_page_number()) if page.has_previous() else "",
            "next": _with(query, page=page.next_page_number()) if page.has_next() else "",
            "page": page,
            "note": note,
        }
    return {"previous": newer, "next": older, "note": note}


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """This page's query with some values changed (None takes one away): `<a href="{% query sort="name" page=None %}">`."""
    return _with(context["request"].GET, **changes)


def _with(query: QueryDict, **changes: Any) -> str:
    changed = query.copy()
    for name, value in changes.items():
        if value in (None, ""):
            changed.pop(name, None)
        else:
            changed[name] = str(value)
    return f"?{changed.urlencode()}"


@register.simple_tag
def listed(*things: Any) -> Sequence[Any]:
    """A list made in a template: `{% listed a b c as x %}`."""
    return things
