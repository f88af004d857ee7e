"""An SMTP server that keeps nothing and costs next to nothing: what is left to measure is the client.

python -m benchmarks.sink PORT: takes every message, speaks PIPELINING; for our own client on loopback only.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

import uvloop

END = b"\r\n.\r\n"
EHLO = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 50000000\r\n"


class Sink(asyncio.Protocol):
    def __init__(self) -> None:
        self.rest = b""
        self.in_data = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        data = self.rest + data if self.rest else data
        replies: list[bytes] = []
        while data:
            if self.in_data:
                end = data.find(END)
                if end < 0:
                    data = data[-4:]  # the end may be cut in two
                    break
                data, self.in_data = data[end + 5 :], False
                replies.append(b"250 2.0.0 ok\r\n")
                continue
            line, found, after = data.partition(b"\r\n")
            if not found:
                break
            data = after
            verb = line[:4].upper()
            if verb == b"DATA":
                self.in_data = True
                replies.append(b"354 go\r\n")
            elif verb in (b"EHLO", b"HELO"):
                replies.append(EHLO)
            else:
                replies.append(b"221 bye\r\n" if verb == b"QUIT" else b"250 2.1.0 ok\r\n")
        self.rest = data
        if replies:
            self.transport.write(b"".join(replies))


async def serve(port: int) -> None:
    """Until SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await loop.create_server(Sink, "127.0.0.1", port)
    await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
