"""Write submitted messages, many to a commit: those that come while one commit runs are the next one's.

One thread writes; sessions wait for the future of their message and answer after its commit. Keys and campaigns are looked
up there too, keys remembered for some seconds, so that a burst from one client costs one look-up.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections

from standfast.components.accounts.api import KeyHolder, check_key
from standfast.components.transactional import api as transactional
from standfast.platform import tenancy
from standfast.protocols.smtp_outcome import Reply
from standfast.services.smtp_api.order import Order

log = structlog.get_logger("smtp_api")
BATCH = 100
BATCH_BYTES = 16 * 1024 * 1024
WAITING_MAX = 5000
WAITING_BYTES_MAX = 256 * 1024 * 1024
KEY_SECONDS = 5.0
SCOPE = "transactional:write"
TAKEN = Reply(250, "2.0.0 taken")
AGAIN_LATER = Reply(451, "4.3.0 Service Temporarily Unavailable. Please try after a few minutes.")
BUSY = Reply(452, "4.3.1 too many messages are waiting to be written; try again")


@dataclass(slots=True)
class Handed:
    """One message of a session, for all recipients of its envelope."""

    holder: KeyHolder
    order: Order
    messages: list[transactional.Finished]
    loop: asyncio.AbstractEventLoop
    reply: asyncio.Future[Reply] = field(init=False)
    size: int = field(init=False)  # of all its rows, bytes

    def __post_init__(self) -> None:
        self.reply = self.loop.create_future()
        self.size = sum(len(message.raw) for message in self.messages)

    def answer(self, reply: Reply) -> None:
        """From the writing thread."""

        def settle() -> None:
            if not self.reply.done():
                self.reply.set_result(reply)

        self.loop.call_soon_threadsafe(settle)


class Acceptance:
    """The writing thread. `hand_in` from a session, `close` at the end."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Handed | None] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._run, name="acceptance", daemon=True)
        self._thread.start()
        self._checking = ThreadPoolExecutor(max_workers=4, thread_name_prefix="keys")
        self._waiting_bytes = 0  # touched by the event loop alone
        self._keys: dict[tuple[int, str, str], tuple[float, KeyHolder]] = {}

    async def hand_in(self, holder: KeyHolder, order: Order, messages: list[transactional.Finished]) -> Reply:
        """Written and committed, or why not."""
        handed = Handed(holder, order, messages, asyncio.get_running_loop())
        if self._waiting_bytes and self._waiting_bytes + handed.size > WAITING_BYTES_MAX:
            return BUSY
        try:
            self._waiting.put_nowait(handed)
        except queue.Full:
            return BUSY
        self._waiting_bytes += handed.size
        try:
            return await asyncio.shield(handed.reply)
        finally:
            self._waiting_bytes -= handed.size

    async def let_in(self, account_id: int, key: str, address: str) -> KeyHolder:
        """The key's holder. Raises KeyRefused, OperationalError."""
        known = self._keys.get((account_id, key, address))
        if known is not None and known[0] > time.monotonic():
            return known[1]
        loop = asyncio.get_running_loop()
        holder = await loop.run_in_executor(self._checking, _checked, account_id, key, address)
        if len(self._keys) > 1000:
            self._keys.clear()
        self._keys[account_id, key, address] = (time.monotonic() + KEY_SECONDS, holder)
        return holder

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join(10)
        self._checking.shutdown(wait=False)

    def _run(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            batch = [first]
            size = first.size
            while len(batch) < BATCH and size < BATCH_BYTES:
                try:
                    other = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if other is None:
                    self._waiting.put(None)
                    break
                batch.append(other)
                size += other.size
            self._write(batch)

    def _write(self, batch: list[Handed]) -> None:
        """One transaction for each account and campaign; where one message spoils it, each goes alone."""
        close_old_connections()
        groups: dict[tuple[int, str], list[Handed]] = {}
        for handed in batch:
            groups.setdefault((handed.holder.account_id, handed.order.campaign), []).append(handed)
        for group in groups.values():
            try:
                self._commit(group)
            except (transactional.Refused, LookupError):
                for handed in group:
                    self._alone(handed)
            except (OperationalError, InterfaceError) as error:
                log.warning("database does not answer", error=str(error).strip()[:200])
                for handed in group:
                    handed.answer(AGAIN_LATER)
            except Exception:
                log.exception("a submission could not be written")
                for handed in group:
                    self._alone(handed)

    def _alone(self, handed: Handed) -> None:
        try:
            self._commit([handed])
        except transactional.Refused as refused:
            handed.answer(Reply(554, f"5.6.0 Transaction failed[{refused.text}]"))
        except LookupError as error:
            handed.answer(Reply(554, f"5.6.0 Transaction failed[{error}]"))
        except Exception:
            log.exception("a submission could not be written")
            handed.answer(AGAIN_LATER)

    def _commit(self, group: list[Handed]) -> None:
        order = group[0].order
        account_id = group[0].holder.account_id
        with tenancy.account_scope(account_id):
            campaign = transactional.campaign_named(
                account_id=account_id, name=order.campaign, from_email=group[0].messages[0].from_email,
                language=order.language, address=order.address, tags=order.tags,
            )  # fmt: skip
            for handed in group:
                if handed.order.campaign_id not in (None, campaign.pk):
                    raise transactional.Refused("campaign", "Invalid X-CampaignID")
            transactional.deliver(campaign, [message for handed in group for message in handed.messages])
        for handed in group:
            handed.answer(TAKEN)


def _checked(account_id: int, key: str, address: str) -> KeyHolder:
    close_old_connections()
    return check_key(account_id, key, address=address, scope=SCOPE)
