"""Was it a person or a machine that opened or clicked, and how do we know?

Mail passes through scanners that follow every link, proxies that fetch every image, and privacy services that load
images for people who never looked. Each hit gets a verdict with one named reason; reports count people, and show the
machines beside them. A doubtful hit counts as a person: the reasons are the ones that leave little doubt.

Sources: the vendors' published agents (Google image proxy, Yahoo mail proxy, Barracuda, Mimecast, Proofpoint), Apple's
Mail Privacy Protection, which fetches with the bare agent `Mozilla/5.0`, and the addresses of Apple (17.0.0.0/8).
"""

import re
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

CLICK_SECONDS_MIN = 2
BURST_SECONDS = 1.0
BURST_RECIPIENTS_MAX = 20_000
AGENT_CHARS_MAX = 512


class Kind(StrEnum):
    """Who acted."""

    HUMAN = "human"
    MACHINE = "machine"


class Reason(StrEnum):
    """Why the verdict is what it is."""

    PERSON = "person"
    HEAD = "head"  # a HEAD request: nothing was shown to anybody
    HONEYPOT = "honeypot"  # followed a link that no person sees
    NO_AGENT = "no_agent"  # no User-Agent at all
    IMAGE_PROXY = "image_proxy"  # a mailbox provider's image proxy
    PRIVACY_PROXY = "privacy_proxy"  # Apple Mail Privacy Protection
    SCANNER = "scanner"  # a mail security gateway
    LIBRARY = "library"  # a program's HTTP library, not a browser
    BOT = "bot"  # says itself that it is one
    TOO_SOON = "too_soon"  # clicked before a person could have received the message
    BURST = "burst"  # several links of one message at once


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Who acted, and why we think so. There is one object of each, so that counting by it costs no comparison."""

    kind: Kind
    reason: Reason


PERSON = Verdict(Kind.HUMAN, Reason.PERSON)
_MACHINE: dict[Reason, Verdict] = {
    reason: Verdict(Kind.MACHINE, reason) for reason in Reason if reason is not Reason.PERSON
}

# Tried in this order; the first that matches names the reason.
_AGENTS = (
    (Reason.IMAGE_PROXY, r"googleimageproxy|ggpht\.com|yahoomailproxy|yahoocachesystem|outlookimageproxy"),
    (
        Reason.SCANNER,
        r"safelinks|barracuda|mimecast|proofpoint|urldefense|fireeye|trendmicro|symantec|messagelabs|forcepoint"
        r"|ironport|cisco.?umbrella|sophos|mailguard|trustwave|zscaler|cloudmark|bitdefender|kaspersky|checkpoint"
        r"|vadesecure|cyren|avanan|microsoft.?defender|urlscan|virustotal|microsoft office.?protocol",
    ),
    (
        Reason.LIBRARY,
        r"^(curl|wget|python|aiohttp|httpx|go-http-client|java|okhttp|apache-httpclient|libwww|lwp|ruby|faraday|php"
        r"|guzzle|node|axios|undici|got|dart|perl|winhttp|powershell|httpie|postman|insomnia|rest-client|scrapy|ureq"
        r"|reqwest|hyper)\b|python-requests|python-urllib|headlesschrome|phantomjs|puppeteer|playwright|selenium",
    ),
    (
        Reason.BOT,
        r"(?<!cu)bot(\b|[/;_-])|crawl|spider|slurp|preview|monitor|uptime|pingdom|facebookexternalhit|scanner|scan/",
    ),
)
_PATTERNS = tuple((reason, re.compile(pattern)) for reason, pattern in _AGENTS)
_APPLE_PROXY_AGENTS = frozenset({"mozilla/5.0"})
_APPLE_NETWORK = "17."


@lru_cache(maxsize=4096)
def agent_reason(agent: str) -> Reason | None:
    """What a User-Agent header gives away, None for what looks like a browser or mail program."""
    agent = agent[:AGENT_CHARS_MAX].strip().lower()
    if not agent:
        return Reason.NO_AGENT
    if agent in _APPLE_PROXY_AGENTS:
        return Reason.PRIVACY_PROXY
    return next((reason for reason, pattern in _PATTERNS if pattern.search(agent)), None)


def judge_open(*, is_head: bool, agent: str, ip: str) -> Verdict:
    """The verdict on a fetch of the open pixel."""
    if is_head:
        return _MACHINE[Reason.HEAD]
    reason = agent_reason(agent)
    if reason is None and ip.startswith(_APPLE_NETWORK):
        reason = Reason.PRIVACY_PROXY
    return PERSON if reason is None else _MACHINE[reason]


class BurstWatch:
    """Remembers which link each recipient followed last, for a second, of the most recent recipients only."""

    def __init__(self, *, recipients_max: int = BURST_RECIPIENTS_MAX) -> None:
        self._recipients_max = recipients_max
        self._last: OrderedDict[tuple[int, int, int], tuple[float, int]] = OrderedDict()

    def is_burst(self, recipient: tuple[int, int, int], *, link: int, at: float) -> bool:
        """Whether this recipient followed another link less than a second ago. `at` is in unix seconds."""
        previous = self._last.pop(recipient, None)
        self._last[recipient] = (at, link)
        if len(self._last) > self._recipients_max:
            self._last.popitem(last=False)
        return previous is not None and previous[1] != link and abs(at - previous[0]) < BURST_SECONDS


def judge_click(
    *,
    is_head: bool,
    agent: str,
    recipient: tuple[int, int, int],
    link: int,
    at: float,
    sent_at: int,
    bursts: BurstWatch,
) -> Verdict:
    """The verdict on a followed link. `recipient` is (account, send, seq), times are unix seconds, link 0 is the
    honeypot."""
    burst = bursts.is_burst(recipient, link=link, at=at)
    if is_head:
        return _MACHINE[Reason.HEAD]
    if link == 0:
        return _MACHINE[Reason.HONEYPOT]
    reason = agent_reason(agent)
    if reason is not None:
        return _MACHINE[reason]
    if at - sent_at < CLICK_SECONDS_MIN:
        return _MACHINE[Reason.TOO_SOON]
    return _MACHINE[Reason.BURST] if burst else PERSON
