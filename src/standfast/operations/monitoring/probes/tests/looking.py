"""Make a check and look."""

from __future__ import annotations

from typing import Any

from standfast.operations.clock import SystemClock
from standfast.operations.map import Check
from standfast.operations.monitoring.probes import probe
from standfast.operations.monitoring.report import Outcome, Reason
from standfast.operations.status import Status

HASTE = 0.4  # where a timeout is what must come
PATIENCE = 10.0  # where it must not, however busy the machine


def patience(reason: Reason) -> float:
    return HASTE if reason is Reason.TIMEOUT else PATIENCE


async def look(kind: str, *, timeout_seconds: float = PATIENCE, **spec: Any) -> Outcome:
    """One outcome. Asserts what holds for every probe: it names its check and its detail is one line."""
    check = Check(
        id="checked",
        name="Checked",
        kind=kind,
        squares=(),
        working=True,
        status=Status.MAJOR_OUTAGE,
        provider="",
        pool="",
        timeout_seconds=timeout_seconds,
        spec=spec,
    )
    outcome = await probe(check, SystemClock())
    assert outcome.check == "checked"
    assert outcome.detail and outcome.detail.isprintable() and len(outcome.detail) <= 300
    return outcome
