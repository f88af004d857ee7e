"""The messages of a stream: each from its own source, or as a program wrote it, with our links, our envelope, our signature."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg

from standfast.components.content.api import LinkSigner, track_finished
from standfast.components.delivery.message import Composer, Draft, Outgoing, contact_values
from standfast.components.delivery.queries import QUERIES
from standfast.protocols.dkim import Signer, sign_all
from standfast.protocols.headers import date_value, list_unsubscribe, message_id
from standfast.protocols.liquid import ContentError
from standfast.protocols.mime_rewrite import Letter, LetterError, read_letter, rewrite_html
from standfast.protocols.tokens import RecipientRef, seal_recipient

SOURCES_KEPT = 64
SignersFor = Callable[[str], Sequence[Signer]]


class Made(NamedTuple):
    """What one message of a stream is made of (see `delivery_submission`)."""

    source_id: int | None
    given: Mapping[str, Any]
    raw: bytes | None
    ignores_do_not_mail: bool


class StreamDraft(NamedTuple):
    """A draft that is finished by the composer of its source, or a letter that only lacks its signature."""

    draft: Draft
    composer: Composer | None
    letter: Letter | None


class StreamComposer:
    """`load` what a lease's messages are made of, in a database thread; then draft and finish them as a Composer does."""

    def __init__(self, *, account_id: int, send_id: int, nonce: str, sources: Mapping[str, Any], key: bytes) -> None:
        self.account_id, self.send_id, self.nonce, self.key = account_id, send_id, nonce, key
        self.sources = sources
        self.tracker_url: str = sources["tracker_url"]
        self.bounce_domain: str = sources["bounce_domain"]
        self._made: dict[int, Made] = {}
        self._composers: OrderedDict[int, Composer | str] = OrderedDict()
        self._signers: dict[str, Sequence[Signer]] = {}
        self._links: dict[str, LinkSigner] = {}

    def load(self, connection: psycopg.Connection, seqs: Sequence[int], signers_for: SignersFor) -> None:
        """Read what the messages of a lease are made of, and compile the sources that are new. In the account's scope."""
        common = {"account_id": self.account_id, "send_id": self.send_id}
        rows = connection.execute(QUERIES.submissions_of.sql, {**common, "seqs": list(seqs)}).fetchall()
        for seq, source_id, given, raw, ignores in rows:
            self._made[seq] = Made(source_id, given, None if raw is None else bytes(raw), ignores)
            if source_id is not None and source_id not in self._composers:
                self._compile(connection, source_id, signers_for)
            elif raw is not None:
                self._signers_of(str(given.get("from_email", "")), signers_for)
        while len(self._composers) > SOURCES_KEPT + len(rows):
            self._composers.popitem(last=False)

    def passes_over(self, seq: int) -> bool:
        """Whether the message goes out although its recipient is on do-not-mail."""
        made = self._made.get(seq)
        return made is not None and made.ignores_do_not_mail

    def draft_row(self, row: Any) -> StreamDraft:
        """Raises ContentError or HeaderError: then nothing is sent to this recipient."""
        made = self._made.pop(row.seq, None)
        if made is None:
            raise ContentError(0, "what the message is made of is gone")
        if made.raw is not None:
            return self._letter(row, made)
        composer = self._composers.get(made.source_id or 0, "the source of the message is gone")
        if isinstance(composer, str):
            raise ContentError(0, composer)
        contact = {**contact_values(row), **made.given.get("contact", {})}
        draft = composer.draft(
            seq=row.seq, contact_id=row.contact_id, email=row.email, contact=contact, tag=made.given.get("tag", {})
        )
        return StreamDraft(draft, composer, None)

    def finish(self, made: StreamDraft) -> Outgoing:
        """Sign a draft."""
        if made.composer is not None:
            return made.composer.finish(made.draft)
        assert made.letter is not None
        draft, letter = made.draft, made.letter
        signers = self._signers[_domain(draft.headers[0].decode())]
        headers = [(name, value.removeprefix(b" ")) for name, value in letter.headers]
        signature = sign_all(signers, headers, letter.body, signed_at=draft.at)
        return Outgoing(draft.sender, draft.recipient, signature + letter.head(), letter.body)

    def _letter(self, row: Any, made: Made) -> StreamDraft:
        """A message as it was given: its HTML tracked, what is missing in its headers added."""
        now = int(time.time())
        ref = RecipientRef(self.account_id, self.send_id, row.seq, row.contact_id, now)
        token = seal_recipient(self.key, ref)
        given = made.given
        from_email = str(given.get("from_email", ""))
        if not self._signers.get(_domain(from_email)):
            raise ContentError(0, f"{from_email} is of no sending domain. Add the domain.")
        try:
            letter = read_letter(made.raw or b"")
        except LetterError as error:
            raise ContentError(0, str(error)) from error
        opens, clicks = bool(given.get("opens", True)), bool(given.get("clicks", True))
        if opens or clicks:
            signer = self._signer(str(given.get("sender", "")) or from_email)
            letter = rewrite_html(
                letter, lambda html: track_finished(html, signer=signer, token=token, opens=opens, clicks=clicks)
            )
        more: list[tuple[bytes, bytes]] = []
        if letter.value("Date") is None:
            more.append((b"Date", date_value(now)))
        if letter.value("Message-ID") is None:
            unique = f"{self.account_id}.{self.send_id}.{row.seq}.{self.nonce}"
            more.append((b"Message-ID", message_id(unique=unique, domain=_domain(from_email))))
        if letter.value("List-Unsubscribe") is None and not made.ignores_do_not_mail:
            more += list_unsubscribe(url=f"{self.tracker_url}/u/{token}")
        letter = letter.with_headers(more)
        verp = f"b-{seal_recipient(self.key, ref, purpose='bounce')}@{self.bounce_domain}"
        return StreamDraft(Draft(verp, row.email, (from_email.encode(),), b"", now), None, letter)

    def _signer(self, sender: str) -> LinkSigner:
        found = self._links.get(sender)
        if found is None:
            if len(self._links) > SOURCES_KEPT:
                self._links.clear()
            found = LinkSigner(self.tracker_url, self.key, self.account_id, self.send_id, sender=sender)
            self._links[sender] = found
        return found

    def _compile(self, connection: psycopg.Connection, source_id: int, signers_for: SignersFor) -> None:
        row = connection.execute(
            QUERIES.source_of_stream.sql,
            {"account_id": self.account_id, "send_id": self.send_id, "source_id": source_id},
        ).fetchone()
        if row is None:
            self._composers[source_id] = "the source of the message is gone"
            return
        sources = {**self.sources, **row[0]}
        signers = self._signers_of(sources["from_email"], signers_for)
        if not signers:
            self._composers[source_id] = f"{sources['from_email']} is of no sending domain. Add the domain."
            return
        try:
            self._composers[source_id] = Composer(
                account_id=self.account_id, send_id=self.send_id, nonce=self.nonce, sources=sources, signers=signers,
                key=self.key,
            )  # fmt: skip
        except (ContentError, ValueError, KeyError) as error:
            self._composers[source_id] = str(error)

    def _signers_of(self, email: str, signers_for: SignersFor) -> Sequence[Signer]:
        domain = _domain(email)
        if not self._signers.get(domain):  # a domain that was not there may have been added since
            if len(self._signers) > SOURCES_KEPT:
                self._signers.clear()
            self._signers[domain] = signers_for(email)
        return self._signers[domain]


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()
