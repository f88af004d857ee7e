"""SMTP in, mailbox out: the plan decides, the store keeps, and only then is a message accepted."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from standfast.protocols.smtp_server import Answer, Asked, Drop, Envelope, Reply, Server, SessionHooks, serve

from .plan import Action, Decision, Plan
from .store import Store, StoreFailed

_REPLYING = (Action.DEFER, Action.REFUSE, Action.THROTTLE)


class Inbox:
    """What the sessions of one inbox share: the plan, the store, and the count of what was done by name."""

    def __init__(self, *, plan: Plan, store: Store) -> None:
        self.plan = plan
        self.store = store
        self.tally: Counter[str] = Counter()
        self.connections = 0
        self._second = 0
        self._this_second = 0

    def over_rate(self) -> bool:
        """Count one message; whether there were more than the plan's per_second in this second."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._this_second = second, 0
        self._this_second += 1
        return bool(self.plan.per_second) and self._this_second > self.plan.per_second


class InboxSession(SessionHooks):
    """One client of the inbox."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__()
        self.inbox = inbox
        self.messages = 0
        self.decision = Decision(Action.ACCEPT)

    def on_connect(self) -> Answer:
        self.inbox.connections += 1
        if self.inbox.plan.drops_connection(self.inbox.connections):
            self.inbox.tally[Action.DROP_AT_CONNECT] += 1
            return Drop()
        return None

    def on_mail(self, sender: str) -> Answer:
        limit = self.inbox.plan.per_connection
        self.messages += 1
        if limit and self.messages > limit:
            self.inbox.tally["throttled_connection"] += 1
            return Reply(421, f"4.7.0 more than {limit} messages on one connection, open another")
        if self.inbox.over_rate():
            self.inbox.tally["throttled_rate"] += 1
            return Reply(421, "4.7.28 unusual rate of mail from your address, try again later")
        return None

    async def _say_slowly(self, answer: Answer, seconds: float) -> Answer:
        await asyncio.sleep(seconds)
        return answer

    def on_rcpt(self, envelope: Envelope, recipient: str) -> Asked:
        decision = self.decision = self.inbox.plan.next_decision(recipient)
        answer: Answer = None
        if decision.action in _REPLYING and decision.stage == "rcpt":
            self.inbox.tally[decision.action] += 1
            answer = Reply(decision.code, decision.text)
        elif decision.action is Action.DROP_AT_RCPT:
            self.inbox.tally[decision.action] += 1
            answer = Drop()
        return self._say_slowly(answer, decision.delay_seconds) if decision.delay_seconds else answer

    def on_data_start(self, envelope: Envelope) -> Answer:
        if self.decision.action is Action.DROP_IN_DATA:
            self.inbox.tally[Action.DROP_IN_DATA] += 1
            return Drop(body_bytes=1000)
        return None

    async def on_message(self, envelope: Envelope, raw: bytes) -> Answer:
        decision = self.decision
        if decision.action is Action.DROP_AFTER_DOT:
            self.inbox.tally[Action.DROP_AFTER_DOT] += 1
            return Drop()
        if decision.action in _REPLYING:
            self.inbox.tally[decision.action] += 1
            return Reply(decision.code, decision.text)
        try:
            message = await self.inbox.store.append(sender=envelope.sender, recipients=envelope.recipients, raw=raw)
        except StoreFailed as error:
            self.inbox.tally["not_kept"] += 1
            return Reply(452, f"4.3.1 {error}")
        self.inbox.tally[decision.action] += 1
        if decision.action is Action.DROP_AFTER_ACCEPT:
            return Drop()
        return Reply(250, f"2.0.0 ok, kept as {message.id}")


async def serve_inbox(*, host: str, port: int, inbox: Inbox) -> Server:
    """Listen for mail into this inbox; port 0 picks a free one."""
    return await serve(host=host, port=port, hooks=lambda: InboxSession(inbox), hostname="inbox.standfast.test")
