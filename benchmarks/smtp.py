"""SMTP over loopback: CPU a message of the pipelined client and of the server, with and without keeping on disk.

    python benchmarks/smtp.py [--messages 10000] [--bytes 45000] [--connections 10]

Each figure stands beside its limit in the same run: what the kernel alone takes to move the same bytes through a
loopback socket with plain blocking calls, and smtplib's cost for the same dialogue.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import smtplib
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

from standfast.protocols.smtp_client import Accepted, Outcome, connect
from standfast.protocols.smtp_server import SessionHooks, serve
from standfast.services.inbox.plan import Plan
from standfast.services.inbox.server import Inbox, serve_inbox
from standfast.services.inbox.store import Store


def message_of(size: int) -> bytes:
    line = b'<td style=3D"color: #333; font-family: sans">some text with a.dot and =C3=BC'[:74] + b"=\r\n"
    head = b"From: a@a.test\r\nTo: b@b.test\r\nMessage-ID: <1.1.1.x@a.test>\r\nSubject: x\r\n\r\n"
    return head + line * max(1, (size - len(head)) // len(line))


def cpu(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def in_child(serve_on: Callable[[socket.socket], None]) -> tuple[int, int]:
    """Run a server in a child process; (its pid, the port of the listener handed to it)."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(KeyboardInterrupt):
            serve_on(listener)
        os._exit(0)
    listener.close()
    return pid, port


def plain_server(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()

    async def run() -> None:
        await serve(host="127.0.0.1", port=port, hooks=SessionHooks)
        await asyncio.Event().wait()

    uvloop.run(run())


def keeping_server(directory: Path) -> Callable[[socket.socket], None]:
    def start(listener: socket.socket) -> None:
        port = listener.getsockname()[1]
        listener.close()

        async def run() -> None:
            inbox = Inbox(plan=Plan(), store=Store(directory, bodies_bytes_max=128 * 1024 * 1024))
            await serve_inbox(host="127.0.0.1", port=port, inbox=inbox)
            await asyncio.Event().wait()

        uvloop.run(run())

    return start


def sink(listener: socket.socket) -> None:
    listener.listen()
    peer, _ = listener.accept()
    buffer = bytearray(1 << 16)
    while peer.recv_into(buffer):
        pass


async def push_all(port: int, message: bytes, *, count: int, connections: int) -> int:
    """Push `count` messages, two submitted at a time on each connection; how many were accepted."""
    accepted = 0

    async def one(left: int) -> None:
        nonlocal accepted
        connection = await connect("127.0.0.1", port, tls="none")
        finished = asyncio.get_running_loop().create_future()
        to_push, to_hear = left, left

        def heard(outcome: Outcome) -> None:
            nonlocal accepted, to_hear
            accepted += isinstance(outcome, Accepted)
            to_hear -= 1
            if not to_hear:
                finished.set_result(None)
            elif to_push and connection.usable:
                push()

        def push() -> None:
            nonlocal to_push
            to_push -= 1
            connection.push(
                "b-token@bounce.a.test", "b@b.test", (message,), on_outcome=heard, on_dot=lambda: None, wire_ready=True
            )

        push()
        if to_push:
            push()
        await finished
        await connection.quit()

    await asyncio.gather(*(one(count // connections) for _ in range(connections)))
    return accepted


def measure(name: str, server: Callable[[socket.socket], None], client: Callable[[int], int]) -> None:
    pid, port = in_child(server)
    while True:
        with socket.socket() as probe:
            if server is sink or probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    time.sleep(0.2)
    before, started = cpu(resource.getrusage(resource.RUSAGE_SELF)), time.perf_counter()
    done = client(port)
    seconds = time.perf_counter() - started
    mine = cpu(resource.getrusage(resource.RUSAGE_SELF)) - before
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 15)
    theirs = cpu(os.wait4(pid, 0)[2])
    print(
        f"{name:34} {done / seconds:8,.0f} /s   client {mine / done * 1e6:7.1f} us   "
        f"server {theirs / done * 1e6:7.1f} us = {done / theirs:8,.0f} /s a core"
    )


def raw_bytes(port: int, message: bytes, count: int) -> int:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(count):
            connection.sendall(message)
    return count


def with_smtplib(port: int, message: bytes, count: int) -> int:
    with smtplib.SMTP("127.0.0.1", port) as client:
        for _ in range(count):
            client.sendmail("b-token@bounce.a.test", ["b@b.test"], message)
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=45_000)
    parser.add_argument("--connections", type=int, default=10)
    given = parser.parse_args()
    message, count, connections = message_of(given.bytes), given.messages, given.connections
    print(f"{count} messages of {len(message)} bytes, {connections} connections, CPU time a message")

    def pipelined(size: bytes) -> Callable[[int], int]:
        return lambda port: uvloop.run(push_all(port, size, count=count, connections=connections))

    measure("limit: bytes through a socket", sink, lambda port: raw_bytes(port, message, count))
    measure("client to server", plain_server, pipelined(message))
    measure("client to server, 3 KB", plain_server, pipelined(message_of(3_000)))
    with tempfile.TemporaryDirectory() as directory:
        measure("client to inbox, kept on disk", keeping_server(Path(directory)), pipelined(message))
    measure("peer: smtplib to server", plain_server, lambda port: with_smtplib(port, message, count // 5))


if __name__ == "__main__":
    main()
