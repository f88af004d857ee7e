"""The pages of content: all of them, a new one from a starter, the editor with its preview, and a look as any contact."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from standfast.components.accounts.api import Account, Role, account_page, may
from standfast.components.content import previews
from standfast.components.content.forms import ContentForm
from standfast.components.content.models import Content, SourceKind
from standfast.components.content.problems import Severity
from standfast.components.content.snippets import snippets
from standfast.components.content.starters import Starter, starters
from standfast.components.content.writing import ContentInUse, copy_of, delete_content, free_name, version_of

PAGE = 50
TWICE_SECONDS = 4  # the same thing made again within this is a second click, not a second wish
BLANK_HTML = """<!doctype html>
<html>
  <head><meta charset="utf-8"><title>{{ campaign.subject }}</title></head>
  <body style="margin: 0; padding: 32px; font-family: Helvetica, Arial, sans-serif; color: #222">
    <p>Hello {{ contact.first_name | default: "friend" }},</p>
    <p>...</p>
    <p style="color: #777; font-size: 13px">{{ campaign.address }}<br><a href="{{ campaign.unsubscribe_url }}">Unsubscribe</a></p>
  </body>
</html>
"""
BLANK_MJML = """<mjml>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-text>Hello {{ contact.first_name | default: "friend" }},</mj-text>
        <mj-text>...</mj-text>
        <mj-text font-size="13px" color="#777777">{{ campaign.address }}<br />
          <a href="{{ campaign.unsubscribe_url }}">Unsubscribe</a>
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""
BLANKS = (
    Starter("blank-mjml", "Blank, MJML", "Elements that look right in every mail program", "mjml", "", "", BLANK_MJML),
    Starter("blank-html", "Blank, HTML", "Every tag is yours", "html", "", "", BLANK_HTML),
)
_TAG = {"order_number": "10482", "items": []}


@account_page
@require_GET
def list_contents(request: HttpRequest, account_id: int) -> HttpResponse:
    q = request.GET.get("q", "").replace("\0", "").strip()
    found = (
        Content.objects.filter(account_id=account_id).defer("source", "text_source").annotate(chars=Length("source"))
    )
    if q:
        found = found.filter(Q(name__icontains=q) | Q(subject__icontains=q))
    page = Paginator(found.order_by("-updated_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    return render(request, "content/list.html", {"page": page, "q": q, "may_write": may(request, Role.MEMBER)})


@account_page(role=Role.MEMBER)
def new(request: HttpRequest, account_id: int) -> HttpResponse:
    """Choose what to begin with."""
    offered = {starter.key: starter for starter in (*starters(), *BLANKS)}
    if request.method == "POST":
        starter = offered.get(request.POST.get("starter", ""))
        if starter is None:
            messages.error(request, "That starting point does not exist. Choose one of these.")
            return redirect("content:new", account_id)
        content = _begin(account_id, starter)
        return redirect(_edit_url(request, account_id, content.pk))
    account = request.account  # type: ignore[attr-defined]
    cards = [(each, _thumbnail(account, each)) for each in starters()] + [(blank, "") for blank in BLANKS]
    return render(request, "content/new.html", {"cards": cards, "back": _back(request)})


def _begin(account_id: int, starter: Starter) -> Content:
    """A new content from a starter; the same again within a moment is the same one."""
    Account.objects.select_for_update().get(pk=account_id)  # so that two clicks do not both find nothing
    since = timezone.now() - dt.timedelta(seconds=TWICE_SECONDS)
    twice = Content.objects.filter(account_id=account_id, source=starter.source, created_at__gte=since).first()
    return twice or Content.objects.create(
        account_id=account_id, name=free_name(account_id=account_id, name=starter.name), subject=starter.subject,
        preheader=starter.preheader, source_kind=starter.source_kind, source=starter.source,
    )  # fmt: skip


def _thumbnail(account: Account, starter: Starter) -> str:
    draft = Content(account=account, name=starter.name, subject=starter.subject or "Subject", source=starter.source,
                    source_kind=starter.source_kind)  # fmt: skip
    return previews.show(
        draft, contact=previews.SAMPLE, campaign=previews.campaign_values(account, draft), tag=_TAG
    ).html


@account_page
def edit(request: HttpRequest, account_id: int, content_id: int) -> HttpResponse:
    """The editor; for readers a look at the content instead."""
    found = Content.objects.filter(account_id=account_id)
    if not may(request, Role.MEMBER):
        return redirect("content:as_contact", account_id, content_id)
    if request.method != "POST":
        content = get_object_or_404(found, pk=content_id)
        return _editor(request, content, ContentForm(instance=content, initial={"seen": version_of(content)}))
    content = get_object_or_404(found.select_for_update(), pk=content_id)
    stored_at, stored_seen = content.updated_at, version_of(content)
    form = ContentForm(request.POST, instance=content)
    if not form.is_valid():
        content.refresh_from_db(fields=["name"])
        return _editor(request, content, form)
    if "copy" in request.POST:
        return _save_as_copy(request, account_id, form)
    if form.cleaned_data["seen"] != stored_seen and request.POST.get("over") != stored_seen:
        return _editor(request, content, form, stale_at=stored_at, stale_seen=stored_seen)
    form.save()
    messages.success(request, "Saved.")
    back = _back(request)
    return redirect(back if back and "leave" in request.POST else _edit_url(request, account_id, content_id))


def _save_as_copy(request: HttpRequest, account_id: int, form: ContentForm) -> HttpResponse:
    draft = form.save(commit=False)
    copy = copy_of(draft, name=f"{draft.name}, my version")
    messages.success(request, f"Saved as “{copy.name}”. The other version stays as it is.")
    return redirect(_edit_url(request, account_id, copy.pk))


def _editor(
    request: HttpRequest, content: Content, form: ContentForm, *, stale_at: dt.datetime | None = None, stale_seen: str = ""
) -> HttpResponse:  # fmt: skip
    account_id = content.account_id
    seen_as = request.POST.get("preview_as", request.GET.get("as"))
    someone = previews.newest_contact(account_id=account_id) if seen_as is None else None
    return render(
        request,
        "content/edit.html",
        {
            "content": content, "form": form, "snippets": snippets(account_id=account_id), "back": _back(request),
            "seen_as": someone.email if someone else seen_as or "",
            "theme": request.POST.get("preview_theme", request.GET.get("theme", "")),
            "stale_at": stale_at, "stale_seen": stale_seen,
            "preview_url": reverse("content:preview", args=[account_id, content.pk]),
        },
        status=409 if stale_at else 200,
    )  # fmt: skip


@account_page(post=Role.READER)
@require_POST
def preview(request: HttpRequest, account_id: int, content_id: int) -> JsonResponse:
    """What the editor asks for while somebody writes: the form's fields in, JSON out (see partials/editor.html)."""
    content = get_object_or_404(Content, account_id=account_id, pk=content_id)
    draft = _draft(request, content)
    email = request.POST.get("preview_as", "")
    contact = previews.find_contact(account_id=account_id, email=email) if email.strip() else None
    shown = previews.show_to(draft, contact, dark=request.POST.get("preview_theme") == "dark")
    problems = [problem for problem in shown.problems if problem.severity != Severity.NOTE]
    told: list[dict[str, Any]] = [
        {"line": p.line or None, "message": f"{p.what} {p.remedy}".strip(), "warning": p.severity != Severity.ERROR}
        for p in sorted(problems, key=lambda p: p.severity != Severity.ERROR)
    ]
    if email.strip() and contact is None:
        told.append(
            {"line": None, "message": f"Nobody here has the address {email.strip()[:80]}; you see it as Sam Sample.",
             "warning": True}
        )  # fmt: skip
    answer: dict[str, Any] = {"errors": told}
    if shown.html:
        answer |= {"html": shown.html, "subject": shown.subject, "preheader": shown.preheader, "text": shown.text,
                   "size": f"{shown.size_bytes / 1000:.0f} KB"}  # fmt: skip
    return JsonResponse(answer)


def _draft(request: HttpRequest, content: Content) -> Content:
    """The content as it stands in the form, valid or not; nothing is saved."""
    posted = request.POST
    kind = posted.get("source_kind", content.source_kind)
    return Content(
        account=request.account,  # type: ignore[attr-defined]
        name=posted.get("name", content.name)[:255],
        subject=posted.get("subject", content.subject)[:1000],
        preheader=posted.get("preheader", content.preheader)[:1000],
        source_kind=kind if kind in SourceKind.values else content.source_kind,
        source=posted.get("source", content.source).replace("\0", ""),
        text_source=posted.get("text_source", content.text_source).replace("\0", ""),
        inline_css="inline_css" in posted,
    )


@account_page
@require_GET
def as_contact(request: HttpRequest, account_id: int, content_id: int) -> HttpResponse:
    """The saved content as any contact sees it."""
    content = get_object_or_404(Content, account_id=account_id, pk=content_id)
    email = request.GET.get("email", "").strip()
    contact = (
        previews.find_contact(account_id=account_id, email=email)
        if email
        else previews.newest_contact(account_id=account_id)
    )
    values = previews.contact_values(contact) if contact else dict(previews.SAMPLE)
    dark = request.GET.get("theme") == "dark"
    content.account = request.account  # type: ignore[attr-defined]
    shown = previews.show_to(content, contact, dark=dark)
    before, after = previews.neighbours(contact) if contact else (None, None)
    used = sorted(name for name in shown.fields if name != "*")
    return render(
        request,
        "content/as_contact.html",
        {
            "content": content, "contact": contact, "email": email, "shown": shown, "before": before, "after": after,
            "dark": dark, "phone": request.GET.get("width") == "phone", "may_write": may(request, Role.MEMBER),
            "used": [(name, values.get(name)) for name in used],
        },
    )  # fmt: skip


@account_page(role=Role.MEMBER)
@require_POST
def duplicate(request: HttpRequest, account_id: int, content_id: int) -> HttpResponse:
    Account.objects.select_for_update().get(pk=account_id)
    content = get_object_or_404(Content, account_id=account_id, pk=content_id)
    since = timezone.now() - dt.timedelta(seconds=TWICE_SECONDS)
    twice = Content.objects.filter(
        account_id=account_id, created_at__gte=since, name__startswith=f"Copy of {content.name}"[:240]
    ).first()
    if twice is None:
        twice = copy_of(content, name=f"Copy of {content.name}")
    messages.success(request, f"This is “{twice.name}”.")
    return redirect("content:edit", account_id, twice.pk)


@account_page(role=Role.MEMBER)
@require_POST
def delete(request: HttpRequest, account_id: int, content_id: int) -> HttpResponse:
    content = Content.objects.filter(account_id=account_id, pk=content_id).first()
    if content is not None:
        try:
            delete_content(content)
        except ContentInUse as error:
            messages.error(request, str(error))
            return redirect("content:edit", account_id, content_id)
        messages.success(request, f"“{content.name}” is deleted.")
    elif Content.objects.filter(account_id=account_id).exists():
        messages.success(request, "It was deleted already.")
    return redirect("content:list", account_id)


def _edit_url(request: HttpRequest, account_id: int, content_id: int) -> str:
    """The editor, seen as the same contact and in the same theme as before."""
    kept = {
        "back": _back(request),
        "as": request.POST.get("preview_as", ""),
        "theme": request.POST.get("preview_theme", ""),
    }
    query = urlencode({name: value for name, value in kept.items() if value})
    url = reverse("content:edit", args=[account_id, content_id])
    return f"{url}?{query}" if query else url


def _back(request: HttpRequest) -> str:
    """Where the writer came from, if it is one of our pages."""
    back = request.GET.get("back") or request.POST.get("back") or ""
    ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    return back if ours else ""
