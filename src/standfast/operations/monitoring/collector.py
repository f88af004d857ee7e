"""Receive the vantages' reports over HTTP, refuse what is not theirs, and hand the rest on. Keeps nothing.

POST /reports   headers X-Vantage, X-Challenge, X-Signature, body `envelope.encode`
                202 taken · 409 no good challenge: ask again with the one in X-Challenge · 400 not a report ·
                403 unknown vantage or wrong signature · 413 over 1 MB; each with one sentence in {"error"}
GET  /healthz   when each vantage was last heard
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from standfast.operations.clock import Clock, SystemClock
from standfast.operations.map import Map
from standfast.operations.monitoring import envelope
from standfast.operations.monitoring.report import Report

CHALLENGE_SECONDS_MIN = 5.0


class Collector:
    """`hand` is called with each genuine report, in the event loop's thread. Raises MapError for a key not to be read."""

    def __init__(self, the_map: Map, hand: Callable[[Report], None], clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._hand = hand
        self._keys = {vantage.id: envelope.key_of(the_map, vantage) for vantage in the_map.vantages}
        fresh = the_map.rules.absent_after_intervals * the_map.rules.interval_seconds
        self._challenges = envelope.Challenges(self._clock, seconds=max(CHALLENGE_SECONDS_MIN, fresh))
        self._heard: dict[str, float] = {}
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError where the port is taken."""
        self._runner = web.AppRunner(self.application(), access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def application(self) -> web.Application:
        application = web.Application(client_max_size=envelope.BODY_MAX)
        application.router.add_post("/reports", self._post)
        application.router.add_get("/healthz", self._health)
        return application

    def take(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Judge one POST and hand its report on; returns (status, sentence)."""
        name, challenge = headers.get("X-Vantage", ""), headers.get("X-Challenge", "")
        key = self._keys.get(name)
        if key is None:
            return 403, f"the map has no vantage {name[:80]!r}"
        if not self._challenges.good(challenge):
            return 409, "sign with the challenge in X-Challenge and send again"
        if not envelope.signed_so(key, challenge, body, headers.get("X-Signature", "")):
            return 403, f"the signature is not that of vantage {name}: compare the key files"
        try:
            report = envelope.decode(body)
        except envelope.Unreadable as error:
            return 400, str(error)
        if report.vantage != name:
            return 403, f"vantage {name} reports as {report.vantage[:80]!r}"
        self._heard[name] = self._clock.monotonic()
        self._hand(report)
        return 202, ""

    async def _post(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            status, sentence = 413, "a report is at most 1 MB"
        else:
            status, sentence = self.take(request.headers, body)
        answer = web.json_response({"error": sentence} if sentence else {}, status=status)
        if status in (202, 409):  # whoever is not known gets no challenge
            answer.headers["X-Challenge"] = self._challenges.make()
        return answer

    async def _health(self, _request: web.Request) -> web.Response:
        now = self._clock.monotonic()
        heard: dict[str, float | None] = dict.fromkeys(self._keys)
        heard |= {name: round(now - at, 1) for name, at in self._heard.items()}
        return web.json_response({"ok": True, "seconds_since_report": heard})
