"""What the tracker does with each kind of address: read the token, judge, write down, answer."""

import time
from asyncio import Future
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_plus

from standfast.platform.spool import Spool, SpoolError
from standfast.protocols.event_record import encode_event
from standfast.protocols.tokens import RecipientRef, TokenError, open_recipient, verify_link
from standfast.protocols.verdict import BurstWatch, Verdict, judge_click, judge_open
from standfast.services.tracker import pages, replies
from standfast.services.tracker.replies import Reply

AGENT_CHARS_MAX = 512
LINK_DIGITS_MAX = 6
HONEYPOT_LINK = 0
LINKS_REMEMBERED = 1024  # at 8 KB each, the longest address that is read


class Request(NamedTuple):
    """What the handlers need of an HTTP request. `path` is decoded, `query` is not."""

    method: str
    path: str
    query: str
    agent: str
    ip: str
    body: bytes


class Hits:
    """The handlers, with what they share: the key, the spool, and the memory of the last second."""

    def __init__(self, *, spool: Spool, token_key: bytes) -> None:
        self.spool = spool
        self.verdicts: dict[Verdict, int] = {}
        self._key = token_key
        self._bursts = BurstWatch()

    async def opened(self, request: Request) -> Reply:
        """GET /o/<token>.gif"""
        path = request.path
        if not path.endswith(".gif"):
            return replies.NOT_FOUND
        try:
            ref = open_recipient(self._key, path[3:-4])
        except TokenError:
            return replies.BAD_TOKEN
        verdict = judge_open(method=request.method, agent=request.agent, ip=request.ip)
        try:
            await self._record("opened", ref, time.time_ns(), request, self._judged(verdict))
        except SpoolError:
            return replies.BUSY
        return replies.OPENED

    async def clicked(self, request: Request) -> Reply:
        """GET /c/<token>/<link>?u=<destination>&s=<signature>: nothing unsigned is ever redirected to."""
        token, _, number = request.path[3:].partition("/")
        try:
            ref = open_recipient(self._key, token)
        except TokenError:
            return replies.BAD_TOKEN
        if not (number.isascii() and number.isdigit() and len(number) <= LINK_DIGITS_MAX):
            return replies.NOT_FOUND
        link = int(number)
        url = signed_destination(self._key, ref.account_id, ref.send_id, link, request.query)
        if url is None and link != HONEYPOT_LINK:
            return replies.BAD_SIGNATURE
        if url is not None and not url[:8].lower().startswith(("http://", "https://")):
            return replies.BAD_DESTINATION
        try:
            await self._record_click(ref, link, url, request)
        except SpoolError:
            return replies.BUSY if url is None else replies.busy_on_the_way_to(url)
        return replies.TRAPPED if url is None else replies.redirect(url)

    async def unsubscribe(self, request: Request) -> Reply:
        """GET /u/<token> shows a page and changes nothing, POST acts (RFC 8058), POST /u/<token>/undo takes it back."""
        token, _, rest = request.path[3:].partition("/")
        try:
            ref = open_recipient(self._key, token)
        except TokenError:
            return replies.BAD_TOKEN
        if rest not in {"", "undo"}:
            return replies.NOT_FOUND
        if request.method == "POST":
            return await self._act(ref, token, request, undo=rest == "undo")
        if rest:
            return replies.not_allowed("POST")
        return replies.page(200, pages.unsubscribe(token), "unsubscribe_page")

    async def _act(self, ref: RecipientRef, token: str, request: Request, *, undo: bool) -> Reply:
        kind = "resubscribed" if undo else "unsubscribed"
        data = {"way": "page" if undo else _way(request.body)}
        try:
            await self._record(kind, ref, time.time_ns(), request, data)
        except SpoolError:
            return replies.BUSY
        html = pages.resubscribed(token) if undo else pages.unsubscribed(token)
        return replies.page(200, html, kind)

    def _record_click(self, ref: RecipientRef, link: int, url: str | None, request: Request) -> Future[int]:
        at_ns = time.time_ns()
        verdict = judge_click(
            method=request.method,
            agent=request.agent,
            recipient=ref[:3],
            link=link,
            at=at_ns / 1e9,
            sent_at=ref.sent_at,
            bursts=self._bursts,
        )
        return self._record("clicked", ref, at_ns, request, {**self._judged(verdict), "link": link, "url": url or ""})

    def _judged(self, verdict: Verdict) -> dict[str, Any]:
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        return {"verdict": verdict.kind, "reason": verdict.reason}

    def _record(
        self, kind: str, ref: RecipientRef, at_ns: int, request: Request, data: Mapping[str, Any]
    ) -> Future[int]:
        payload = encode_event(
            account_id=ref.account_id,
            at_us=at_ns // 1000,
            kind=kind,
            contact_id=ref.contact_id,
            send_id=ref.send_id,
            seq=ref.seq,
            data={**data, "ua": request.agent[:AGENT_CHARS_MAX], "ip": request.ip},
        )
        return self.spool.append(payload)


@lru_cache(maxsize=LINKS_REMEMBERED)
def signed_destination(key: bytes, account_id: int, send_id: int, link: int, query: str) -> str | None:
    """The destination in the query, None unless it is signed for this link of this send.

    Remembered, as all recipients of a send share it.
    """
    raw, signature = _destination(query)
    # Some programs rewrite a space as "+": the signature tells which reading is the one that was sent.
    for url in (unquote(raw), unquote_plus(raw)) if "+" in raw else (unquote(raw),):
        if url and verify_link(key, account_id=account_id, send_id=send_id, link_id=link, url=url, signature=signature):
            return url
    return None


def _destination(query: str) -> tuple[str, str]:
    """The raw `u` and `s` of the query. Some mail programs leave the `&amp;` of HTML in place."""
    raw = signature = ""
    for part in query.split("&"):
        name, _, value = part.removeprefix("amp;").partition("=")
        if name == "u":
            raw = value
        elif name == "s":
            signature = value
    return raw, signature


def _way(body: bytes) -> str:
    """How the wish came: by the mail program's button (RFC 8058), by our page, or some other POST, which counts too:
    whoever asks to be left alone is."""
    if b"List-Unsubscribe" in body and b"One-Click" in body:
        return "one_click"
    return "page" if b"from=page" in body else "post"
