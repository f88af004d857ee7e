"""The links of a content: numbered, pointed at the tracker, and looked at with suspicion."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape, unescape
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from standfast.components.content.placeholders import TAG_REST, Hidden, outside_comments
from standfast.components.content.problems import Problem, Severity
from standfast.protocols.liquid import MESSAGE_TOKEN, ContentError, compile_template
from standfast.protocols.tokens import sign_link, sign_sender

UNSUBSCRIBE_NAMES = frozenset(
    ["unsubscribe_link", "unsubscribe_url", "one_click_unsub_url", "list_unsub_url", "list_unsub_url_full",
     "workflow_unsub_url", "workflow_unsub_aa_url"]
)  # fmt: skip
# Pages about the message itself: the tracker's door of each name under `campaign`.
_DOORS = {
    **dict.fromkeys(sorted(UNSUBSCRIBE_NAMES), "u"),
    "report_spam": "r",
    "edit_profile": "p",
    "click_to_view": "v",
}
MESSAGE_PAGES = frozenset(_DOORS)
_SENDER_CHARS_MAX = 240  # as written in the address, which stands in a header of the message too

_ANCHOR = re.compile(rf"<!--|<(?:a|area)\s{TAG_REST}>", re.IGNORECASE)
_HREF = re.compile(r"(?<=\s)href\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_UNTRACKED_SCHEMES = frozenset(["mailto:", "tel:", "sms:", "cid:"])
_REFUSED_SCHEMES = frozenset(["javascript:", "data:", "vbscript:", "file:"])
_PRIVATE_SUFFIXES = (".local", ".localhost", ".internal", ".lan", ".intranet", ".home.arpa")
_EXAMPLES = ("example.com", "example.net", "example.org")  # kept for examples by RFC 2606: the starters lead there
LINKS_MAX = 2_000


@dataclass(frozen=True)
class Link:
    """A tracked link: its number in the message, where it leads (Liquid where that differs by recipient), its words."""

    n: int
    url: str
    text: str


@dataclass(frozen=True)
class LinkSigner:
    """Makes the addresses of one send. `tracker_url` has no slash at its end; `key` is the tracker's."""

    tracker_url: str
    key: bytes = field(repr=False)
    account_id: int
    send_id: int
    sender: str = ""  # the name that the unsubscribe page shows

    def around_token(self, n: int, url: str) -> tuple[str, str]:
        """What stands before and after the message's token in a click address."""
        signature = sign_link(self.key, account_id=self.account_id, send_id=self.send_id, link_id=n, url=url)
        return f"{self.tracker_url}/c/", f"/{n}?u={quote(url, safe='')}&s={signature}"

    def click_parts(self, n: int, url: str) -> tuple[str, str | None]:
        """A click address around the token, for a destination that is known only now; `#` for what must not be linked.

        Addresses that are not tracked come back whole, with None.
        """
        scheme = _SCHEME.match(url)
        if scheme is None or scheme[0].lower() not in ("http:", "https:"):
            return (url if scheme and scheme[0].lower() in _UNTRACKED_SCHEMES else "#"), None
        return self.around_token(n, url.encode("utf-8", "replace").decode())

    def message_urls(self) -> dict[str, tuple[str, str]]:
        """`campaign.unsubscribe_url` and its like, as text around the token."""
        named = {"u": self.sender_query, "r": self.sender_query}
        return {name: (f"{self.tracker_url}/{door}/", named.get(door, "")) for name, door in _DOORS.items()}

    @property
    def sender_query(self) -> str:
        """What stands behind the token where a page shall name the sender: the name and its signature; "" for none."""
        name = " ".join(self.sender.split())
        while len(quote(name, safe="")) > _SENDER_CHARS_MAX:
            name = name[:-1]
        if not name:
            return ""
        signature = sign_sender(self.key, account_id=self.account_id, send_id=self.send_id, name=name)
        return f"?n={quote(name, safe='')}&s={signature}"


@dataclass
class Tracked:
    """HTML with its links rewritten."""

    html: str
    links: list[Link]
    problems: list[Problem]


def track_links(html: str, hidden: Hidden, line_of: Callable[[str], int], signer: LinkSigner) -> Tracked:
    """Number and rewrite the links of HTML whose Liquid is hidden.

    A fixed destination is signed here, once; one that holds Liquid is wrapped to be signed when it is known.
    Raises ContentError for more than LINKS_MAX links.
    """
    result = Tracked("", [], [])
    pieces: list[str] = []
    done = 0
    for tag in outside_comments(_ANCHOR, html):
        href = _HREF.search(tag[0])
        if href is None:
            continue
        group = next(index for index in (1, 2, 3) if href[index] is not None)
        new = _rewrite(href[group].strip(), html[tag.end() : tag.end() + 4000], hidden, line_of, signer, result)
        if new is not None:
            start = tag.start() + href.start()
            pieces += (html[done:start], f'href="{new}"')
            done = tag.start() + href.end()
    result.html = "".join([*pieces, html[done:]])
    return result


def _rewrite(  # noqa: PLR0917
    value: str, after: str, hidden: Hidden, line_of: Callable[[str], int], signer: LinkSigner, result: Tracked
) -> str | None:
    """The new value of an `href`, or None to leave it alone."""
    destination = unescape(hidden.reveal(value))
    scheme = _SCHEME.match(destination)
    liquid = "{{" in destination or "{%" in destination
    line = line_of(destination) or line_of(value)
    if _leads_to_message_page(destination) or not destination or destination.startswith("#"):
        return None
    if scheme is None and not destination.startswith("{"):
        result.problems.append(_problem(line, f"the link `{destination[:80]}` has no https:// in front",
                                        "Write the whole address.", Severity.WARNING))  # fmt: skip
        return None
    if scheme and scheme[0].lower() not in ("http:", "https:"):
        if scheme[0].lower() not in _UNTRACKED_SCHEMES:
            severity = Severity.ERROR if scheme[0].lower() in _REFUSED_SCHEMES else Severity.WARNING
            result.problems.append(_problem(line, f"a link begins with `{scheme[0]}`, which mail programs block",
                                            "Link to a web page instead.", severity))  # fmt: skip
        return None
    if scheme:
        result.problems += check_url(destination, line)
    if liquid and not _stands_alone(hidden.reveal(value)):
        result.problems.append(_problem(line, f"the link `{destination[:80]}` cannot be tracked",
                                        "Keep each `{% if %}` and its `{% endif %}` inside one address.",
                                        Severity.WARNING))  # fmt: skip
        return None
    n = len(result.links) + 1
    if n > LINKS_MAX:
        raise ContentError(line, f"the content has more than {LINKS_MAX:,} links")
    result.links.append(Link(n, destination, _words(after, hidden)))
    if liquid:
        return f"{{% tracked_link {n} %}}{value}{{% endtracked_link %}}"
    before, behind = signer.around_token(n, destination)
    return escape(before) + MESSAGE_TOKEN + escape(behind)


def _leads_to_message_page(destination: str) -> bool:
    found = re.match(r"\{\{-?\s*campaign\.(\w+)", destination)
    return found is not None and found[1] in MESSAGE_PAGES


def _stands_alone(liquid: str) -> bool:
    try:
        compile_template(liquid, html=True)
    except ContentError:
        return False
    return True


def _words(after: str, hidden: Hidden) -> str:
    inner = re.split(r"</a\s*>", after, maxsplit=1, flags=re.IGNORECASE)[0]
    alt = re.search(r"<img\b[^<>]*\balt\s*=\s*[\"']([^\"']*)", inner, re.IGNORECASE)
    text = " ".join(unescape(hidden.reveal(re.sub(r"<(?!!--)[^<>]*>", " ", inner))).split())
    return (text or (unescape(hidden.reveal(alt[1])) if alt else ""))[:200]


def check_url(url: str, line: int) -> list[Problem]:
    """Look at an http(s) address: private networks are an error, http without s and what a starter left a warning."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return [_problem(line, f"the link `{url[:80]}` is no address", "Check its spelling.", Severity.ERROR)]
    if "{" in host:
        return []
    if not host:
        return [_problem(line, f"the link `{url[:80]}` has no host", "Check its spelling.", Severity.ERROR)]
    if _is_private(host):
        return [_problem(line, f"the link `{url[:80]}` leads into a private network, where readers cannot follow",
                         "Link to a public address.", Severity.ERROR)]  # fmt: skip
    if parts.username or parts.password:
        return [_problem(line, f"the link to `{host}` holds a user name", "Leave it out.", Severity.WARNING)]
    if host.lower().removeprefix("www.") in _EXAMPLES:
        return [
            _problem(line, f"the link `{url[:80]}` is only an example", "Put in your own address.", Severity.WARNING)
        ]
    if parts.scheme.lower() == "http":
        return [_problem(line, f"the link `{url[:80]}` is not encrypted", "Write https://.", Severity.WARNING)]
    return []


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        pass
    # Browsers read 127.1, 2130706433 and 0x7f.1 as addresses too.
    last = host.rsplit(".", 1)[-1]
    return "." not in host or host.endswith(_PRIVATE_SUFFIXES) or last.isdigit() or last.lower().startswith("0x")


def _problem(line: int, what: str, remedy: str, severity: Severity) -> Problem:
    return Problem(severity, line, what[:1].upper() + what[1:] + ".", remedy)
