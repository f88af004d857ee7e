"""A client that keeps clicking through the resolver, as people's mail programs do, and counts what became of each click.

Each click is a recipient of its own, so that the trackers' spools show which clicks were kept. A click that gets no answer
is tried again until it does; one that was answered and is in no spool is lost.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import aiohttp
import dns.asyncquery
import dns.exception
import dns.message
import dns.rdatatype

from standfast.operations.replay.stage import Stage, pools
from standfast.protocols.tokens import RecipientRef, seal_recipient, sign_link

CLICKS_A_SECOND = 10
TRY_SECONDS = 1.0
DESTINATION = "https://shop.example/autumn"
ACCOUNT, SEND = 7, 2022
_CLICKED = re.compile(rb'\[1,%d,\d+,"clicked",\d+,%d,(\d+),' % (ACCOUNT, SEND))


@dataclass(slots=True)
class Try:
    """One attempt: when it ended (wall seconds), at which name, whether it was answered."""

    at: float
    name: str
    good: bool


class Clicker:
    """Clicks at every name in turn until stopped."""

    def __init__(self, names: Sequence[str], *, port: int, resolver: tuple[str, int], token_key: bytes) -> None:
        self.names, self.port, self.resolver, self.token_key = list(names), port, resolver, token_key
        self.tries: list[Try] = []
        self.answered: set[int] = set()
        self.made = 0
        self._waiting: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()

    @classmethod
    def of(cls, setting: Stage) -> Clicker:
        """The client of a stage: all names of its pools."""
        return cls(
            [record for record, _, _ in pools().values()],
            port=setting.edge_port,
            resolver=(setting.resolver.address, setting.resolver.port),
            token_key=setting.token_key,
        )

    async def run(self) -> None:
        """Until `stop`."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TRY_SECONDS)) as session:
            while not self._over.is_set():
                self.made += 1
                task = asyncio.create_task(self._click(session, self.made, self.names[self.made % len(self.names)]))
                self._waiting.add(task)
                task.add_done_callback(self._waiting.discard)
                await asyncio.sleep(1 / CLICKS_A_SECOND)
            if self._waiting:
                await asyncio.wait(self._waiting, timeout=10)

    def stop(self) -> None:
        self._over.set()

    async def _click(self, session: aiohttp.ClientSession, number: int, name: str) -> None:
        while True:
            good = await self._try(session, number, name)
            self.tries.append(Try(time.time(), name, good))
            if good:
                self.answered.add(number)
                return
            await asyncio.sleep(1)

    async def _try(self, session: aiohttp.ClientSession, number: int, name: str) -> bool:
        try:
            query = dns.message.make_query(name, "A")
            answer = await dns.asyncquery.udp(query, self.resolver[0], port=self.resolver[1], timeout=TRY_SECONDS)
            address = next(item.address for rrset in answer.answer if rrset.rdtype == dns.rdatatype.A for item in rrset)
            headers = {"Host": name.rstrip("."), "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}
            url = f"http://{address}:{self.port}{path(self.token_key, number)}"
            async with session.get(url, headers=headers, allow_redirects=False) as reply:
                return reply.status == 302 and reply.headers.get("Location") == DESTINATION
        except (aiohttp.ClientError, dns.exception.DNSException, OSError, TimeoutError, StopIteration):
            return False

    # -- what came of it --------------------------------------------------------------------------------------------

    def outage_seconds(self, since: float) -> float | None:
        """From the fault until every name answered and kept answering: the last bad try's time; None while one is bad."""
        last_bad = dict.fromkeys(self.names, 0.0)
        first_good_after: dict[str, float | None] = dict.fromkeys(self.names)
        for one in self.tries:
            if one.at < since:
                continue
            if not one.good:
                last_bad[one.name], first_good_after[one.name] = one.at, None
            elif first_good_after[one.name] is None:
                first_good_after[one.name] = one.at
        if any(at is None for at in first_good_after.values()):
            return None
        hit = [at for name, at in first_good_after.items() if last_bad[name] and at is not None]
        return max(hit, default=since) - since

    def lost(self, spools: Sequence[Path]) -> list[int]:
        """Clicks that were answered and that no spool holds."""
        return sorted(self.answered - spooled(spools))


def path(token_key: bytes, number: int) -> str:
    """The tracked link of one recipient."""
    ref = RecipientRef(ACCOUNT, SEND, number, number, int(time.time()) - 3600)
    token = seal_recipient(token_key, ref)
    signature = sign_link(token_key, account_id=ACCOUNT, send_id=SEND, link_id=1, url=DESTINATION)
    return f"/c/{token}/1?u={quote(DESTINATION, safe='')}&s={signature}"


def spooled(spools: Sequence[Path]) -> set[int]:
    """The numbers of the clicks that the trackers' spools hold."""
    kept: set[int] = set()
    for folder in spools:
        for segment in sorted(folder.glob("*.spool")):
            kept.update(int(number) for number in _CLICKED.findall(segment.read_bytes()))
    return kept
