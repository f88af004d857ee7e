"""The controller's parts around one another: what one cannot do, the others must not hide."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from standfast.operations import map as maps
from standfast.operations.controller import JUDGING, Controller
from standfast.operations.incidents.tests.scene import Hands, small_map
from standfast.operations.log import LogError


@pytest.fixture
def controller(tmp_path: Path) -> Controller:
    the_map: maps.Map = small_map().model_copy(update={"folder": tmp_path, "providers": (), "pools": ()})
    for vantage in the_map.vantages:
        (tmp_path / vantage.key_file).write_text(base64.b64encode(b"k" * 32).decode())
    return Controller(the_map, Hands())


async def test_a_page_is_not_called_fresh_while_nothing_can_be_judged(
    controller: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat = tmp_path / "page" / "current" / "heartbeat.json"
    await controller._guarded(JUDGING, controller._judge())
    await controller._page()
    before = heartbeat.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise LogError("the disk is full")

    with monkeypatch.context() as patched:
        controller.clock.go(5)  # type: ignore[attr-defined]
        patched.setattr(controller.engine, "handle", full)
        await controller._guarded(JUDGING, controller._judge())
        await controller._page()
        assert heartbeat.read_bytes() == before
    await controller._guarded(JUDGING, controller._judge())
    await controller._page()
    assert heartbeat.read_bytes() != before
