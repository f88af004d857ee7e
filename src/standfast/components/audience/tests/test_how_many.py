"""How many people an account has: counted while they are few, told from a sample of their numbers when they are many."""

from __future__ import annotations

import pytest

from standfast.components.audience import searching
from standfast.components.audience.api import how_many
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 3_000


def test_few_are_counted_and_many_are_estimated(cast, loader, monkeypatch):
    loader.execute(
        "INSERT INTO audience_contact (account_id, email, email_key, created_at, updated_at) "
        "SELECT %s, n || '@a.example', n || '@a.example', now(), now() FROM generate_series(1, %s) n",
        [cast.account.pk, PEOPLE],
    )
    loader.commit()
    with account_scope(cast.account.pk):
        assert how_many(account_id=cast.account.pk) == (PEOPLE, False)
        monkeypatch.setattr(searching, "COUNT_MAX", 1000)
        monkeypatch.setattr(searching, "STRIPS", 10)
        total, is_estimate = how_many(account_id=cast.account.pk)
    assert is_estimate and total == pytest.approx(PEOPLE, rel=0.1)
    with account_scope(cast.other.pk):
        assert how_many(account_id=cast.other.pk) == (0, False)
