"""A worker's sign of life: written after a step that succeeded, so that a process that hangs or only fails shows as silent."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

BEAT_SECONDS = 5.0


@dataclass(frozen=True)
class Heartbeat:
    """seconds since it was written, and what the worker said then."""

    seconds: float
    detail: Mapping[str, Any]


class Pulse:
    """Writes at most every five seconds, so that calling it after every step costs nothing."""

    def __init__(self, name: str) -> None:
        self._name, self._next = name, 0.0

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def beat(self, connection: psycopg.Connection, **detail: Any) -> None:
        """Write and commit. Raises psycopg.Error."""
        with connection.transaction():
            connection.execute(
                "INSERT INTO heartbeat (name, at, detail) VALUES (%s, %s, %s)"
                " ON CONFLICT (name) DO UPDATE SET at = excluded.at, detail = excluded.detail",
                [self._name, datetime.now(UTC), json.dumps(detail)],
            )
        connection.commit()
        self._next = time.monotonic() + BEAT_SECONDS


def heartbeats(cursor: Any) -> dict[str, Heartbeat]:
    """The last sign of every kind of worker."""
    cursor.execute("SELECT name, at, detail FROM heartbeat")
    now = datetime.now(UTC)
    return {
        name: Heartbeat((now - at).total_seconds(), json.loads(detail) if isinstance(detail, str) else detail)
        for name, at, detail in cursor.fetchall()
    }
