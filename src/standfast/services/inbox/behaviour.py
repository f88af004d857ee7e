"""Who reads a message and what they do with it: people and machines, decided by a seed.

Each behaviour is a share of the messages; the decision depends on seed and Message-ID only. What a message offers
(pixel, links, unsubscribe URL) is read from the message itself, as a mail program would.
"""

from __future__ import annotations

import binascii
import hashlib
import html
import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit


class Kind(StrEnum):
    """What was done, as the tally counts it: one of each kind a message at most."""

    PERSON_OPEN = "person_open"
    PERSON_CLICK = "person_click"
    ONE_CLICK = "one_click_unsubscribe"
    PAGE_UNSUBSCRIBE = "page_unsubscribe"
    COMPLAINT = "complaint"
    LATE_BOUNCE = "late_bounce"
    GMAIL_PROXY = "gmail_proxy_open"
    APPLE_PREFETCH = "apple_prefetch_open"
    SCANNER = "scanner"
    LINK_PREFETCH = "unsubscribe_prefetch"


PERSON_AGENTS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.12.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile",
)
GMAIL_PROXY_AGENT = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
APPLE_AGENT = "Mozilla/5.0"
SCANNER_AGENT = "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))"
PREFETCH_AGENT = "Mozilla/5.0 (compatible; BingPreview/1.0b)"

DEFAULT_SHARES: dict[Kind, float] = {
    Kind.PERSON_OPEN: 0.30,
    Kind.PERSON_CLICK: 0.06,
    Kind.ONE_CLICK: 0.004,
    Kind.PAGE_UNSUBSCRIBE: 0.003,
    Kind.COMPLAINT: 0.001,
    Kind.LATE_BOUNCE: 0.004,
    Kind.GMAIL_PROXY: 0.05,
    Kind.APPLE_PREFETCH: 0.10,
    Kind.SCANNER: 0.02,
    Kind.LINK_PREFETCH: 0.01,
}
CLICK_SECONDS_MIN = 3.0
"""Nobody reads and clicks within two seconds of the sending; trackers take such a click for a machine's."""
_MACHINES = frozenset({Kind.GMAIL_PROXY, Kind.APPLE_PREFETCH, Kind.SCANNER, Kind.LINK_PREFETCH})


@dataclass(frozen=True, slots=True)
class ReadersPlan:
    """Shares by kind; delay_scale 1 means people take up to ten seconds, 0.1 up to one."""

    seed: str = "1"
    shares: dict[Kind, float] = field(default_factory=lambda: dict(DEFAULT_SHARES))
    delay_scale: float = 0.1

    def actions(self, message_id: str) -> list[tuple[float, Kind]]:
        """What happens to this message: (seconds after its arrival, kind)."""
        chosen = {kind for kind, share in self.shares.items() if self.draw(message_id, kind) < share}
        if Kind.LATE_BOUNCE in chosen:
            return [(self._delay(message_id, Kind.LATE_BOUNCE), Kind.LATE_BOUNCE)]  # nobody was there to read it
        if chosen & {Kind.PERSON_CLICK, Kind.PAGE_UNSUBSCRIBE, Kind.COMPLAINT}:
            chosen.add(Kind.PERSON_OPEN)  # whoever clicks has seen the pictures
        if Kind.ONE_CLICK in chosen:
            chosen.discard(Kind.PAGE_UNSUBSCRIBE)  # once is enough
        return sorted((self._delay(message_id, kind), kind) for kind in chosen)

    def draw(self, message_id: str, question: str) -> float:
        """A number in [0, 1) that depends on nothing but its arguments and the seed."""
        digest = hashlib.blake2b(f"{self.seed}\n{message_id}\n{question}".encode(), digest_size=7).digest()
        return int.from_bytes(digest, "big") / 2**56

    def _delay(self, message_id: str, kind: Kind) -> float:
        seconds = self.draw(message_id, kind + " delay") * self.delay_scale
        if kind in _MACHINES:
            return seconds
        least = 0.0 if kind in (Kind.PERSON_OPEN, Kind.ONE_CLICK, Kind.LATE_BOUNCE) else CLICK_SECONDS_MIN
        return least + 10 * seconds


def parse_readers(spec: str) -> ReadersPlan | None:
    """Nobody for "off" or "", the usual people for "on", or "seed:7,person_open=0.5,delay_scale=0.01".

    all=0.1 sets every share. Raises ValueError with what was not understood.
    """
    spec = spec.strip()
    if spec in ("", "off"):
        return None
    if spec == "on":
        return ReadersPlan()
    if not spec.startswith("seed:"):
        raise ValueError(f"readers must be on, off or seed:..., not {spec!r}")
    seed, *settings = spec.removeprefix("seed:").split(",")
    shares, scale = dict(DEFAULT_SHARES), 0.1
    for setting in settings:
        name, _, value = (part.strip() for part in setting.partition("="))
        try:
            if name == "delay_scale":
                scale = float(value)
            elif name == "all":
                shares = dict.fromkeys(Kind, float(value))
            else:
                shares[Kind(name)] = float(value)
        except ValueError as error:
            raise ValueError(f"the readers' {setting.strip()!r} is not understood: {error}") from error
    return ReadersPlan(seed=seed, shares=shares, delay_scale=scale)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a message offers to a reader: paths with query on the tracker, and the header's one-click URL."""

    pixel: str
    links: tuple[str, ...]
    honeypot: str
    unsubscribe: str
    one_click: str
    bulk_headers: bytes


_URL = re.compile(rb'https?://[^\s"\'<>)\]]+')
_LIST_UNSUBSCRIBE = re.compile(rb"^List-Unsubscribe:[ \t]*((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_ONE_CLICK = re.compile(rb"^List-Unsubscribe-Post:[ \t]*List-Unsubscribe=One-Click", re.IGNORECASE | re.MULTILINE)


def read_offer(raw: bytes) -> Offered:
    """Find the pixel, links and unsubscribe URLs of a quoted-printable or plain message; "" where there is none."""
    split = raw.find(b"\r\n\r\n")
    head = raw[: split + 2] if split >= 0 else raw
    body = raw[split + 4 :] if split >= 0 else b""
    text = binascii.a2b_qp(body) if b"quoted-printable" in raw else body
    targets = [_target(match) for match in dict.fromkeys(_URL.findall(text))]
    links = [target for target in targets if target.startswith("/c/")]
    found = _LIST_UNSUBSCRIBE.search(head)
    header_urls = _URL.findall(re.sub(rb"\s", b"", found.group(1))) if found else []
    one_click = _target(header_urls[0]) if header_urls and _ONE_CLICK.search(head) else ""
    page = next((target for target in targets if target.startswith("/u/")), one_click)
    return Offered(
        pixel=next((target for target in targets if target.startswith("/o/")), ""),
        links=tuple(link for link in links if _link_number(link) != "0"),
        honeypot=next((link for link in links if _link_number(link) == "0"), ""),
        unsubscribe=page,
        one_click=one_click,
        bulk_headers=head,
    )


def _target(url: bytes) -> str:
    parts = urlsplit(html.unescape(url.decode("utf-8", "replace")))
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _link_number(target: str) -> str:
    return urlsplit(target).path.rpartition("/")[2]
