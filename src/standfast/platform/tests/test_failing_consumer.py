import datetime as dt

import pytest

from standfast.platform import events, tenancy
from standfast.platform.consumers import Consumer, advance_all


@pytest.mark.django_db(transaction=True)
def test_an_account_whose_fold_fails_keeps_nobody_waiting(cast, loader):
    first, second = sorted((cast.account.pk, cast.other.pk))
    for account_id in (first, second):
        with loader.transaction(), loader.cursor() as cursor:
            tenancy.enter(cursor, account_id)
            events.append(cursor, account_id=account_id, events=[events.Event(dt.datetime.now(dt.UTC), "opened", 1)])
    seen = []

    def fold(cursor, account_id, after, upto):
        if account_id == first:
            cursor.execute("SELECT 1/0")
        seen.append(account_id)

    advance_all(loader, [Consumer(f"test-{first}", fold)])
    assert second in seen and first not in seen
