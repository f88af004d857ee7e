"""The guard: too large a share, or the root's name servers, needs a person's name; an emptied name nobody may approve."""

from __future__ import annotations

import pytest

from standfast.operations.failover.authority import EmptySet
from standfast.operations.failover.plan import Allowed, Change, NeedsApproval, judge

ROOT = "shop.test."


def zone_of(count: int) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(f"h{number}.{ROOT}", "A"): ("192.0.2.1",) for number in range(count)}


def moved(count: int) -> list[Change]:
    return [Change(f"h{number}.{ROOT}", "A", ("198.51.100.1",)) for number in range(count)]


def test_three_of_ten_may_change_four_may_not() -> None:
    assert judge(ROOT, zone_of(10), moved(3)) == Allowed()
    stopped = judge(ROOT, zone_of(10), moved(4))
    assert isinstance(stopped, NeedsApproval)
    assert "4 of 10" in stopped.why
    assert judge(ROOT, zone_of(10), moved(4), approved_by="Alice") == Allowed("Alice")


def test_a_zone_under_ten_records_is_not_counted() -> None:
    assert judge(ROOT, zone_of(9), moved(9)) == Allowed()


def test_new_records_and_unchanged_ones_are_not_counted() -> None:
    unchanged = [Change(f"h{number}.{ROOT}", "A", ("192.0.2.1",)) for number in range(10)]
    new = [Change(f"new{number}.{ROOT}", "A", ("192.0.2.1",)) for number in range(10)]
    assert judge(ROOT, zone_of(10), unchanged + new) == Allowed()


def test_the_roots_name_servers_need_a_person() -> None:
    existing = {(ROOT, "NS"): ("ns1.shop.test.", "ns2.shop.test.")}
    change = [Change(ROOT, "NS", ("ns1.elsewhere.test.",))]
    assert isinstance(judge(ROOT, existing, change), NeedsApproval)
    assert judge(ROOT, existing, change, approved_by="Alice") == Allowed("Alice")


def test_taking_the_last_addresses_is_refused_even_when_approved() -> None:
    with pytest.raises(EmptySet):
        judge(ROOT, zone_of(10), [Change(f"h1.{ROOT}", "A", ())], approved_by="Alice")
    alias = [Change(f"h1.{ROOT}", "A", ()), Change(f"h1.{ROOT}", "CNAME", ("other.test.",))]
    assert judge(ROOT, zone_of(10), alias) == Allowed()
