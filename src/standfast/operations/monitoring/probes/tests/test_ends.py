"""Whatever the peer does, every probe ends in its time, leaves nothing open and raises nothing."""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.operations.monitoring.probes.tests.looking import HASTE, look
from standfast.operations.monitoring.report import Reason
from standfast.operations.simulation.peers import Service

KINDS = {
    "http": lambda port: {"url": f"http://127.0.0.1:{port}/"},
    "https": lambda port: {"url": f"https://127.0.0.1:{port}/", "verify": False},
    "smtp": lambda port: {"host": "127.0.0.1", "port": port},
    "ftp": lambda port: {"host": "127.0.0.1", "port": port},
    "tls": lambda port: {"host": "127.0.0.1", "port": port, "verify": False},
    "dns": lambda port: {"server": "127.0.0.1", "port": port, "name": "example.", "tcp": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["hang", "drip", "half"])
async def test_in_time(kind, mode):
    service = Service(b"x" * 64, greets=kind in ("smtp", "ftp"))
    await service.become(mode)
    begun = time.monotonic()
    outcome = await look("http" if kind == "https" else kind, **KINDS[kind](service.port), timeout_seconds=HASTE)
    assert not outcome.good
    assert time.monotonic() - begun < 10  # 0.4 s asked; the bound is for a starved machine
    await service.close()


async def test_nothing_is_left_open():
    before = len(list(Path("/proc/self/fd").iterdir()))
    service = Service(b"x" * 64)
    await service.become("hang")
    for _ in range(5):
        await asyncio.gather(*[look("http", **KINDS["http"](service.port), timeout_seconds=0.05) for _ in range(10)])
    await service.close()
    await asyncio.sleep(0.1)
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) < before + 10
    assert len(asyncio.all_tasks()) < 5


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(KINDS)), st.booleans())
def test_any_bytes(data, kind, greets):
    async def run():
        service = Service(data, greets=greets)
        await service.become("cut" if len(data) % 2 else "good")
        outcome = await look("http" if kind == "https" else kind, **KINDS[kind](service.port), timeout_seconds=0.2)
        await service.close()
        return outcome

    assert isinstance(asyncio.run(run()).reason, Reason)
