"""Send what the ledger says is due, in small batches: intent on disk, then the wire, then the outcome on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from standfast.operations.clock import Clock
from standfast.operations.incidents.deliver import Mail, Webhooks, letter, webhook_body
from standfast.operations.incidents.ledger import Due, Later, Ledger, Result
from standfast.operations.incidents.records import Incident, Post
from standfast.operations.incidents.state import State
from standfast.operations.log import Log
from standfast.operations.map import Map
from standfast.operations.status_page import subscribers

BATCH = 25  # at most so many have an unknown outcome after a kill


class Notifier:
    """`step` until it returns 0, then wait for the next post or retry."""

    def __init__(
        self, the_map: Map, log: Log, clock: Clock, state: Callable[[], State], *, allow_private: bool = False
    ) -> None:
        self.map, self.log, self.clock, self.state = the_map, log, clock, state
        self.ledger = Ledger(log, clock)
        self.mail = Mail(the_map)
        self.webhooks = Webhooks(allow_private=allow_private)
        self.desk_url = str(the_map.status_page.get("desk_url", the_map.page.url)).rstrip("/")
        self.ledger.recover()

    async def step(self) -> int:
        """Make rows for new posts and try one batch of each channel; returns how many were tried. Raises LogError."""
        self.ledger.enqueue(self.state())
        tried = await asyncio.gather(self._mail(), self._webhooks())
        return sum(tried)

    async def close(self) -> None:
        await self.webhooks.close()

    async def _mail(self) -> int:
        batch = self.ledger.take(BATCH, channel="email")
        if not batch:
            return 0
        sendable, results = self._told(batch)
        now = self.clock.now()
        letters = [
            letter(self.mail, due, incident, post, unsubscribe_url=self._unsubscribe(due), now=now)
            for due, incident, post in sendable
        ]
        for (due, _, _), result in zip(sendable, await self.mail.send(letters) if letters else [], strict=True):
            results.append((due, result))
        self.ledger.settle(results)
        return len(batch)

    async def _webhooks(self) -> int:
        batch = self.ledger.take(BATCH, channel="webhook")
        if not batch:
            return 0
        sendable, results = self._told(batch)
        answers = await asyncio.gather(*(self._post(due, incident, post) for due, incident, post in sendable))
        results += [(due, answer) for (due, _, _), answer in zip(sendable, answers, strict=True)]
        self.ledger.settle(results)
        return len(batch)

    async def _post(self, due: Due, incident: Incident, post: Post) -> Result:
        return await self.webhooks.post(
            due.subscriber.address,
            secret=due.subscriber.secret,
            message_id=due.message,
            seconds=int(self.clock.now().timestamp()),
            body=webhook_body(self.map, incident, post),
        )

    def _told(self, batch: list[Due]) -> tuple[list[tuple[Due, Incident, Post]], list[tuple[Due, Result]]]:
        """What the state knows of each; a row whose post the state has not read yet waits."""
        state = self.state()
        found: list[tuple[Due, Incident, Post]] = []
        waiting: list[tuple[Due, Result]] = []
        for due in batch:
            incident = state.incident_of(due.update)
            post = next((one for one in incident.posts if one.update == due.update), None) if incident else None
            if incident is None or post is None:
                waiting.append((due, Later("the post is not read yet")))
            else:
                found.append((due, incident, post))
        return found, waiting

    def _unsubscribe(self, due: Due) -> str:
        return f"{self.desk_url}/unsubscribe/{subscribers.token(self.log.connection, due.subscriber.id)}"
