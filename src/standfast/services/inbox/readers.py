"""The people and machines behind the inbox, as a process of its own: real HTTP to the tracker, real SMTP to the exchanger.

It follows the mailbox's index, so the SMTP server never waits for it, and writes `readers.json` (atomically): what was
answered successfully by kind, what failed, how far it has read and how much is still to come.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from standfast.platform.mail_store import INDEX_NAME, MessageGone, StoredMessage, entries, read_message
from standfast.protocols.smtp_client import Accepted, Connection, Deferred, SmtpConnectError, connect

from .behaviour import (
    APPLE_AGENT,
    GMAIL_PROXY_AGENT,
    PERSON_AGENTS,
    PREFETCH_AGENT,
    SCANNER_AGENT,
    Kind,
    Offered,
    ReadersPlan,
    parse_readers,
    read_offer,
)
from .feedback import complaint, late_bounce

TALLY_NAME = "readers.json"
AHEAD_MAX = 100_000
CONCURRENCY = 32
ATTEMPTS = 6
_POLL_SECONDS = 0.1
_ACTIONS = (Kind.PERSON_OPEN, Kind.GMAIL_PROXY, Kind.APPLE_PREFETCH)


class Readers:
    """All readers of one mailbox."""

    def __init__(self, *, directory: Path, plan: ReadersPlan, tracker_url: str, exchanger: tuple[str, int]) -> None:
        self.directory = directory
        self.plan = plan
        self.tracker_url = tracker_url.rstrip("/")
        self.exchanger = exchanger
        self.cursor = 0
        self.seen = 0
        self.scheduled: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self._heap: list[tuple[float, int, Kind, StoredMessage]] = []
        self._busy = 0
        self._written = ""
        self._queue: asyncio.Queue[tuple[Kind, StoredMessage]] = asyncio.Queue(maxsize=CONCURRENCY)
        self._mail: Connection | None = None
        self._mail_lock = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._load()

    @property
    def pending(self) -> int:
        """Actions decided and not finished."""
        return len(self._heap) + self._queue.qsize() + self._busy

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Follow the mailbox until `stop()` or until the parent process is gone."""
        parent = os.getppid()
        connector = aiohttp.TCPConnector(limit=CONCURRENCY * 2)
        timeout = aiohttp.ClientTimeout(total=30)
        cookies = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=cookies) as session:
            workers = [asyncio.create_task(self._work(session)) for _ in range(CONCURRENCY)]
            releaser = asyncio.create_task(self._release())
            while not self._stopping.is_set() and os.getppid() == parent:
                self._follow()
                self._save()
                try:
                    await asyncio.wait_for(self._stopping.wait(), _POLL_SECONDS)
                except TimeoutError:
                    continue
            for task in (releaser, *workers):
                task.cancel()
            await asyncio.gather(releaser, *workers, return_exceptions=True)
        if self._mail is not None:
            await self._mail.quit()
        self._save()

    # What to do

    def _follow(self) -> None:
        """Decide about what has arrived since; a bounded piece at a time."""
        path = self.directory / INDEX_NAME
        if not path.exists() or path.stat().st_size <= self.cursor:
            return
        now = asyncio.get_running_loop().time()
        last = -1
        for taken, message in enumerate(entries(self.directory, start=self.cursor)):
            if taken >= 2_000 or len(self._heap) >= AHEAD_MAX:
                self.cursor = message.id
                return
            self.seen += 1
            for seconds, kind in self.plan.actions(message.message_id or message.sha256):
                self.scheduled[kind] += 1
                heapq.heappush(self._heap, (now + seconds, self.scheduled.total(), kind, message))
            last = message.id
        if last >= 0:
            self.cursor = _line_end(path, last)

    async def _release(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while self._heap and self._heap[0][0] <= loop.time():
                _, _, kind, message = heapq.heappop(self._heap)
                self._busy += 1
                await self._queue.put((kind, message))
                self._busy -= 1
            await asyncio.sleep(0.005)

    async def _work(self, session: aiohttp.ClientSession) -> None:
        while True:
            kind, message = await self._queue.get()
            self._busy += 1
            try:
                problem = await self._act(session, kind, message)
            except Exception as error:  # one reader's trouble must not stop the others
                problem = f"{type(error).__name__}: {error}"[:200]
            self._busy -= 1
            if problem:
                self.failed[kind] += 1
                if len(self.errors) < 100 or problem in self.errors:
                    self.errors[problem] += 1
            else:
                self.done[kind] += 1

    async def _act(self, session: aiohttp.ClientSession, kind: Kind, message: StoredMessage) -> str:
        """Do one thing; "" when it was answered successfully, otherwise what was wrong."""
        try:
            raw = read_message(self.directory, message)
        except MessageGone as error:
            return str(error).split(" ", 4)[-1]
        offer = read_offer(raw)
        mark = message.message_id or message.sha256
        person = PERSON_AGENTS[int(self.plan.draw(mark, "agent") * len(PERSON_AGENTS))]
        if kind in _ACTIONS:
            agent = {Kind.GMAIL_PROXY: GMAIL_PROXY_AGENT, Kind.APPLE_PREFETCH: APPLE_AGENT}.get(kind, person)
            return await self._fetch(session, "GET", offer.pixel, agent)
        if kind is Kind.PERSON_CLICK:
            chosen = int(self.plan.draw(mark, "link") * len(offer.links))
            return await self._fetch(session, "GET", offer.links[chosen] if offer.links else "", person)
        if kind is Kind.SCANNER:
            return await self._scan(session, offer)
        if kind is Kind.LINK_PREFETCH:
            return await self._fetch(session, "GET", offer.unsubscribe, PREFETCH_AGENT)
        if kind is Kind.ONE_CLICK:
            form = {"List-Unsubscribe": "One-Click"}
            return await self._fetch(session, "POST", offer.one_click, "", form)
        if kind is Kind.PAGE_UNSUBSCRIBE:
            problem = await self._fetch(session, "GET", offer.unsubscribe, person)
            return problem or await self._fetch(session, "POST", offer.unsubscribe, person, {"from": "page"})
        return await self._send_feedback(kind, message, offer)

    # HTTP

    async def _scan(self, session: aiohttp.ClientSession, offer: Offered) -> str:
        targets = [target for target in (offer.pixel, *offer.links, offer.honeypot) if target]
        problems = [await self._fetch(session, "HEAD", target, SCANNER_AGENT) for target in targets[:1]]
        problems += [await self._fetch(session, "GET", target, SCANNER_AGENT) for target in targets[1:]]
        self.done["scanner_requests"] += problems.count("")
        return next((problem for problem in problems if problem), "" if targets else "no link in the message")

    async def _fetch(
        self, session: aiohttp.ClientSession, method: str, target: str, agent: str, form: dict[str, str] | None = None
    ) -> str:
        if not target:
            return f"nothing to {method} in the message"
        url = URL(self.tracker_url + target, encoded=True)  # byte for byte: the signature covers the destination
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(0.2 * 2**attempt)
            try:
                async with session.request(
                    method, url, headers={"User-Agent": agent}, data=form, allow_redirects=False
                ) as response:
                    await response.read()
                    if response.status < 400:
                        return ""
                    problem = f"{method} {target[:3]}: HTTP {response.status}"
                    if response.status != 503:  # not counted, says the tracker: try again
                        return problem
            except aiohttp.ClientConnectorError as error:
                problem = f"{method} {target[:3]}: {type(error).__name__}"  # it was not reached: try again
        return problem

    # Mail

    async def _send_feedback(self, kind: Kind, message: StoredMessage, offer: Offered) -> str:
        sender, recipient = message.sender, message.recipients[0]
        domain = sender.rpartition("@")[2]
        if not domain:
            return "no envelope sender to answer to"
        mark = hashlib.sha256(f"{message.message_id}{kind}".encode()).hexdigest()[:24]
        if kind is Kind.LATE_BOUNCE:
            raw = late_bounce(recipient=recipient, envelope_sender=sender, headers=offer.bulk_headers, mark=mark)
            return await self._submit("", sender, raw)
        to = f"fbl@{domain}"
        raw = complaint(recipient=recipient, envelope_sender=sender, to=to, headers=offer.bulk_headers, mark=mark)
        return await self._submit("feedback@inbox.standfast.test", to, raw)

    async def _submit(self, sender: str, recipient: str, raw: bytes) -> str:
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(0.2 * 2**attempt)
            try:
                connection = await self._exchanger()
            except SmtpConnectError as error:
                problem = f"exchanger: {error}"
                continue
            outcome = await connection.submit(sender, recipient, raw)
            if isinstance(outcome, Accepted):
                return ""
            problem = f"exchanger: {outcome}"[:200]
            if not isinstance(outcome, Deferred):
                break
        return problem

    async def _exchanger(self) -> Connection:
        async with self._mail_lock:
            if self._mail is None or not self._mail.usable:
                host, port = self.exchanger
                self._mail = await connect(host, port, tls="none", ehlo_name="inbox.standfast.test")
            return self._mail

    # The tally

    def _load(self) -> None:
        path = self.directory / TALLY_NAME
        if path.exists():
            known: dict[str, Any] = json.loads(path.read_text())
            self.cursor = known["cursor"]
            self.seen = known["seen"]
            for name in ("scheduled", "done", "failed", "errors"):
                setattr(self, name, Counter(known[name]))

    def _save(self) -> None:
        tally = {
            "cursor": self.cursor,
            "seen": self.seen,
            "pending": self.pending,
            "scheduled": self.scheduled,
            "done": self.done,
            "failed": self.failed,
            "errors": self.errors,
        }
        text = json.dumps(tally, indent=1)
        if text != self._written:
            self._written = text
            temporary = self.directory / (TALLY_NAME + ".new")
            temporary.write_text(text)
            temporary.replace(self.directory / TALLY_NAME)


def read_tally(directory: Path) -> dict[str, Any]:
    """What the readers of a mailbox have done: cursor, seen, pending, scheduled, done, failed, errors; {} before."""
    try:
        tally: dict[str, Any] = json.loads((directory / TALLY_NAME).read_text())
    except FileNotFoundError:
        return {}
    return tally


def _line_end(path: Path, position: int) -> int:
    with path.open("rb") as file:
        file.seek(position)
        file.readline()
        return file.tell()


async def _main(directory: str, spec: str, tracker_url: str, host: str, port: str) -> None:
    plan = parse_readers(spec)
    assert plan is not None
    readers = Readers(directory=Path(directory), plan=plan, tracker_url=tracker_url, exchanger=(host, int(port)))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, readers.stop)
    await readers.run()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
