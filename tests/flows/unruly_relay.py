"""A relay that misbehaves as asked, and keeps the Message-IDs of what it accepted."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections import Counter

_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>]*>)", re.IGNORECASE | re.MULTILINE)


class UnrulyRelay:
    """`manner` may be changed while it runs: good, silent (no banner), drip (a reply a byte at a time), endless (a reply of
    many lines), closing (421 at the second message), refuses_auth, drops_tls."""

    def __init__(self, manner: str = "good", *, tls: ssl.SSLContext | None = None, auth: bool = False) -> None:
        self.manner, self.tls, self.auth = manner, tls, auth
        self.accepted: Counter[str] = Counter()
        self.sessions = 0
        self.port = 0

    async def __aenter__(self) -> UnrulyRelay:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 22)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._session(reader, writer)
        writer.transport.abort()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.manner == "silent":
            await reader.read()
        await self._say(writer, b"220 relay.test\r\n")
        messages = 0
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                await self._say(writer, self._extensions(writer))
            elif verb == b"STAR":
                await self._say(writer, b"220 go on\r\n")
                if self.manner == "drops_tls":
                    return
                await writer.start_tls(self.tls)
            elif verb == b"AUTH":
                refused = self.manner == "refuses_auth"
                await self._say(writer, b"535 5.7.8 no such user or password\r\n" if refused else b"235 welcome\r\n")
            elif verb == b"MAIL" and self.manner == "closing" and messages:
                await self._say(writer, b"421 4.7.0 too much, come back later\r\n")
                return
            elif verb == b"DATA":
                await self._say(writer, b"354 go on\r\n")
                body = await reader.readuntil(b"\r\n.\r\n")
                messages += 1
                found = _MESSAGE_ID.search(body)
                self.accepted[found[1].decode() if found else "none"] += 1
                await self._say(writer, b"250 2.0.0 kept\r\n")
            elif verb == b"QUIT":
                return
            else:
                await self._say(writer, b"250 ok\r\n")

    def _extensions(self, writer: asyncio.StreamWriter) -> bytes:
        lines = ["relay.test", "PIPELINING"]
        if self.tls is not None and writer.get_extra_info("ssl_object") is None:
            lines.append("STARTTLS")
        if self.auth:
            lines.append("AUTH PLAIN")
        return "".join(f"250{'-' if line != lines[-1] else ' '}{line}\r\n" for line in lines).encode()

    async def _say(self, writer: asyncio.StreamWriter, reply: bytes) -> None:
        if self.manner == "endless":
            while True:
                writer.write(reply[:3] + b"-" + b"x" * 900 + b"\r\n")
                await writer.drain()
        if self.manner == "drip":
            for n in range(len(reply)):
                writer.write(reply[n : n + 1])
                await writer.drain()
                await asyncio.sleep(0.1)
            return
        writer.write(reply)
        await writer.drain()
