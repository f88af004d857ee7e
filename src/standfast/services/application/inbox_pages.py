"""The bundled inbox's mail, for the members of the account that sent it: rendered, as text, headers, source, verdicts."""

from __future__ import annotations

from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, path, reverse
from django.views.decorators.http import require_GET

from standfast.components.accounts.api import account_page
from standfast.components.campaigns.api import Campaign
from standfast.components.delivery import api as delivery
from standfast.platform import config
from standfast.platform.mail_display import Display, look_up_key, parse_for_display
from standfast.platform.mail_store import MessageGone, StoredMessage, decoded, find_message, list_where, read_message
from standfast.protocols.keys import derive
from standfast.protocols.tokens import RecipientRef, TokenError, open_recipient

PAGE = 50
VIEWS = (("letter", "Letter"), ("text", "Text"), ("headers", "Headers"), ("source", "Source"))


class Line(NamedTuple):
    """A line of the list."""

    message: StoredMessage
    sender: str
    subject: str


def sent_by(message: StoredMessage, key: bytes) -> RecipientRef | None:
    """Whose message it is: the envelope sender (VERP) is sealed, so nobody can claim another account's mail."""
    local = message.sender.rpartition("@")[0]
    if not local.lower().startswith("b-"):
        return None
    try:
        return open_recipient(key, local[2:], purpose="bounce")
    except TokenError:
        return None


def _key() -> bytes:
    return derive(config.load().secret(), "tokens")


@account_page
@require_GET
def list_mail(request: HttpRequest, account_id: int) -> HttpResponse:
    key, q = _key(), request.GET.get("q", "").strip()[:200]
    before = request.GET.get("before", "")

    def ours(message: StoredMessage) -> bool:
        ref = sent_by(message, key)
        return ref is not None and ref.account_id == account_id

    is_place = before.isascii() and before.isdigit() and len(before) < 19
    place = int(before) if is_place else None
    sheet = list_where(config.load().inbox_dir, wanted=ours, before=place, limit=PAGE, search=q)
    lines = [
        Line(message, _name(message.from_header) or message.sender, decoded(message.subject))
        for message in sheet.messages
    ]
    route = delivery.Route.objects.filter(account_id=account_id).first()
    return render(
        request,
        "inbox/list.html",
        {
            "lines": lines,
            "older": sheet.older,
            "q": q,
            "before": before,
            "leaves": route is not None and not route.to_inbox,
        },
    )


def _name(from_header: str) -> str:
    """The name before the address, as mail programs show it."""
    text = decoded(from_header)
    return text.partition("<")[0].strip().strip('"') or text.strip("<> ")


@account_page
@require_GET
def show_mail(request: HttpRequest, account_id: int, message_id: int) -> HttpResponse:
    message, ref = _own(account_id, message_id)
    with_pictures = request.GET.get("pictures") == "1"
    view = request.GET.get("view", "letter")
    context = {
        "message": message, "subject": decoded(message.subject) or "(no subject)", "sender": decoded(message.from_header),
        "view": view if view in dict(VIEWS) else "letter", "views": VIEWS, "pictures": with_pictures,
        "campaign": Campaign.objects.filter(account_id=account_id, send_id=ref.send_id).only("name").first(),
        "contact_url": _contact_url(account_id, ref.contact_id),
    }  # fmt: skip
    try:
        context["shown"] = _display(
            account_id, read_message(config.load().inbox_dir, message), with_pictures=with_pictures
        )
    except MessageGone as error:
        context["gone"] = str(error)[:1].upper() + str(error)[1:] + "."
    return render(request, "inbox/show.html", context)


def _own(account_id: int, message_id: int) -> tuple[StoredMessage, RecipientRef]:
    """Raises Http404 for what is not there or is another account's: no difference is to be seen."""
    try:
        message = find_message(config.load().inbox_dir, message_id)
    except (MessageGone, OSError, ValueError, OverflowError):  # also for numbers that are no place in a file
        raise Http404 from None
    ref = sent_by(message, _key())
    if ref is None or ref.account_id != account_id:
        raise Http404
    return message, ref


def _display(account_id: int, raw: bytes, *, with_pictures: bool) -> Display:
    """Parsed; DKIM keys are the account's own, as they would be in the DNS, and only others are asked for there."""
    bounce_domain = config.load().bounce_domain.split(",")[0].strip()
    own: dict[str, str] = {}
    for domain in delivery.SendingDomain.objects.filter(account_id=account_id):
        record = delivery.records(domain, bounce_domain=bounce_domain)[0]
        own[record["name"]] = record["value"]

    def lookup(name: str) -> str | None:
        return own.get(name) or look_up_key(name)

    return parse_for_display(raw, key_lookup=lookup, remote_images=with_pictures)


def _contact_url(account_id: int, contact_id: int) -> str:
    """The contact's page; empty for a test, which belongs to nobody."""
    try:
        return reverse("audience:contact", args=[account_id, contact_id]) if contact_id else ""
    except NoReverseMatch:
        return ""


@account_page
@require_GET
def raw_mail(request: HttpRequest, account_id: int, message_id: int) -> HttpResponse:
    """The bytes as they came, to save."""
    message, _ = _own(account_id, message_id)
    try:
        raw = read_message(config.load().inbox_dir, message)
    except MessageGone:
        raise Http404 from None
    headers = {
        "Content-Disposition": f'attachment; filename="message-{message.id}.eml"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(raw, content_type="message/rfc822", headers=headers)


URLS = [
    path("", list_mail, name="list"),
    path("<int:message_id>/", show_mail, name="show"),
    path("<int:message_id>/raw/", raw_mail, name="raw"),
]
