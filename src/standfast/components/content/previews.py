"""A content as one person would see it: rendered with a contact's values, with everything wrong about it listed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from standfast.components.accounts.api import Account
from standfast.components.audience.api import Contact
from standfast.components.content.compile import CompiledMessage, compile_message
from standfast.components.content.links import LinkSigner
from standfast.components.content.models import Content
from standfast.components.content.problems import Problem, Severity
from standfast.platform import config
from standfast.protocols.address import AddressError, parse_address
from standfast.protocols.keys import derive
from standfast.protocols.liquid import ContentError, compile_template

_DIRECT = ("email", "first_name", "last_name", "phone", "fax", "uid", "time_zone", "created_at", "updated_at")
SAMPLE: Mapping[str, Any] = {"id": 0, "email": "sam@example.com", "first_name": "Sam", "last_name": "Sample"}
"""Who a content is shown as where the account has nobody yet."""

# Mail programs in the dark either follow the mail's own dark style or turn its colours round, as this does.
_TURNED = "<style>html{background:#fff;filter:invert(.93) hue-rotate(180deg)}img,video{filter:invert(1) hue-rotate(180deg)}</style>"
_DARK_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)


@dataclass(frozen=True)
class Shown:
    """What a preview shows; empty texts where there is an error. `size_bytes` is the HTML's, as mail programs count it."""

    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    size_bytes: int = 0
    problems: tuple[Problem, ...] = ()
    fields: frozenset[str] = field(default_factory=frozenset)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == Severity.ERROR]


def contact_values(contact: Contact) -> dict[str, Any]:
    """A contact as the object `contact` of templates: custom fields stand beside the standard ones."""
    return {**(contact.fields or {}), **{name: getattr(contact, name) for name in _DIRECT}, "id": contact.id}


def find_contact(*, account_id: int, email: str) -> Contact | None:
    """The contact with this address, however it is typed. In the account's scope."""
    try:
        key = parse_address(email.strip()).key
    except AddressError:
        return None
    return Contact.objects.filter(account_id=account_id, email_key=key).first()


def newest_contact(*, account_id: int) -> Contact | None:
    """Somebody to show a content as."""
    return Contact.objects.filter(account_id=account_id).order_by("-id").first()


def neighbours(contact: Contact) -> tuple[Contact | None, Contact | None]:
    """Who came into the account before and after this contact: to leaf through people."""
    others = Contact.objects.filter(account_id=contact.account_id)
    return others.filter(id__lt=contact.id).order_by("-id").first(), others.filter(id__gt=contact.id).order_by(
        "id"
    ).first()


def campaign_values(account: Account, content: Content) -> dict[str, Any]:
    """The object `campaign` of templates while there is no campaign."""
    return {
        "id": 0,
        "name": content.name,
        "subject": content.subject,
        "from_name": account.name,
        "from_email": "hello@example.com",
        "reply_to": "hello@example.com",
        "address": account.address or "Your postal address",
        "language": "en",
        "send_time": int(dt.datetime.now(dt.UTC).timestamp()),
    }


def compiled(content: Content) -> CompiledMessage:
    """Compile a content (saved or not) with addresses that count for nobody. Raises ContentError."""
    settings = config.load()
    signer = LinkSigner(settings.tracker_url, derive(settings.secret(), "tokens"), content.account_id, 0)
    return compile_message(
        subject=content.subject,
        preheader=content.preheader,
        html_source=content.source,
        source_kind="mjml" if content.source_kind == "mjml" else "html",
        text_source=content.text_source,
        inline_css=content.inline_css,
        links=signer,
    )


def show_to(
    content: Content, contact: Contact | None, *, dark: bool = False, tag: Mapping[str, Any] | None = None
) -> Shown:
    """A content (saved or not) as one contact would get it outside of any campaign; without one as Sam Sample."""
    values = contact_values(contact) if contact else SAMPLE
    return show(content, contact=values, campaign=campaign_values(content.account, content), tag=tag, dark=dark)


def show(
    content: Content, *, contact: Mapping[str, Any], campaign: Mapping[str, Any], tag: Mapping[str, Any] | None = None,
    dark: bool = False,
) -> Shown:  # fmt: skip
    """Render a content (saved or not) as `contact`; never raises: what is wrong is in `problems`."""
    if not content.source.strip():
        return Shown(subject=content.subject, preheader=content.preheader,
                     problems=(Problem(Severity.ERROR, 0, "The content is empty.", "Write something."),))  # fmt: skip
    try:
        program = compiled(content)
        seen = program.preview(contact, campaign=campaign, tag=tag or {})
    except ContentError as error:
        reason = error.reason[:1].upper() + error.reason[1:]
        return Shown(problems=(Problem(Severity.ERROR, error.line, reason.rstrip(".") + ".", ""),))
    return Shown(
        subject=seen.subject,
        preheader=_preheader(content, contact, campaign),
        html=in_theme(seen.html, dark=dark),
        text=seen.text,
        size_bytes=len(seen.html.encode("utf-8", "replace")),
        problems=program.problems,
        fields=program.fields,
    )


def _preheader(content: Content, contact: Mapping[str, Any], campaign: Mapping[str, Any]) -> str:
    return " ".join(compile_template(content.preheader, html=False).render(contact, campaign, {}, token="").split())


def in_theme(html: str, *, dark: bool) -> str:
    """As a mail program in the light or in the dark shows it, whatever the device of whoever looks is set to.

    In the dark the mail's own dark style holds; a mail that has none gets its colours turned round.
    """
    wanted, other = ("dark", "light") if dark else ("light", "dark")
    if _DARK_QUERY.search(html):
        return _DARK_QUERY.sub(lambda found: {wanted: "all", other: "not all"}[found[1].lower()], html)
    if not dark:
        return html
    return html.replace("</head>", f"{_TURNED}</head>", 1) if "</head>" in html else _TURNED + html
