"""GET /healthz/tracking: a link of our own making is read, checked and written to disk like any other, then answered.

The shape is that of `platform/health.py`. Anybody can ask: a good answer is kept for a second. Nothing is kept while the
spool fails, so that its recovery shows at once.
"""

import json
import time

from standfast.platform.spool import Spool, SpoolError
from standfast.protocols.event_record import encode_event
from standfast.protocols.tokens import RecipientRef, TokenError, open_recipient, seal_recipient, sign_link, verify_link
from standfast.services.tracker import replies
from standfast.services.tracker.replies import Answer, Reply

NO_ACCOUNT = 0  # the shipper drops events of this account: a check is no event of anybody
KEPT_SECONDS = 1.0
_URL = "https://health.invalid/"


class Tracking:
    """The answer to the health endpoint, with what it remembers of the last second."""

    def __init__(self, *, token_key: bytes, spool: Spool) -> None:
        self._key, self._spool = token_key, spool
        self._until = 0.0
        self._kept: Reply | None = None

    def answer(self) -> Answer:
        """The kept answer, 503 when tokens do not work, or a record that must be on disk before the answer is given."""
        now = time.monotonic()
        if self._kept is not None and now < self._until and self._spool.last_error is None:
            return self._kept
        begun = time.perf_counter()
        if not self._tokens_work():
            return _reply(_row("tokens", begun, ok=False, detail="a token of our own is refused"))
        tokens = _row("tokens", begun, detail="a link of our own making is accepted")
        self._until, self._kept = now + KEPT_SECONDS, _reply(tokens, _row("disk", None, detail="a record is on disk"))
        payload = encode_event(account_id=NO_ACCOUNT, at_us=time.time_ns() // 1000, kind="checked")
        return payload, self._kept, lambda _error: self._failed(_error, tokens)

    def _failed(self, _error: SpoolError, tokens: dict[str, object]) -> Reply:
        self._kept = None
        return _reply(tokens, _row("disk", None, ok=False, detail="the spool does not take events"))

    def _tokens_work(self) -> bool:
        ref = RecipientRef(1, 1, 1, 1, int(time.time()))
        try:
            back = open_recipient(self._key, seal_recipient(self._key, ref))
        except TokenError:
            return False
        link = {"account_id": 1, "send_id": 1, "link_id": 1, "url": _URL}
        return back == ref and verify_link(self._key, **link, signature=sign_link(self._key, **link))  # type: ignore[arg-type]


def _row(name: str, begun: float | None, *, ok: bool = True, detail: str) -> dict[str, object]:
    """ms is null for the disk: the answer is made before the write that it waits for."""
    ms = None if begun is None else round((time.perf_counter() - begun) * 1000, 1)
    return {"name": name, "ok": ok, "ms": ms, "detail": detail}


def _reply(*rows: dict[str, object]) -> Reply:
    ok = all(row["ok"] for row in rows)
    body = json.dumps({"component": "tracking", "ok": ok, "checks": rows}).encode()
    headers = [("content-type", "application/json"), replies.NO_STORE]
    return Reply(200 if ok else 503, headers, body, "healthy" if ok else "unhealthy")
