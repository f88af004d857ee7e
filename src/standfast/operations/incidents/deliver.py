"""Carry a notification to its subscriber: by the operations' own SMTP route, or as a signed webhook.

Mail never takes the way through the cells that it may be reporting on. Webhooks are signed as Standard Webhooks says
(standardwebhooks.com: id, timestamp and body under HMAC-SHA256) and never go to private addresses.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from standfast.operations.incidents.ledger import Bounced, Delivered, Due, Later, Result
from standfast.operations.incidents.records import Incident, Post
from standfast.operations.map import Map
from standfast.protocols import smtp_client
from standfast.protocols.mime import (
    Header,
    Skeleton,
    date_value,
    encode_addresses,
    encode_header,
    list_unsubscribe,
    message_bytes,
    message_id,
    one_line,
    qp_run,
)
from standfast.protocols.public_address import is_public
from standfast.protocols.webhook_signature import signed_headers

WEBHOOK_SECONDS = 10.0
GONE = 410
RETRIED = frozenset({408, 425, 429})


class Mail:
    """The operations' own SMTP route, from the map's table [mail]: host, port, tls, username, password_file, from."""

    def __init__(self, the_map: Map) -> None:
        table = the_map.mail
        self.map = the_map
        self.host, self.port = str(table.get("host", "127.0.0.1")), int(table.get("port", 25))
        self.tls = str(table.get("tls", "opportunistic"))
        self.username = str(table.get("username", ""))
        self.password = the_map.file(table["password_file"]).read_text().strip() if "password_file" in table else ""
        self.sender = str(table.get("from", f"status@{urlsplit(the_map.page.url).hostname}"))

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2]

    async def send(self, letters: Sequence[tuple[str, bytes]]) -> list[Result]:
        """Hand letters (recipient, complete message) to the route over one session; one result each, in order."""
        try:
            connection = await smtp_client.connect(
                self.host, self.port, tls=self.tls, username=self.username, password=self.password, ehlo_name=self.domain,
                connect_timeout_seconds=10,
            )  # fmt: skip
        except smtp_client.SmtpConnectError as error:
            return [Later(f"the mail route {self.host}:{self.port} cannot be reached: {error}")] * len(letters)
        outcomes = await asyncio.gather(*(connection.submit(self.sender, to, message) for to, message in letters))
        await connection.quit()
        return [_mail_result(outcome) for outcome in outcomes]


def letter(
    mail: Mail, due: Due, incident: Incident, post: Post, *, unsubscribe_url: str, now: datetime
) -> tuple[str, bytes]:
    """(recipient, message) for an update, with one-click unsubscription (RFC 8058)."""
    page = mail.map.page
    url = f"{page.url}/incidents/{incident.id}.html"
    message = plain_letter(
        mail,
        to=due.subscriber.address,
        subject=f"[{page.name}] {post.status.value.capitalize()}: {incident.title}",
        text=f"{post.body}\n\n{url}\n\n-- \nYou receive this because you subscribed to {page.url}\nStop it: {unsubscribe_url}\n",
        unique=due.message,
        now=now,
        more=list_unsubscribe(url=unsubscribe_url),
    )
    return due.subscriber.address, message


def plain_letter(
    mail: Mail, *, to: str, subject: str, text: str, unique: str, now: datetime, more: Sequence[Header] = ()
) -> bytes:
    """A plain text message of the status page. unique: the left side of its Message-ID."""
    skeleton = Skeleton(html=False)
    headers: list[Header] = [
        (b"From", encode_addresses("From", [(mail.map.page.name, mail.sender)])),
        (b"To", encode_addresses("To", [("", to)])),
        (b"Subject", encode_header("Subject", one_line(subject))),
        (b"Date", date_value(now)),
        (b"Message-ID", message_id(unique=unique, domain=mail.domain)),
        (b"Auto-Submitted", b"auto-generated"),
        *more,
        *skeleton.headers,
    ]
    return message_bytes(headers, skeleton.body(text=qp_run(text.replace("\r\n", "\n").replace("\n", "\r\n"))))


def webhook_body(the_map: Map, incident: Incident, post: Post) -> bytes:
    """The JSON that a webhook carries: the same facts as the page, in Statuspage's words."""
    return json.dumps(
        {
            "type": "incident.updated",
            "timestamp": post.at.isoformat(),
            "data": {
                "page": {"name": the_map.page.name, "url": the_map.page.url},
                "incident": {
                    "id": incident.id,
                    "name": incident.title,
                    "status": post.status.value,
                    "impact": incident.impact.value,
                    "started_at": incident.opened_at.isoformat(),
                    "shortlink": f"{the_map.page.url}/incidents/{incident.id}.html",
                },
                "update": {
                    "id": post.update,
                    "body": post.body,
                    "created_at": post.at.isoformat(),
                    "next_update_at": post.next_update_at.isoformat() if post.next_update_at else None,
                },
                "affected": [
                    {"component": square.component, "cluster": square.cluster, "status": status.value}
                    for square, status in post.squares.items()
                ],
            },
        },
        ensure_ascii=False,
    ).encode()


class Webhooks:
    """A client that resolves a name once, refuses private addresses, follows no redirect and waits 10 s at most."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self.allow_private = allow_private
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, *, secret: str, message_id: str, seconds: int, body: bytes) -> Result:
        """One attempt; the answer's body is not read."""
        headers = {
            "content-type": "application/json",
            "user-agent": "standfast-status/1",
            **signed_headers(secret, message_id=message_id, seconds=seconds, body=body),
        }
        try:
            self._refuse_literal(url)
            async with self._client().post(url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (PrivateAddressError, aiohttp.InvalidURL) as error:
            return Bounced(str(error))
        except aiohttp.ClientConnectorError as error:
            cause = error.__cause__
            return Bounced(str(cause)) if isinstance(cause, PrivateAddressError) else Later(f"no connection: {error}")
        except (aiohttp.ClientError, TimeoutError) as error:
            return Later(f"no answer: {type(error).__name__}", unknown=True)
        return _webhook_result(status)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = None if self.allow_private else PublicResolver()
            connector = aiohttp.TCPConnector(limit=50, resolver=resolver, use_dns_cache=False, force_close=True)
            timeout = aiohttp.ClientTimeout(total=WEBHOOK_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        return self._session

    def _refuse_literal(self, url: str) -> None:
        """An address written as such never reaches the resolver."""
        host = urlsplit(url).hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return
        if not self.allow_private and not is_public(host):
            raise PrivateAddressError(f"{host} is inside a private network")


def _webhook_result(status: int) -> Result:
    if 200 <= status < 300:
        return Delivered(str(status))
    if status == GONE:
        return Bounced("410: the receiver wants no more", gone=True)
    if 300 <= status < 500 and status not in RETRIED:
        return Bounced(f"answered {status}")
    return Later(f"answered {status}")


def _mail_result(outcome: smtp_client.Outcome) -> Result:
    match outcome:
        case smtp_client.Accepted():
            return Delivered(f"{outcome.code} {outcome.text}"[:200])
        case smtp_client.Refused():
            gone = outcome.enhanced.startswith("5.1.") and outcome.stage is smtp_client.Stage.RCPT
            return Bounced(f"{outcome.code} {outcome.text}"[:200], gone=gone)
        case smtp_client.Uncertain():
            return Later(outcome.text[:200], unknown=True)
        case _:
            return Later(f"{outcome.code} {outcome.text}"[:200])


class PrivateAddressError(OSError):
    """The address is inside a private network."""


class PublicResolver(AbstractResolver):
    """The system's resolver, with private addresses taken out."""

    def __init__(self) -> None:
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = [row for row in await self._system.resolve(host, port, family) if is_public(row["host"])]
        if not found:
            raise PrivateAddressError(f"{host} is inside a private network")
        return found

    async def close(self) -> None:
        await self._system.close()
