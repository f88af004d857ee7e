"""The guard before any change of a zone: too much at once, or the root's name servers, needs a person's name.

The thresholds are octoDNS's (30 % of the records, counted from ten on).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from standfast.operations.failover.authority import EmptySet

SHARE_MAX = 0.30
RECORDS_MIN = 10  # in a smaller zone one record is already a large share

Names = Mapping[tuple[str, str], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """One record set as it will be; no values = it is deleted."""

    name: str
    type: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """The plan is not carried out unless a person approves it by name; `why` is for that person."""

    why: str


@dataclass(frozen=True, slots=True)
class Allowed:
    approved_by: str | None = None


def judge(
    zone: str, existing: Names, changes: Sequence[Change], *, approved_by: str | None = None
) -> Allowed | NeedsApproval:
    """Whether a plan may be carried out. Raises EmptySet when it takes a name's last addresses: nobody can approve that."""
    _never_empty(existing, changes)
    if approved_by:
        return Allowed(approved_by)
    touched = [change for change in changes if _differs(existing, change)]
    if any(change.name == zone and change.type == "NS" for change in touched):
        return NeedsApproval(f"the plan touches the name servers of {zone} itself")
    counted = [change for change in touched if (change.name, change.type) in existing]
    if len(existing) >= RECORDS_MIN and len(counted) / len(existing) > SHARE_MAX:
        return NeedsApproval(
            f"the plan changes or deletes {len(counted)} of {len(existing)} records of {zone}, "
            f"more than {SHARE_MAX:.0%}"
        )
    return Allowed()


def _differs(existing: Names, change: Change) -> bool:
    return tuple(sorted(existing.get((change.name, change.type), ()))) != tuple(sorted(change.values))


def _never_empty(existing: Names, changes: Sequence[Change]) -> None:
    """After the plan every name that answered with addresses still does, with addresses or as an alias."""
    after = dict(existing)
    for change in changes:
        if change.values:
            after[change.name, change.type] = change.values
        else:
            after.pop((change.name, change.type), None)
    for name in {change.name for change in changes}:
        had = any(existing.get((name, kind)) for kind in ("A", "AAAA"))
        if had and not any(after.get((name, kind)) for kind in ("A", "AAAA", "CNAME")):
            raise EmptySet(f"{name} would be left without addresses; nothing was sent")
