"""What every simulation stands on: a clock that is set by hand and a small map."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from standfast.operations import map as maps

BEGIN = datetime(2022, 9, 30, 16, 0, tzinfo=UTC)
VANTAGES = ("v1", "v2", "v3", "v4", "v5")


class HandClock:
    """A clock that moves when told to. `jump` moves the wall clock alone."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.ahead = 0.0

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.seconds - 1000.0 + self.ahead)

    def monotonic(self) -> float:
        return self.seconds

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds

    def jump(self, seconds: float) -> None:
        self.ahead += seconds


def small_map(*, checks: int = 1, vantages: int = 5, rules: dict[str, Any] | None = None, **tables: Any) -> maps.Map:
    """One component in one cluster, `checks` working checks c0, c1, ..., and vantages v1, v2, ..."""
    return maps.parse(
        {
            "page": {"name": "Status", "url": "https://status.example"},
            "clusters": [{"id": "cloud", "name": "Cloud"}],
            "components": [{"id": "mail", "name": "Mail", "server": "application"}],
            "vantages": [
                {"id": f"v{number}", "name": f"Vantage {number}", "key_file": f"v{number}.key"}
                for number in range(1, vantages + 1)
            ],
            "checks": [
                {"id": f"c{number}", "kind": "tcp", "working": True, "spec": {"host": "127.0.0.1", "port": 9}}
                for number in range(checks)
            ],
            "rules": rules or {},
            **tables,
        }
    )
