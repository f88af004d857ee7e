"""A clock that a test owns, a small map, and findings made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from standfast.operations import map as maps
from standfast.operations.incidents.engine import Engine
from standfast.operations.log import Log
from standfast.operations.map import Map
from standfast.operations.monitoring.report import CheckDown, CheckUp, Reason, Vote

VANTAGES = ("v1", "v2", "v3", "v4", "v5")


class Hands:
    """A clock moved by hand; `jump` moves the wall alone."""

    def __init__(self) -> None:
        self.wall = datetime(2022, 9, 30, 20, 24, tzinfo=UTC)
        self.steady = 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def go(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += timedelta(seconds=seconds)

    def jump(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)


def small_map(**rules: float) -> Map:
    """Two clusters, two components, a root check over all, one working check each, a pool under the root."""
    return maps.parse(
        {
            "page": {"name": "Example", "url": "https://status.example.net", "time_zone": "America/New_York"},
            "clusters": [
                {"id": "east", "name": "East", "accounts": 80},
                {"id": "west", "name": "West", "accounts": 20},
            ],
            "components": [
                {"id": "login", "name": "Login", "server": "application"},
                {"id": "api", "name": "API", "server": "api"},
            ],
            "vantages": [{"id": name, "name": name, "key_file": f"{name}.key"} for name in VANTAGES],
            "providers": [
                {"id": name, "name": name.title(), "server": "127.0.0.1", "zone": "example.test", "key_name": "k",
                 "key_file": "k"} for name in ("one", "two")
            ],
            "pools": [
                {"id": "root", "record": "example.test.", "primary": ["192.0.2.1"], "standby": ["192.0.2.2"]},
            ],
            "checks": [
                {"id": "root", "name": "Root domain", "kind": "dns", "pool": "root"},
                {"id": "login-{cluster}", "name": "Login {cluster_name}", "kind": "http", "per": "cluster",
                 "components": ["login"], "working": True},
                {"id": "api-{cluster}", "name": "API {cluster_name}", "kind": "http", "per": "cluster",
                 "components": ["api"], "working": True, "provider": "cloud"},
            ],
            "rules": rules,
        }
    )  # fmt: skip


class Scene:
    """An engine in memory with a clock; `run` lets time pass in steps of a second."""

    def __init__(self, **rules: float) -> None:
        self.clock = Hands()
        self.map = small_map(**rules)
        self.log = Log(None)
        self.engine = Engine(self.map, self.log, self.clock)

    def down(self, *checks: str) -> None:
        self.engine.handle([CheckDown(check, votes(Reason.NXDOMAIN, 2)) for check in checks])

    def up(self, *checks: str) -> None:
        self.engine.handle([CheckUp(check, votes(Reason.GOOD, 0)) for check in checks])

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.clock.go(1)
            self.engine.tick()

    def restart(self) -> None:
        """As after a kill: only the log is left."""
        self.engine = Engine(self.map, self.log, self.clock)

    def posts(self) -> list[str]:
        return [entry.data["status"] for entry in self.log.after(kind="post")]

    @property
    def incident(self):  # type: ignore[no-untyped-def]
        [one] = self.engine.state.incidents.values()
        return one


def votes(reason: Reason, failures: int) -> tuple[Vote, ...]:
    return tuple(Vote(name, reason, "by hand", failures, 0.5) for name in VANTAGES)
