"""What the tracker does with each kind of address: read the token, judge, and say what to write down and to answer."""

import time
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_plus

from standfast.protocols.event_record import encode_prepared, json_text
from standfast.protocols.tokens import RecipientRef, TokenError, open_recipient, verify_link, verify_sender
from standfast.protocols.verdict import BurstWatch, Verdict, judge_click, judge_open
from standfast.services.tracker import pages, replies
from standfast.services.tracker.replies import Answer, Durable, Refusal, Reply
from standfast.services.tracker.request import Request

LINK_DIGITS_MAX = 6
HONEYPOT_LINK = 0
LINKS_REMEMBERED = 1024  # at 8 KB each, the longest address that is read


class Destination:
    """Where a signed link leads, with what every click on it needs. `data` is a piece of the event's JSON."""

    __slots__ = ("data", "refused", "reply")

    def __init__(self, link: int, url: str, reply: Reply, refused: Refusal) -> None:
        self.data = f',"link":{link},"url":{json_text(url)}'
        self.reply, self.refused = reply, refused


class Hits:
    """The handlers, with what they share: the key, the counts, and the memory of the last second."""

    def __init__(self, *, token_key: bytes, pages_url: str) -> None:
        """`pages_url` is where the application has its public pages, without a slash at the end."""
        self.verdicts: dict[Verdict, int] = {}
        self._key, self._pages_url = token_key, pages_url
        self._bursts = BurstWatch()
        self._judgements: dict[Verdict, str] = {}

    def opened(self, request: Request) -> Answer:
        """GET /o/<token>.gif"""
        path = request.path
        if path[-4:] != ".gif":
            return replies.NOT_FOUND
        try:
            ref = open_recipient(self._key, path[3:-4])
        except TokenError:
            return replies.BAD_TOKEN
        verdict = judge_open(is_head=request.method == b"HEAD", agent=request.agent, ip=request.ip)
        payload = _event("opened", ref, time.time_ns(), request, self._judged(verdict))
        return payload, replies.OPENED, replies.busy

    def clicked(self, request: Request) -> Answer:
        """GET /c/<token>/<link>?u=<destination>&s=<signature>: nothing unsigned is ever redirected to."""
        token, _, number = request.path[3:].partition("/")
        try:
            ref = open_recipient(self._key, token)
        except TokenError:
            return replies.BAD_TOKEN
        if not (number.isascii() and number.isdigit() and len(number) <= LINK_DIGITS_MAX):
            return replies.NOT_FOUND
        link = int(number)
        to = signed_destination(self._key, ref.account_id, ref.send_id, link, request.query)
        if isinstance(to, Reply):
            return to
        at_ns = time.time_ns()
        verdict = judge_click(
            is_head=request.method == b"HEAD",
            agent=request.agent,
            recipient=ref[:3],
            link=link,
            at=at_ns / 1e9,
            sent_at=ref.sent_at,
            bursts=self._bursts,
        )
        payload = _event("clicked", ref, at_ns, request, self._judged(verdict) + to.data)
        return payload, to.reply, to.refused

    def unsubscribe(self, request: Request) -> Answer:
        """GET /u/<token> shows a page and changes nothing, POST acts (RFC 8058), POST /u/<token>/undo takes it back."""
        token, _, rest = request.path[3:].partition("/")
        try:
            ref = open_recipient(self._key, token)
        except TokenError:
            return replies.BAD_TOKEN
        if rest not in {"", "undo"}:
            return replies.NOT_FOUND
        letter = letter_of(self._key, ref, token, request.query)
        if request.method == b"POST":
            if rest:
                return _act("resubscribed", ref, request, letter, pages.resubscribed(letter), "page")
            return _act("unsubscribed", ref, request, letter, pages.unsubscribed(letter), _way(request.body))
        if rest:
            return replies.not_allowed("POST")
        return replies.page(200, pages.unsubscribe(letter), "unsubscribe_page")

    def report_spam(self, request: Request) -> Answer:
        """GET /r/<token> asks, POST records a complaint, which has the same effect as one through a feedback loop."""
        token = request.path[3:]
        try:
            ref = open_recipient(self._key, token)
        except TokenError:
            return replies.BAD_TOKEN
        letter = letter_of(self._key, ref, token, request.query)
        if request.method == b"POST":
            return _act("complained", ref, request, letter, pages.reported(letter), "page")
        return replies.page(200, pages.report_spam(letter), "report_page")

    def profile(self, request: Request) -> Answer:
        """GET /p/<token>: the application has the page, as it needs the database."""
        return self._elsewhere(request, "preferences")

    def view(self, request: Request) -> Answer:
        """GET /v/<token>: the letter in a browser, which the application shows."""
        return self._elsewhere(request, "view")

    def _elsewhere(self, request: Request, page: str) -> Reply:
        token = request.path[3:]
        try:
            open_recipient(self._key, token)
        except TokenError:
            return replies.BAD_TOKEN
        return replies.redirect(f"{self._pages_url}/{page}/{token}")

    def _judged(self, verdict: Verdict) -> str:
        """Count a verdict, and give it as a piece of the event's JSON."""
        counts = self.verdicts
        counts[verdict] = counts.get(verdict, 0) + 1
        try:
            return self._judgements[verdict]
        except KeyError:
            text = f'"verdict":{json_text(verdict.kind.value)},"reason":{json_text(verdict.reason.value)}'
            return self._judgements.setdefault(verdict, text)


def _act(  # noqa: PLR0917
    kind: str, ref: RecipientRef, request: Request, letter: pages.Letter, html: bytes, way: str
) -> Durable:
    payload = _event(kind, ref, time.time_ns(), request, f'"way":{json_text(way)}')
    return payload, replies.page(200, html, kind), lambda error: replies.busy_with(letter)


def letter_of(key: bytes, ref: RecipientRef, token: str, query: str) -> pages.Letter:
    """The letter that the pages are about. The sender is named when the query bears the signature of the name."""
    raw, signature = _signed_value(query, "n")
    name = unquote(raw)
    if not name or not verify_sender(
        key, account_id=ref.account_id, send_id=ref.send_id, name=name, signature=signature
    ):
        return pages.Letter(token, "", "")
    return pages.Letter(token, name, f"?n={quote(name, safe='')}&s={signature}")


def _event(kind: str, ref: RecipientRef, at_ns: int, request: Request, data: str) -> bytes:
    account_id, send_id, seq, contact_id, _ = ref
    return encode_prepared(
        kind,
        account_id,
        at_ns // 1000,
        contact_id,
        send_id,
        seq,
        f"{data},{_agent(request.agent)}{json_text(request.ip)}",
    )


@lru_cache(maxsize=4096)
def _agent(agent: str) -> str:
    return f'"ua":{json_text(agent)},"ip":'


@lru_cache(maxsize=LINKS_REMEMBERED)
def signed_destination(key: bytes, account_id: int, send_id: int, link: int, query: str) -> Destination | Reply:
    """The destination in the query if it is signed for this link of this send, else the answer that refuses it.

    Remembered, as all recipients of a send share it. The honeypot needs no destination.
    """
    raw, signature = _signed_value(query, "u")
    # Some programs rewrite a space as "+": the signature tells which reading is the one that was sent.
    for url in (unquote(raw), unquote_plus(raw)) if "+" in raw else (unquote(raw),):
        if url and verify_link(key, account_id=account_id, send_id=send_id, link_id=link, url=url, signature=signature):
            break
    else:
        if link != HONEYPOT_LINK:
            return replies.BAD_SIGNATURE
        return Destination(link, "", replies.TRAPPED, replies.busy)
    if not url[:8].lower().startswith(("http://", "https://")):
        return replies.BAD_DESTINATION
    busy = replies.busy_on_the_way_to(url)
    return Destination(link, url, replies.redirect(url), lambda error: busy)


def _signed_value(query: str, wanted: str) -> tuple[str, str]:
    """The raw `wanted` and `s` of the query. Some mail programs leave the `&amp;` of HTML in place."""
    raw = signature = ""
    for part in query.split("&"):
        name, _, value = part.removeprefix("amp;").partition("=")
        if name == wanted:
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
