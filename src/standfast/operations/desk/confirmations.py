"""Send what confirms a subscription: a letter with a link, or a challenge that the endpoint has to answer.

Runs in a thread of the desk, with a connection of its own; what was not sent stays in the table and is tried again.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import structlog
from yarl import URL

from standfast.operations.incidents.deliver import WEBHOOK_SECONDS, Mail, PublicResolver, plain_letter
from standfast.operations.incidents.ledger import Delivered
from standfast.operations.log import Log, LogError
from standfast.operations.map import Map
from standfast.operations.status_page import subscribers, subscribing
from standfast.operations.status_page.subscribing import Waiting, webhook_address
from standfast.protocols.public_address import is_public
from standfast.protocols.webhook_signature import signed_headers

LOOK_SECONDS = 1.0
PURGE_SECONDS = 3600.0
ANSWER_BYTES_MAX = 4096

logger = structlog.get_logger("desk")


def start(the_map: Map, log_path: Path, desk_url: str, *, allow_private: bool = False) -> threading.Thread:
    """Begin sending, until the process ends."""
    what = (the_map, log_path, desk_url, allow_private)
    thread = threading.Thread(target=_run, args=what, name="confirmations", daemon=True)
    thread.start()
    return thread


def _run(the_map: Map, log_path: Path, desk_url: str, allow_private: bool) -> None:
    said, purged_at, sender = "", -PURGE_SECONDS, None
    while True:
        try:
            sender = sender or Confirmations(the_map, Log(log_path), desk_url, allow_private=allow_private)
            asyncio.run(sender.step())
            if time.monotonic() - purged_at > PURGE_SECONDS:
                purged_at = time.monotonic()
                subscribing.purge(sender.log, now=datetime.now(UTC))
            said = ""
        except (LogError, OSError) as error:
            if str(error) != said:
                said = str(error)
                logger.error("confirmations wait", why=said)
        except Exception:
            logger.exception("confirmations wait")
        time.sleep(LOOK_SECONDS)


class Confirmations:
    """`step` sends what is due once."""

    def __init__(self, the_map: Map, log: Log, desk_url: str, *, allow_private: bool = False) -> None:
        self.map, self.log, self.desk_url, self.allow_private = the_map, log, desk_url, allow_private
        self.mail = Mail(the_map)
        subscribing.prepare(log)

    async def step(self) -> int:
        """Returns how many were tried. Raises LogError."""
        due = subscribing.waiting(self.log, now=datetime.now(UTC))
        letters = [one for one in due if one.subscriber.channel == "email"]
        challenges = [one for one in due if one.subscriber.channel == "webhook"]
        await asyncio.gather(self._letters(letters), *(self._challenge(one) for one in challenges))
        return len(due)

    async def _letters(self, due: Sequence[Waiting]) -> None:
        if not due:
            return
        results = await self.mail.send([(one.subscriber.address, self._letter(one)) for one in due])
        for one, result in zip(due, results, strict=True):
            if isinstance(result, Delivered):
                subscribing.sent(self.log, one.subscriber.id, number=one.number)
            else:
                logger.warning("a confirmation was not sent", subscriber=one.subscriber.id, why=result.detail)

    def _letter(self, one: Waiting) -> bytes:
        name, subscriber = self.map.page.name, one.subscriber
        if subscriber.state == "confirmed":
            text = (
                f"Somebody, perhaps you, asked to subscribe this address to {name}.\nIt is subscribed already.\n\n"
                f"Choose what you are told of, or leave:\n{self._link('choose', subscriber.id)}\n"
            )
        else:
            link = f"{self.desk_url}/confirm/{subscribing.confirm_link(self.log.connection, subscriber.id)}"
            text = (
                f"Somebody, perhaps you, asked to subscribe this address to {name}.\n\n"
                f"Follow this link to confirm it, within seven days:\n{link}\n\n"
                "If it was not you, do nothing: nothing more is sent.\n"
            )
        return plain_letter(
            self.mail, to=subscriber.address, subject=f"[{name}] Confirm your subscription", text=text,
            unique=f"confirm.{subscriber.id}.{one.number}", now=datetime.now(UTC),
        )  # fmt: skip

    async def _challenge(self, one: Waiting) -> None:
        """Only whoever reads the endpoint's requests learns the secret; only it can give the answer."""
        subscriber, challenge = one.subscriber, secrets.token_urlsafe(24)
        data = {"challenge": challenge, "page": self.map.page.url, "manage_url": self._link("choose", subscriber.id),
                "secret": subscriber.secret}  # fmt: skip
        body = json.dumps(
            {"type": "webhook.challenge", "timestamp": datetime.now(UTC).isoformat(), "data": data}
        ).encode()
        try:
            webhook_address(subscriber.address, allow_private=self.allow_private)
            answered = await self._ask(one, body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            logger.warning(
                "a challenge was not answered", subscriber=subscriber.id, why=str(error) or type(error).__name__
            )
            return
        if _answers(answered, challenge):
            token = subscribing.confirm_link(self.log.connection, subscriber.id)
            subscribing.confirm(self.log, token, now=datetime.now(UTC))
            subscribing.sent(self.log, subscriber.id, number=one.number)

    async def _ask(self, one: Waiting, body: bytes) -> bytes:
        url, seconds = one.subscriber.address, int(time.time())
        unique = f"confirm.{one.subscriber.id}.{one.number}"
        headers = {
            "content-type": "application/json",
            "user-agent": "standfast-status/1",
            **signed_headers(one.subscriber.secret, message_id=unique, seconds=seconds, body=body),
        }
        connector = aiohttp.TCPConnector(resolver=None if self.allow_private else PublicResolver(), force_close=True)
        timeout = aiohttp.ClientTimeout(total=WEBHOOK_SECONDS)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            if not self.allow_private:
                _refuse_literal(url)
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return await answer.content.read(ANSWER_BYTES_MAX) if answer.status == 200 else b""

    def _link(self, page: str, subscriber: str) -> str:
        return f"{self.desk_url}/{page}/{subscribers.token(self.log.connection, subscriber)}"


def _answers(answered: bytes, challenge: str) -> bool:
    """The challenge as text, or as {"challenge": ...}; a mere echo of our request is no answer."""
    text = answered.decode("utf-8", errors="replace").strip()
    if text == challenge:
        return True
    try:
        return bool(json.loads(text) == {"challenge": challenge})
    except ValueError:
        return False


def _refuse_literal(url: str) -> None:
    """An address written as such never reaches the resolver. Raises OSError."""
    host = URL(url).host or ""
    if (host.replace(".", "").isdigit() or ":" in host) and not is_public(host):
        raise OSError(f"{host} is inside a private network")
