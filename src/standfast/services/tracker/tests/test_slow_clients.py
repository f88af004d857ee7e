"""A client that never ends its request holds nothing for long."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from standfast.platform.spool import Spool
from standfast.services.tracker import app
from standfast.services.tracker.tests.tracker_process import KEY, token


class Scope:
    method = "POST"
    path = f"/u/{token()}"
    query_string = ""
    client = "127.0.0.1:4711"
    headers = {"content-length": "26"}


class SlowProtocol:
    """Sends the half of a body, then nothing."""

    status = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"List-Unsub"
        await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status


async def test_half_a_body_is_given_up_and_is_no_unsubscribe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "BODY_SECONDS_MAX", 0.05)
    spool, protocol = Spool(tmp_path), SlowProtocol()
    tracker = app.TrackerApp(spool=spool, token_key=KEY)
    await tracker.__rsgi__(Scope(), protocol)
    assert protocol.status == 408
    assert (spool.appended_count, tracker.in_flight) == (0, 0)
    await spool.close()
