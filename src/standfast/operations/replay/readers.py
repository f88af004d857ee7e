"""Whom an outage is told to, in the replay: a reader of the status page, and a subscriber with a webhook."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from standfast.operations.incidents.entries import Kind
from standfast.operations.log import Log
from standfast.operations.replay.name_servers import free_port
from standfast.operations.status_page import subscribing

POLL_SECONDS = 0.1
SETTLE_SECONDS = 10.0  # what was posted last is on its way


class PageReader:
    """A reader of the status page: asks both servers ten times a second and notes when it first sees an incident."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.urls = [f"http://127.0.0.1:{port}/api/v2/incidents/unresolved.json" for port in ports]
        self.first_seen: dict[str, float] = {}
        self.asked = self.unanswered = 0

    async def run(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while True:
                await asyncio.gather(*(self._look(session, url) for url in self.urls))
                await asyncio.sleep(POLL_SECONDS)

    async def _look(self, session: aiohttp.ClientSession, url: str) -> None:
        self.asked += 1
        try:
            async with session.get(url) as answer:
                found = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            self.unanswered += 1
            return
        if found.get("incidents"):
            self.first_seen.setdefault(url, time.time())

    def seen_by_all(self) -> float | None:
        return max(self.first_seen.values()) if len(self.first_seen) == len(self.urls) else None


class Told:
    """A confirmed subscriber of everything: takes each delivery and counts it by its update."""

    def __init__(self) -> None:
        self.first_at: float | None = None
        self.taken: Counter[str] = Counter()
        self._runner: web.AppRunner | None = None

    async def subscribe(self, log: Log) -> None:
        """Listen, ask to be told, and confirm."""
        application = web.Application()
        application.router.add_post("/", self._take)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        port, now = free_port(), datetime.now(UTC)
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        subscribing.prepare(log)
        address = f"http://127.0.0.1:{port}/"
        subscribing.subscribe(log, channel="webhook", address=address, components=None, clusters=None, now=now)
        row = log.connection.execute("select id from subscriber where address = ?", (address,)).fetchone()
        subscribing.confirm(log, subscribing.confirm_link(log.connection, row["id"]), now=now)

    async def _take(self, request: web.Request) -> web.Response:
        self.first_at = self.first_at or time.time()
        self.taken[(await request.json())["data"]["update"]["id"]] += 1
        return web.Response(status=204)

    async def settle(self, log: Log) -> None:
        """Until every post has come, or for ten seconds."""
        end = time.monotonic() + SETTLE_SECONDS
        while self.wrong(log) and time.monotonic() < end:
            await asyncio.sleep(POLL_SECONDS)

    def wrong(self, log: Log) -> int:
        """Posts that did not come exactly once, and what came that nobody posted."""
        posted = {str(entry.data["update"]) for entry in log.after(kind=Kind.POST)}
        return sum(self.taken[update] != 1 for update in posted | set(self.taken))

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
