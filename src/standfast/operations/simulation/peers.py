"""Peers on loopback that fail on command, with real sockets: a TCP service (plain or TLS) and a name server.

    peer = Service(HTTP_200)
    await peer.become("hang")

Whatever they become, their port stays theirs; "refused" closes it. Used by the tests of the probes and by `detection`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

HTTP_200 = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"ok": true}'
HTTP_503 = b'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 13\r\n\r\n{"ok": false}'


class Service:
    """A TCP service on one port. `replies`: said in turn, the first at once when `greets`, else after the first line.

    Modes: good, refused, hang (accepts, says nothing), reset, closed (at once, politely), drip (a byte a second), garbage,
    slow (answers after `slow_seconds`), half (half of the reply, then silence), cut (half of it, then closes), and any
    mode of `other`, which says what is said instead.
    """

    def __init__(self, *replies: bytes, greets: bool = False, other: dict[str, bytes] | None = None) -> None:
        self.replies, self.greets, self.other = replies, greets, other or {}
        self.mode, self.slow_seconds = "good", 1.0
        self.context: ssl.SSLContext | None = None
        self.port = free_port()
        self.heard: list[bytes] = []
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def become(self, mode: str, context: ssl.SSLContext | None = None) -> None:
        """Fail so from now on; a context makes it speak TLS with that one."""
        self.mode = mode
        listening = mode != "refused"
        if self._server is not None and (not listening or context is not self.context):
            await self.close()
        self.context = context
        if listening and self._server is None:
            self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, ssl=context)

    async def close(self) -> None:
        for talk in self._talks:
            talk.cancel()
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            with contextlib.suppress(ConnectionError):
                await self._say(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            self._talks.discard(task)
            writer.transport.abort()

    async def _say(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "reset":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        if self.mode == "closed":
            return
        if self.mode == "hang":
            await asyncio.sleep(3600)
        for number, reply in enumerate(self.replies):
            if number or not self.greets:
                await self._hear(reader)
            await self._reply(writer, self.other.get(self.mode, reply))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(), 1)

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        line = await reader.readline()
        self.heard.append(line)
        if line.endswith(b"HTTP/1.1\r\n"):
            while (line := await reader.readline()).strip():
                self.heard.append(line)

    async def _reply(self, writer: asyncio.StreamWriter, reply: bytes) -> None:
        if self.mode == "slow":
            await asyncio.sleep(self.slow_seconds)
        if self.mode == "garbage":
            reply = bytes(range(256)) * 64
        if self.mode == "drip":
            for byte in reply:
                writer.write(bytes([byte]))
                await asyncio.sleep(1)
        writer.write(reply[: len(reply) // 2] if self.mode in ("half", "cut") else reply)
        if self.mode == "half":
            await asyncio.sleep(3600)
        if self.mode == "cut":
            await writer.drain()
            writer.close()
            await asyncio.sleep(0)
            raise ConnectionResetError


class NameServer:
    """Serves one name over UDP and TCP on one port.

    Modes: good, refused (port closed), hang, servfail, nxdomain, empty, wrong, lame (no AA), refuses (rcode), garbage,
    truncated (TC over UDP, the answer over TCP), delegation (NS in the authority section, no AA), drops (every other).
    """

    def __init__(self, name: str, *values: str, kind: str = "A", wrong: str = "203.0.113.9") -> None:
        self.name, self.values, self.kind, self.wrong = name, values, kind, wrong
        self.mode, self.port, self.asked = "good", free_port(datagrams=True), 0
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None

    async def become(self, mode: str) -> None:
        self.mode = mode
        if mode == "refused":
            await self.close()
        elif self._transport is None:
            loop = asyncio.get_running_loop()
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), local_addr=("127.0.0.1", self.port)
            )
            self._server = await asyncio.start_server(self._by_tcp, "127.0.0.1", self.port)

    async def close(self) -> None:
        if self._transport is not None and self._server is not None:
            self._transport.close()
            self._server.close()
        self._transport = self._server = None

    def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        self.asked += 1
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        code = {"servfail": "SERVFAIL", "nxdomain": "NXDOMAIN", "refuses": "REFUSED"}.get(self.mode, "NOERROR")
        reply.set_rcode(dns.rcode.from_text(code))
        if self.mode == "hang" or (self.mode == "drops" and self.asked % 2):
            return None
        if self.mode == "garbage":
            return b"\xff" * 40
        if self.mode in ("lame", "delegation"):
            reply.flags &= ~dns.flags.AA
        if self.mode == "truncated" and not tcp:
            reply.flags |= dns.flags.TC
        elif code == "NOERROR" and self.mode != "empty":
            values = (self.wrong,) if self.mode == "wrong" else self.values
            records = dns.rrset.from_text(dns.name.from_text(self.name), 30, "IN", self.kind, *values)
            (reply.authority if self.mode == "delegation" else reply.answer).append(records)
        return reply.to_wire()

    async def _by_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            size = int.from_bytes(await reader.readexactly(2), "big")
            reply = self.answer(await reader.readexactly(size), tcp=True)
            if reply is None:
                await asyncio.sleep(5)
            else:
                writer.write(len(reply).to_bytes(2, "big") + reply)
                await writer.drain()
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        reply = self._server.answer(data, tcp=False)
        if reply is not None:
            self._transport.sendto(reply, address)


def free_port(*, datagrams: bool = False) -> int:
    """A port of 127.0.0.1 that is free now, for TCP and, when asked, for UDP as well."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as packets:
            stream.bind(("127.0.0.1", 0))
            port: int = stream.getsockname()[1]
            if not datagrams:
                return port
            with contextlib.suppress(OSError):
                packets.bind(("127.0.0.1", port))
                return port
