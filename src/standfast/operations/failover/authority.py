"""What failover needs of a provider: read one record with its generation, replace both in one fenced step, list the zone.

`update.py` does it by RFC 2136; simulations and tests may put another `Authority` in its place.

A generation stands beside each record that fails over, as TXT at `_gen.<record>`: "<number> <failover>". It goes up with
every change, and every change names the one that it replaces, so that a stale or a racing controller changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from standfast.operations.map import Pool

GENERATION_LABEL = "_gen"


class Generation(NamedTuple):
    """Which change a record comes from. Numbers count up; two controllers may have taken the same one at a time."""

    number: int
    failover: str

    @property
    def text(self) -> str:
        return f"{self.number} {self.failover}"


NO_GENERATION = Generation(0, "")


@dataclass(frozen=True, slots=True)
class Standing:
    """A record as a provider has it now. `fence` is the exact TXT at its generation name; () when there is none."""

    addresses: tuple[str, ...]
    ttl: int
    fence: tuple[str, ...]

    @property
    def generation(self) -> Generation:
        """What the fence says; a text that is none of ours counts as no generation, and is replaced like one."""
        for text in self.fence:
            number, _, failover = text.partition(" ")
            if number.isascii() and number.isdigit() and len(number) < 19:
                return Generation(int(number), failover)
        return NO_GENERATION


@dataclass(frozen=True, slots=True)
class Changed:
    """The provider has confirmed the change, or had made it before."""

    sent: bool = True


@dataclass(frozen=True, slots=True)
class Fenced:
    """The generation there is no longer the one that was read: nothing was changed."""


@dataclass(frozen=True, slots=True)
class Superseded:
    """Another controller's change stands there and goes before ours."""

    standing: Standing


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider said no (wrong key, not its zone, read-only); asking again helps only after somebody mended it."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No answer in time. A change that was sent may have been made all the same."""

    detail: str


class Authority(Protocol):
    """One provider. No call may take longer than the caller's time limit allows; none raises for what a provider does."""

    @property
    def id(self) -> str: ...

    @property
    def zone(self) -> str:
        """Its zone, with a dot at the end."""
        ...

    async def read(self, pool: Pool) -> Standing | Refused | Unreachable: ...

    async def replace(
        self, pool: Pool, addresses: tuple[str, ...], *, generation: Generation, seen: Standing
    ) -> Changed | Fenced | Refused | Unreachable:
        """Set addresses and generation in one step, if the generation is still the one seen. Raises EmptySet."""
        ...

    async def names(self) -> Mapping[tuple[str, str], tuple[str, ...]] | Refused | Unreachable:
        """Every record set of the zone: (name, type) to its values."""
        ...


class EmptySet(ValueError):
    """A change would leave a name without addresses; such a change is never sent."""


def checked_addresses(pool: Pool, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses to send. Raises EmptySet when there are none."""
    if not addresses:
        raise EmptySet(f"{pool.record} would be left without addresses; nothing was sent")
    return addresses


def serves(zone: str, record: str) -> bool:
    """Whether a record's name lies in a zone."""
    return record == zone or record.endswith("." + zone) or zone == "."
