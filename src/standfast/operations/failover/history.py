"""The failovers as the log tells them: what was decided, what each provider has, what is still to be done."""

from __future__ import annotations

from dataclasses import dataclass, field

from standfast.operations.failover.authority import Generation
from standfast.operations.incidents.entries import Kind
from standfast.operations.log import Entry, Log


@dataclass(slots=True)
class Failover:
    """One decision. `outcomes`: provider to "changed", "superseded" or "failed"; failed ones are tried again."""

    id: str
    pool: str
    target: str
    addresses: tuple[str, ...]
    generation: Generation
    by: str
    outcomes: dict[str, str] = field(default_factory=dict)
    done: bool = False

    @property
    def lost(self) -> bool:
        """Another controller's decision stands in its place everywhere. One that did not answer may have made ours late."""
        return "superseded" in self.outcomes.values() and not {"changed", "failed"} & set(self.outcomes.values())

    @property
    def contested(self) -> bool:
        """Another controller's decision stands at some providers and ours at others: one of the two is still to give way."""
        return {"changed", "superseded"} <= set(self.outcomes.values())

    def behind(self, providers: list[str]) -> list[str]:
        """Who has not yet confirmed it."""
        return [name for name in providers if self.outcomes.get(name) not in ("changed", "superseded")]


class History:
    """Follows the log from entry to entry."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.position = 0
        self.latest: dict[str, Failover] = {}
        self.numbers: dict[str, int] = {}
        self.all: dict[str, Failover] = {}

    def read(self) -> None:
        """Take in what was appended since."""
        for entry in self.log.after(self.position):
            self.position = entry.position
            if entry.kind.startswith("failover_"):
                self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        data = entry.data
        if entry.kind == Kind.FAILOVER_DECIDED:
            found = Failover(
                data["failover"], data["pool"], data["target"], tuple(data["addresses"]),
                Generation(data["generation"], data["failover"]), data["by"],
            )  # fmt: skip
            self.latest[found.pool] = self.all[found.id] = found
            self.numbers[found.pool] = max(found.generation.number, self.numbers.get(found.pool, 0))
        elif entry.kind == Kind.FAILOVER_PROVIDER:
            self.all[data["failover"]].outcomes[data["provider"]] = data["outcome"]
        elif entry.kind == Kind.FAILOVER_DONE:
            self.all[data["failover"]].done = True
