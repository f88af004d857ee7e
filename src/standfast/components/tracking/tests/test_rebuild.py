"""A rebuild finds every roll-up that was tampered with, and changes nothing unless told to."""

from __future__ import annotations

import itertools

import pytest

from standfast.components.tracking import rebuild as module
from standfast.components.tracking.rebuild import command, rebuild
from standfast.components.tracking.tests import log
from standfast.components.tracking.tests.log import append, counters, fold_all

_accounts = itertools.count(7_200_000)
DAMAGE = {
    "tracking_response": "UPDATE tracking_response SET opens = opens + 1 WHERE account_id = %s AND send_id = 71 AND seq = 3",
    "tracking_sendcounter": "UPDATE tracking_sendcounter SET value = value + 1 "
    "WHERE account_id = %s AND send_id = 71 AND name = 'opens'",
    "tracking_sendhour": "INSERT INTO tracking_sendhour VALUES (%s, 71, 'opens', '2020-01-01', 4)",
    "tracking_linkcounter": "DELETE FROM tracking_linkcounter WHERE account_id = %s AND send_id = 71 AND link = 2",
    "tracking_linkcontact": "UPDATE tracking_linkcontact SET clicks = 99 WHERE account_id = %s AND send_id = 71 AND link = 1",
}


@pytest.fixture
def account_id(loader) -> int:
    found = next(_accounts)
    append(loader, found, log.random_log(5, 600))
    fold_all(loader, found, batch=71)
    return found


def damage(loader, account_id, statement):
    assert loader.execute(statement, [account_id]).rowcount > 0
    loader.commit()


def test_what_the_consumer_folded_is_equal(loader, account_id, monkeypatch):
    assert rebuild(loader, account_id=account_id) == []
    monkeypatch.setattr(module, "BATCH", 53)
    assert rebuild(loader, account_id=account_id) == []


@pytest.mark.parametrize("table", DAMAGE)
def test_damage_is_found_left_alone_and_put_right(loader, account_id, table):
    damage(loader, account_id, DAMAGE[table])
    for _ in range(2):  # the first has changed nothing
        (found,) = rebuild(loader, account_id=account_id)
        assert found.table == table
        assert found.examples
    assert len(rebuild(loader, account_id=account_id, apply=True)) == 1
    assert rebuild(loader, account_id=account_id) == []


def test_the_example_says_what_stands_and_what_should(loader, account_id):
    right = counters(loader, account_id)["opens"]
    damage(loader, account_id, DAMAGE["tracking_sendcounter"])
    (found,) = rebuild(loader, account_id=account_id)
    assert found.examples == [f"send_id=71 name=opens: value stands {right + 1}, folded {right}"]


def test_the_consumer_goes_on_after_a_rebuild(loader, account_id):
    told = log.random_log(6, 50)
    append(loader, account_id, told)  # not folded yet: no difference
    assert rebuild(loader, account_id=account_id, apply=True) == []
    fold_all(loader, account_id)
    assert counters(loader, account_id) == log.expected([*log.random_log(5, 600), *told])


def test_another_account_is_neither_read_nor_changed(loader, account_id):
    other = next(_accounts)
    append(loader, other, log.random_log(8, 50))
    fold_all(loader, other)
    damage(loader, other, "UPDATE tracking_response SET opens = 1000 WHERE account_id = %s")
    assert rebuild(loader, account_id=account_id, apply=True) == []
    assert rebuild(loader, account_id=other) != []


def test_the_command_tells_and_its_status_says_whether_to_act(loader, account_id, capsys):
    damage(loader, account_id, DAMAGE["tracking_response"])
    assert command(account_id=account_id, apply=False) == 1
    assert "tracking_response: 1 wrong, 0 missing, 0 too many" in capsys.readouterr().out
    assert command(account_id=account_id, apply=True) == 0
    assert command(account_id=account_id, apply=False) == 0
    assert "roll-ups equal the log" in capsys.readouterr().out
