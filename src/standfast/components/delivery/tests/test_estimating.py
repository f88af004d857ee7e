"""A large audience is estimated from a sample, near what the freeze would count; a small one is counted."""

from __future__ import annotations

import psycopg
import pytest

from standfast.components.audience.api import create_list
from standfast.components.delivery import api as delivery
from standfast.components.delivery import estimating
from standfast.platform import postgres
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 6_000


@pytest.fixture
def lists(cast, loader, database) -> list[int]:
    """Everybody is on the first list, a tenth has left it; a fifth is on the second."""
    account_id = cast.account.pk
    with account_scope(account_id):
        chosen = [create_list(account_id=account_id, name=name).pk for name in ("all", "some")]
    loader.execute(
        "INSERT INTO audience_contact (account_id, email, email_key, created_at, updated_at) "
        "SELECT %s, n || '@a.example', n || '@a.example', now(), now() FROM generate_series(1, %s) n",
        [account_id, PEOPLE],
    )
    for list_id, every in zip(chosen, (1, 5), strict=True):
        loader.execute(
            "INSERT INTO audience_subscription SELECT account_id, %s, id, CASE WHEN id %% 10 = 0 THEN 'unsubscribed' ELSE "
            "'subscribed' END, now() FROM audience_contact WHERE account_id = %s AND id %% %s = 0",
            [list_id, account_id, every],
        )
    loader.commit()
    with psycopg.connect(postgres.dsn(database, "owner"), autocommit=True) as owner:
        # the server does it within a minute of so many rows; before, counting takes seconds
        owner.execute("ANALYZE audience_contact, audience_subscription")
    return chosen


def judged(account_id: int, lists: list[int]) -> tuple[delivery.Audience, delivery.Audience]:
    chosen = {"account_id": account_id, "list_ids": lists[:1], "suppressed_list_ids": lists[1:]}
    with account_scope(account_id):
        return delivery.estimate_audience(**chosen), delivery.count_audience(**chosen)


def test_few_people_are_counted(cast, lists):
    about, exactly = judged(cast.account.pk, lists)
    assert about == exactly and not about.is_estimate
    assert exactly.total + sum(exactly.skipped.values()) == PEOPLE


def test_many_people_are_estimated_near_the_count(cast, lists, monkeypatch):
    monkeypatch.setattr(estimating, "COUNTED_MAX", 1000)
    monkeypatch.setattr(estimating, "STRIPS", 20)
    about, exactly = judged(cast.account.pk, lists)
    assert about.is_estimate
    assert about.total == pytest.approx(exactly.total, rel=0.05)
    assert about.skipped.keys() == exactly.skipped.keys()
    for reason, count in exactly.skipped.items():
        assert about.skipped[reason] == pytest.approx(count, rel=0.1)


def test_another_account_judges_nobody_of_this(cast, lists):
    about, exactly = judged(cast.other.pk, lists)
    assert about == exactly == delivery.Audience(0, {})
