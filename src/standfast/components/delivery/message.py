"""One recipient's message: rendered, with its headers, signed. Everything fixed per send is made once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from standfast.components.content.api import LinkSigner, compile_message
from standfast.protocols.dkim import Letter, Signer, sign_letters
from standfast.protocols.mime import (
    HeaderFrame,
    date_value,
    encode_addresses,
    encode_header,
    feedback_id,
    list_unsubscribe,
    message_id,
)
from standfast.protocols.tokens import RecipientRef, seal_recipient

TEST_CONTACT = 0
"""The contact id in test sends: it counts for nobody, and the values come from the sources."""


class Outgoing(NamedTuple):
    """What the SMTP client takes: envelope sender (VERP), envelope recipient, and the message in wire form, its headers with
    the blank line apart from its body, which is large and so never copied."""

    sender: str
    recipient: str
    head: bytes
    body: bytes


class Draft(NamedTuple):
    """A message before its signature."""

    sender: str
    recipient: str
    headers: tuple[bytes, ...]  # the values that the frame leaves open
    body: bytes
    at: int


class Composer:
    """Makes the messages of one send from its frozen sources. Compiling takes some milliseconds, a message some microseconds."""

    def __init__(
        self,
        *,
        account_id: int,
        send_id: int,
        nonce: str,
        sources: Mapping[str, Any],
        signers: Sequence[Signer],
        key: bytes,
    ) -> None:
        """`key` is the token key, which the tracker and the mail exchanger have too.

        Raises ContentError where the sources do not compile, HeaderError for a sender that cannot stand in a header.
        """
        self.account_id, self.send_id, self.nonce = account_id, send_id, nonce
        self.key, self.signers = key, list(signers)
        self.tracker_url: str = sources["tracker_url"]
        self.bounce_domain: str = sources["bounce_domain"]
        self.domain = sources["from_email"].rpartition("@")[2]
        self.campaign: dict[str, Any] = sources["campaign"]
        self.tag: dict[str, Any] = sources.get("tag") or {}
        self.test_contact: dict[str, Any] = sources.get("test_contact") or {}
        self.links = LinkSigner(
            self.tracker_url, key, account_id, send_id, sender=sources["from_name"] or sources["from_email"]
        )
        self.program = compile_message(
            subject=sources["subject"], preheader=sources["preheader"], html_source=sources["html"],
            source_kind=sources["source_kind"], text_source=sources["text"], inline_css=sources["inline_css"],
            links=self.links,
        )  # fmt: skip
        self.frame = self._frame(sources)
        self._head = self.frame.template()

    def _frame(self, sources: Mapping[str, Any]) -> HeaderFrame:
        """The headers of the send; what is open in them `draft` fills in the same order."""
        headers: list[tuple[bytes, bytes | None]] = [
            (b"From", encode_addresses("From", [(sources["from_name"], sources["from_email"])])),
            (b"To", None),
            (b"Subject", None),
            (b"Date", None),
            (b"Message-ID", None),
        ]
        if reply_to := sources.get("reply_to"):
            headers.append((b"Reply-To", encode_addresses("Reply-To", [("", reply_to)])))
        feedback = feedback_id(
            campaign=str(self.campaign.get("id") or self.send_id),
            account=str(self.account_id),
            kind="campaign",
            sender=self.domain,
        )
        headers.append((b"Feedback-ID", feedback))
        # The token goes between these; whether the address can stand in the header is known now.
        (name, around), one_click = list_unsubscribe(url=f"{self.tracker_url}/u/")
        named = self.links.sender_query.replace("%", "%%").encode()
        self._unsubscribe = around.removesuffix(b">").replace(b"%", b"%%") + b"%b" + named + b">"
        headers += [(name, None), one_click, *self.program.headers]
        names, values = zip(*headers, strict=True)
        return HeaderFrame(names, values)

    def message_id(self, seq: int) -> bytes:
        """The same for every attempt at a recipient, so that a receiver can tell a repetition."""
        return message_id(unique=f"{self.account_id}.{self.send_id}.{seq}.{self.nonce}", domain=self.domain)

    def compose(self, *, seq: int, contact_id: int, email: str, contact: Mapping[str, Any]) -> Outgoing:
        """Raises ContentError or HeaderError: then nothing is sent to this recipient."""
        return self.finish(self.draft(seq=seq, contact_id=contact_id, email=email, contact=contact))

    def page(self, contact: Mapping[str, Any], *, token: str, is_test: bool = False) -> str:
        """The letter's HTML for a browser, as its recipient has it. Raises ContentError."""
        contact = self.test_contact if is_test else contact
        return self.program.render_page(contact, token=token, campaign=self.campaign, tag=self.tag)

    def draft_row(self, row: Any) -> Draft:
        """The draft for a leased row. Raises as `draft` does."""
        return self.draft(seq=row.seq, contact_id=row.contact_id, email=row.email, contact=contact_values(row))

    def draft(
        self,
        *,
        seq: int,
        contact_id: int,
        email: str,
        contact: Mapping[str, Any],
        tag: Mapping[str, Any] | None = None,
    ) -> Draft:
        """The first half of `compose`, with its errors. Drafts made one after the other are cheaper than each with its
        signature between them, which fills the processor's caches with its own tables."""
        now = int(time.time())
        if contact_id == TEST_CONTACT:
            contact = self.test_contact
        ref = RecipientRef(self.account_id, self.send_id, seq, contact_id, now)
        token = seal_recipient(self.key, ref)
        rendered = self.program.render(
            contact, token=token, campaign=self.campaign, tag=self.tag if tag is None else tag
        )
        headers = (
            encode_addresses("To", [("", email)]),
            encode_header("Subject", rendered.subject),
            date_value(now),
            self.message_id(seq),
            self._unsubscribe % token.encode(),
        )
        verp = f"b-{seal_recipient(self.key, ref, purpose='bounce')}@{self.bounce_domain}"
        return Draft(verp, email, headers, rendered.body, now)

    def finish(self, draft: Draft) -> Outgoing:
        """Sign a draft."""
        return self.finish_all([draft])[0]

    def finish_all(self, drafts: Sequence[Draft]) -> list[Outgoing]:
        """Sign drafts, which is cheaper for many at once (see `sign_letters`)."""
        signatures = sign_letters(
            self.signers, self.frame, [Letter(draft.headers, draft.body, draft.at) for draft in drafts]
        )
        return [
            Outgoing(draft.sender, draft.recipient, signature + self._head % draft.headers, draft.body)
            for draft, signature in zip(drafts, signatures, strict=True)
        ]


_DIRECT = (
    "first_name",
    "last_name",
    "phone",
    "fax",
    "uid",
    "time_zone",
    "created_at",
    "updated_at",
    "email",
    "contact_id",
)
_direct = attrgetter(*_DIRECT)
_NAMES = (*_DIRECT[:-1], "id")


def contact_values(row: Any) -> dict[str, Any]:
    """A leased row as the object `contact` of templates: custom fields at the top level, as in the reference product."""
    return {**(row.fields or {}), **dict(zip(_NAMES, _direct(row), strict=True))}
