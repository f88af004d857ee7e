"""Take messages for a transactional campaign: rendered from a content with tags, or finished as a program wrote them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection

from standfast.components.accounts.api import Account
from standfast.components.audience.api import Brand, ContactRow, find_brand, upsert_contacts
from standfast.components.content.api import Content, ContentError, LinkSigner, compile_message
from standfast.components.delivery.api import SendingDomain, Submission, Taken, stream_source, submit
from standfast.components.transactional.models import TransactionalCampaign
from standfast.platform import config
from standfast.protocols.address import AddressError, parse_address

COMPILED_KEPT = 2000
_compiled: set[bytes] = set()  # digests of sources that are known to compile


class Refused(ValueError):
    """The message is not taken: `field` is what is wrong with it, the text says why."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field
        self.text = text


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a message; None leaves what is known of the person as it is."""

    email: str
    first_name: str | None = None
    last_name: str | None = None
    fields: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Templated:
    """A message made of a content. html, text, subject and senders go over the campaign's and the content's."""

    recipient: Recipient
    tags: Mapping[str, Any] = field(default_factory=dict)
    content_id: int | None = None
    html: str | None = None
    text: str | None = None
    subject: str = ""
    from_name: str = ""
    from_email: str = ""
    reply_to: str = ""
    address: str = ""
    bcc: str = ""
    ignore_do_not_mail: bool = False
    due_at: dt.datetime | None = None
    key: str = ""
    brand_id: int | None = None  # instead of the campaign's
    brand: str = ""  # the same by name


@dataclass(frozen=True, slots=True)
class Finished:
    """A message as a program wrote it (CRLF lines, control headers taken out), for one recipient of its envelope."""

    recipient: Recipient
    raw: bytes
    from_email: str
    sender: str = ""  # the name that tracker pages show
    opens: bool = True
    clicks: bool = True
    ignore_do_not_mail: bool = False
    due_at: dt.datetime | None = None
    bcc: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)  # the program's own names for it
    key: str = ""
    brand_id: int | None = None  # instead of the campaign's
    brand: str = ""  # the same by name


def deliver(campaign: TransactionalCampaign, messages: Sequence[Templated | Finished]) -> list[Taken]:
    """Append messages to the campaign's stream; one Taken each, in order. In the account's scope; answer after the commit.

    Raises Refused for the first message that cannot be taken; then none is. People who are new become contacts, on no list.
    """
    check_senders(campaign.account_id, {message.from_email or campaign.from_email for message in messages})
    brands = _brands(campaign, messages)
    landed = _contacts(campaign.account_id, [message.recipient for message in messages])
    submissions: list[Submission] = []
    firsts: list[int] = []
    for message, (contact_id, email) in zip(messages, landed, strict=True):
        firsts.append(len(submissions))
        made = replace(
            _submission(campaign, message, contact_id, email), brand_id=brands[message.brand_id, message.brand]
        )
        submissions.append(made)
        if message.bcc:
            submissions.append(_copy(made, message.bcc))
    taken = submit(account_id=campaign.account_id, send_id=campaign.send_id, messages=submissions)
    return [taken[first] for first in firsts]


def _brands(
    campaign: TransactionalCampaign, messages: Sequence[Templated | Finished]
) -> dict[tuple[int | None, str], int | None]:
    """The brand's id by what messages say of it. One that is not there is refused and not made: under a name with a slip of
    the pen, which nobody can have unsubscribed from, the mail would pass by every do-not-mail."""
    found: dict[tuple[int | None, str], int | None] = {}
    for brand_id, name in {(message.brand_id, message.brand) for message in messages}:
        brand: Brand | None = None
        if brand_id is not None or name:
            brand = find_brand(account_id=campaign.account_id, brand_id=brand_id, name=name)
            if brand is None:
                raise Refused("brand", f"There is no brand {name[:80] or brand_id} in this account. Add it first.")
        found[brand_id, name] = brand.pk if brand else campaign.brand_id
    return found


def check_senders(account_id: int, emails: Iterable[str]) -> None:
    """Whether the account may send from these addresses; one query for all. In the account's scope. Raises Refused."""
    parents = [_parents(email) for email in emails]
    asked = {domain for domains in parents for domain in domains}
    owned = set(SendingDomain.objects.filter(account_id=account_id, domain__in=asked).values_list("domain", flat=True))
    for domains in parents:
        if owned.isdisjoint(domains):
            raise Refused("from_email", f"{domains[0]} is none of the account's sending domains.")


def _parents(email: str) -> list[str]:
    """The host of an address and the domains above it, but the topmost."""
    try:
        host = parse_address(email).email.rpartition("@")[2].lower()
    except AddressError as error:
        raise Refused("from_email", f"The sender {email!r} is no address: {error.reason}") from error
    return [host.split(".", n)[-1] for n in range(host.count("."))] or [host]


def _contacts(account_id: int, people: Sequence[Recipient]) -> list[tuple[int, str]]:
    """(contact id, address) of each recipient, in order."""
    rows = [
        ContactRow(email=one.email, first_name=one.first_name, last_name=one.last_name, fields=one.fields)
        for one in people
    ]
    with connection.cursor() as cursor:
        landed = upsert_contacts(cursor, account_id=account_id, rows=rows)
    found = []
    for person, result in zip(people, landed, strict=True):
        if result.contact_id is None:
            raise Refused("email", f"{person.email!r} cannot be written to: {result.reason}")
        found.append((result.contact_id, parse_address(person.email).email))
    return found


def _submission(
    campaign: TransactionalCampaign, message: Templated | Finished, contact_id: int, email: str
) -> Submission:
    if isinstance(message, Finished):
        values: dict[str, Any] = {
            "from_email": message.from_email,
            "sender": message.sender,
            "opens": message.opens,
            "clicks": message.clicks,
        }
        if message.metadata:
            values["metadata"] = dict(message.metadata)
        return Submission(
            contact_id=contact_id, email=email, raw=message.raw, values=values, due_at=message.due_at, key=message.key,
            ignore_do_not_mail=message.ignore_do_not_mail,
        )  # fmt: skip
    sources = _sources(campaign, message)
    source_id = stream_source(account_id=campaign.account_id, send_id=campaign.send_id, sources=sources)
    values = {"tag": dict(message.tags)}
    return Submission(
        contact_id=contact_id, email=email, source_id=source_id, values=values, due_at=message.due_at, key=message.key,
        ignore_do_not_mail=message.ignore_do_not_mail,
    )  # fmt: skip


def _copy(made: Submission, bcc: str) -> Submission:
    """The blind copy: the same message to another address, whatever do-not-mail says of that."""
    try:
        email = parse_address(bcc).email
    except AddressError as error:
        raise Refused("bcc", f"{bcc!r} is no address: {error.reason}") from error
    return replace(made, email=email, ignore_do_not_mail=True, key=f"{made.key} bcc" if made.key else "")


def _sources(campaign: TransactionalCampaign, message: Templated) -> dict[str, Any]:
    """What the message is rendered from, frozen as it is now. Raises Refused where it does not compile."""
    content = _content(campaign, message)
    subject = message.subject or campaign.subject or (content.subject if content else "")
    settings = config.load()
    from_name, from_email = message.from_name or campaign.from_name, message.from_email or campaign.from_email
    reply_to = message.reply_to or campaign.reply_to
    address = message.address or campaign.address or Account.objects.get(pk=campaign.account_id).address
    own = message.html is not None or message.text is not None
    html = (message.html or f"<pre>{_escaped(message.text or '')}</pre>") if own else content.source if content else ""
    sources: dict[str, Any] = {
        "subject": subject,
        "preheader": campaign.preheader or (content.preheader if content else ""),
        "html": html,
        "source_kind": "html" if own or content is None else content.source_kind,
        "text": (message.text or "") if own else content.text_source if content else "",
        "inline_css": False if own or content is None else content.inline_css,
        "from_name": from_name,
        "from_email": from_email,
        "reply_to": reply_to,
        "tracker_url": settings.tracker_url,
        "bounce_domain": settings.bounce_domain.split(",")[0].strip(),
        "campaign": {
            "id": campaign.pk, "name": campaign.name, "from_name": from_name, "from_email": from_email,
            "subject": subject, "reply_to": reply_to or from_email, "address": address, "language": campaign.language,
        },
    }  # fmt: skip
    _compile(campaign, sources)
    return sources


def _content(campaign: TransactionalCampaign, message: Templated) -> Content | None:
    if message.html is not None or message.text is not None:
        return None
    content_id = message.content_id or campaign.content_id
    content = Content.objects.filter(account_id=campaign.account_id, pk=content_id).first() if content_id else None
    if content is None:
        raise Refused(
            "content_id", "There is no such content in this account." if content_id else "The message has no content."
        )
    return content


def _compile(campaign: TransactionalCampaign, sources: Mapping[str, Any]) -> None:
    """An error in the content is told now, with line and reason, not after the message was taken; looked at once a source."""
    digest = hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).digest()
    if digest in _compiled:
        return
    try:
        compile_message(
            subject=sources["subject"], preheader=sources["preheader"], html_source=sources["html"],
            source_kind=sources["source_kind"], text_source=sources["text"], inline_css=sources["inline_css"],
            links=LinkSigner(sources["tracker_url"], b"\0" * 32, campaign.account_id, campaign.send_id),
        )  # fmt: skip
    except ContentError as error:
        raise Refused("content", str(error)) from error
    if len(_compiled) >= COMPILED_KEPT:
        _compiled.clear()
    _compiled.add(digest)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
