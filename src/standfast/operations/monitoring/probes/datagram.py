"""Ask one name server: UDP with one repetition, TCP when the answer is truncated (RFC 7766) or when asked for.

The socket is connected, so that the kernel drops datagrams from elsewhere and tells us of a closed port (ICMP). What is
not an answer to our question is passed over, as a resolver does: anybody can send a datagram.
"""

from __future__ import annotations

import asyncio

import dns.exception
import dns.flags
import dns.message

from standfast.operations.monitoring.probes.failure import Bad
from standfast.operations.monitoring.report import Reason


async def ask(
    query: dns.message.Message, *, address: str, port: int, tcp: bool = False, repeat_seconds: float = 0.6
) -> dns.message.Message:
    """The answer. Raises OSError, Bad; waits for ever, so bound it with a timeout."""
    if not tcp:
        answer = await _by_udp(query, address, port, repeat_seconds)
        if not answer.flags & dns.flags.TC:
            return answer
    return await _by_tcp(query, address, port)


async def _by_udp(query: dns.message.Message, address: str, port: int, repeat_seconds: float) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[dns.message.Message] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Asker(query, answer), remote_addr=(address, port))
    try:
        wire = query.to_wire()
        transport.sendto(wire)
        await asyncio.wait([answer], timeout=repeat_seconds)
        if not answer.done():
            transport.sendto(wire)  # one datagram may be lost on the way; a resolver asks again too
        return await answer
    finally:
        transport.abort()
        answer.cancel()


class _Asker(asyncio.DatagramProtocol):
    def __init__(self, query: dns.message.Message, answer: asyncio.Future[dns.message.Message]) -> None:
        self._query, self._answer = query, answer

    def datagram_received(self, data: bytes, _address: object) -> None:
        try:
            message = dns.message.from_wire(data, ignore_trailing=True)
        except (dns.exception.DNSException, ValueError):
            return
        if self._query.is_response(message) and not self._answer.done():
            self._answer.set_result(message)

    def error_received(self, error: Exception) -> None:
        if not self._answer.done():
            self._answer.set_exception(error)


async def _by_tcp(query: dns.message.Message, address: str, port: int) -> dns.message.Message:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        wire = query.to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        size = int.from_bytes(await reader.readexactly(2), "big")
        message = dns.message.from_wire(await reader.readexactly(size), ignore_trailing=True)
    except asyncio.IncompleteReadError as error:
        raise Bad(Reason.PROTOCOL, "the name server closed the TCP connection without an answer") from error
    except (dns.exception.DNSException, ValueError) as error:
        raise Bad(Reason.PROTOCOL, f"not a DNS message: {error}") from error
    finally:
        writer.transport.abort()
    if not query.is_response(message):
        raise Bad(Reason.PROTOCOL, "an answer to another question")
    return message
