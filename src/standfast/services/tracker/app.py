"""The tracker's dispatch: which handler for which address and method. No framework: it is the busiest door of all."""

import time
from collections import Counter

from standfast.platform.spool import Spool
from standfast.protocols.event_record import encode_event
from standfast.services.tracker import client, health, replies
from standfast.services.tracker.hits import Hits
from standfast.services.tracker.metrics import TrackerCollector, metrics_text
from standfast.services.tracker.replies import Answer, Reply
from standfast.services.tracker.request import Request

TARGET_CHARS_MAX = 8192
SPOOL_CHECK_SECONDS = 1.0
# The shipper drops events of this account: a check is no event of anybody.
NO_ACCOUNT = 0
_LOOKING = frozenset([b"GET", b"HEAD"])
_ACTING = frozenset([b"GET", b"HEAD", b"POST"])
_LOOPBACK = client.parse_networks("127.0.0.0/8, ::1")


class TrackerApp:
    """Answers requests. `pages_url` is the application's; `trusted` are the proxies whose X-Forwarded-For is believed."""

    def __init__(
        self,
        *,
        spool: Spool,
        token_key: bytes,
        pages_url: str = "",
        trusted: client.Networks = (),
        anonymise_ip: bool = False,
    ) -> None:
        self.spool = spool
        self.outcomes: Counter[str] = Counter()
        self._hits = Hits(token_key=token_key, pages_url=pages_url)
        self.collector = TrackerCollector(spool=spool, verdicts=self._hits.verdicts, outcomes=self.outcomes)
        self._trusted = trusted
        self._anonymise_ip = anonymise_ip
        self._checked_at = 0.0
        self._tracking = health.Tracking(token_key=token_key, spool=spool)
        self._doors = {
            "/o/": (self._hits.opened, _LOOKING),
            "/c/": (self._hits.clicked, _LOOKING),
            "/u/": (self._hits.unsubscribe, _ACTING),
            "/r/": (self._hits.report_spam, _ACTING),
            "/p/": (self._hits.profile, _LOOKING),
            "/v/": (self._hits.view, _LOOKING),
        }

    def answer(self, request: Request) -> Answer:
        """The answer to a request, or the event that must be on disk before it is given."""
        target = request.target
        if len(target) > TARGET_CHARS_MAX:
            return replies.TOO_LONG
        door = self._doors.get(target[:3])
        path, _, request.query = target.partition("?")
        request.path = path = client.decoded(path) if "%" in path else path
        if door is None:
            return self._house(request)
        handler, methods = door
        if request.method not in methods:
            return replies.not_allowed(", ".join(sorted(method.decode() for method in methods)))
        request.ip = self._address(request) if self._trusted or self._anonymise_ip else request.peer
        return handler(request)

    def _address(self, request: Request) -> str:
        address = client.client_address(request.peer, request.forwarded, trusted=self._trusted)
        return client.anonymised(address) if self._anonymise_ip else address

    def _house(self, request: Request) -> Answer:
        """What is not for recipients: health, figures, robots."""
        path = request.path
        if path == "/healthz":
            return replies.HEALTHY
        if path == "/healthz/tracking":
            return self._tracking.answer()
        if path == "/healthz/spool":
            return self._check_spool()
        if path == "/robots.txt":
            return replies.ROBOTS
        if path == "/metrics" and self._is_local(request):
            headers = [("content-type", "text/plain; version=0.0.4; charset=utf-8"), replies.NO_STORE]
            return Reply(200, headers, metrics_text(self.collector), "metrics")
        return replies.NOT_FOUND

    def _is_local(self, request: Request) -> bool:
        """Figures are for this machine: a proxy in front names the stranger it speaks for."""
        return client.is_within(request.peer, _LOOPBACK) and request.forwarded is None

    def _check_spool(self) -> Answer:
        """Prove that a record can be made durable, at most once a second, as anybody can ask."""
        now = time.monotonic()
        if self.spool.last_error is None and now - self._checked_at < SPOOL_CHECK_SECONDS:
            return replies.HEALTHY
        self._checked_at = now
        payload = encode_event(account_id=NO_ACCOUNT, at_us=time.time_ns() // 1000, kind="checked")
        return payload, replies.HEALTHY, replies.unhealthy
