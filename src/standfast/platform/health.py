"""What a health endpoint answers: one shape for every component, shown to work by doing a little of its work.

    {"component": "application-login", "ok": false, "checks": [{"name": "database", "ok": false, "ms": 3.1, "detail": "..."}]}

with 200 when every check passed and 503 when one failed. Anybody can ask: an answer is kept for a second, and a failure
tells the kind of its error and no more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

KEPT_SECONDS = 1.0
log = structlog.get_logger("health")


class Unhealthy(Exception):
    """A check failed, with a sentence that may be shown to anybody."""


class Health:
    """The checks of one component, run in order: each returns a detail or raises."""

    def __init__(self, component: str, checks: Mapping[str, Callable[[], str]]) -> None:
        self._component, self._checks = component, checks
        self._lock = threading.Lock()
        self._until = 0.0
        self._answer: tuple[int, dict[str, Any]] = (503, {})

    def answer(self) -> tuple[int, dict[str, Any]]:
        """(HTTP status, body); the same for a second, and run once however many ask."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._answer = self._run()
                self._until = time.monotonic() + KEPT_SECONDS
            return self._answer

    def _run(self) -> tuple[int, dict[str, Any]]:
        rows = [_run_one(self._component, name, check) for name, check in self._checks.items()]
        ok = all(row["ok"] for row in rows)
        return 200 if ok else 503, {"component": self._component, "ok": ok, "checks": rows}


def _run_one(component: str, name: str, check: Callable[[], str]) -> dict[str, Any]:
    begun = time.perf_counter()
    try:
        ok, detail = True, check()
    except Unhealthy as error:
        ok, detail = False, str(error)
    except Exception as error:  # whatever breaks a part is what we are asked about
        log.warning("a health check failed", component=component, check=name, error=str(error).strip())
        ok, detail = False, type(error).__name__
    return {"name": name, "ok": ok, "ms": round((time.perf_counter() - begun) * 1000, 1), "detail": detail}
