"""The whole process: server and readers start together, end together, and the readers' tally says what was done."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from standfast.protocols.smtp_client import Accepted, Connection, SmtpConnectError, connect
from standfast.services.inbox.readers import read_tally

RUN = """
import sys
from pathlib import Path
from standfast.services.inbox.main import run
run(port=int(sys.argv[1]), directory=Path(sys.argv[2]), tracker_url=sys.argv[3],
    readers="seed:1,all=0,person_open=1,delay_scale=0.001")
"""


def newsletter(number: int) -> bytes:
    return (
        f"From: a@a.test\r\nMessage-ID: <{number}@a.test>\r\nContent-Type: text/html\r\n\r\n"
        f'<img src="http://t.test/o/t{number}.gif">\r\n'
    ).encode()


async def patient(port: int) -> Connection:
    """Connect as soon as the process listens."""
    for _ in range(200):
        try:
            return await connect("127.0.0.1", port, tls="none")
        except SmtpConnectError:
            await asyncio.sleep(0.05)
    raise AssertionError("the inbox did not start")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
async def test_readers_come_and_go_with_the_inbox(ending: signal.Signals, tmp_path: Path) -> None:
    opened: set[str] = set()

    async def pixel(request: web.Request) -> web.Response:
        opened.add(request.path)
        return web.Response()

    application = web.Application()
    application.router.add_get("/o/{token}", pixel)
    runner = web.AppRunner(application)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    process = subprocess.Popen([sys.executable, "-c", RUN, str(port), str(tmp_path), url])
    try:
        connection = await patient(port)
        for number in range(20):
            outcome = await connection.submit("b-t@b.test", "r@r.test", newsletter(number))
            assert isinstance(outcome, Accepted)
        await connection.quit()
        while read_tally(tmp_path).get("done", {}).get("person_open") != 20:
            await asyncio.sleep(0.05)
        children = psutil.Process(process.pid).children()
        assert len(children) == 1
    finally:
        process.send_signal(ending)
        assert process.wait(20) == (0 if ending is signal.SIGTERM else -signal.SIGKILL)
    assert opened == {f"/o/t{number}.gif" for number in range(20)}
    psutil.wait_procs(children, timeout=20)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    await runner.cleanup()
