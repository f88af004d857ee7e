"""Rows are created, changed and refused record by record, as if each had come alone; unique values stay so whoever writes."""

import threading

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from standfast.components.tables import writing
from standfast.components.tables.columns import ColumnDraft
from standfast.components.tables.entries import add_entries, entry_of
from standfast.components.tables.models import IndexEntry, Table
from standfast.components.tables.structure import create_table
from standfast.components.tables.tests.conftest import Shelf
from standfast.components.tables.writing import ROWS_MAX, RowsRefused
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)


def outcomes(results):
    return [one.outcome for one in results]


def test_a_row_is_made_changed_and_left_alone(shelf):
    assert outcomes(shelf.write({"email": "A@x.example", "city": "Rome"})) == ["created"]
    assert outcomes(shelf.write({"email": "a@x.example", "note": "n"}, {"ID": "1", "city": "Oslo"})) == ["updated"] * 2
    assert outcomes(shelf.write({"id": 1, "city": "Oslo"})) == ["unchanged"]
    assert shelf.all() == [{"id": 1, "email": "a@x.example", "city": "Oslo", "note": "n"}]
    assert shelf.entries() == shelf.entries_due() and len(shelf.entries()) == 3
    assert outcomes(shelf.write({"id": 1, "city": None, "email": ""})) == ["updated"]
    assert shelf.entries() == shelf.entries_due() and len(shelf.entries()) == 1


def test_records_of_one_call_see_each_other(shelf):
    results = shelf.write(
        {"email": "a@x.example"}, {"email": "b@x.example"}, {"email": "a@x.example", "city": "Rome"},
        {"id": 1, "email": "c@x.example"}, {"id": 2, "email": "a@x.example"}, {"id": 9, "email": "c@x.example"},
    )  # fmt: skip
    assert outcomes(results) == ["created", "created", "updated", "updated", "updated", "refused"]
    assert results[-1].reason == "email: has already been taken"
    assert [(row["id"], row["email"]) for row in shelf.all()] == [(1, "c@x.example"), (2, "a@x.example")]
    # what one row gives up another takes, in one call and over what is stored
    shelf.write({"id": 1, "email": "d@x.example"}, {"id": 2, "email": "c@x.example"})
    assert [row["email"] for row in shelf.all()] == ["d@x.example", "c@x.example"]
    assert shelf.entries() == shelf.entries_due()


def test_creating_and_updating_keep_to_themselves(shelf):
    shelf.write({"email": "a@x.example"})
    with pytest.raises(RowsRefused) as caught:
        shelf.write({"email": "b@x.example"}, {"email": "a@x.example"}, change=False, all_or_none=True)
    assert outcomes(caught.value.results) == ["created", "refused"]
    assert outcomes(shelf.write({"id": 7, "city": "Rome"}, {"id": 1, "city": "Rome"}, create=False)) == [
        "missing",
        "updated",
    ]
    assert len(shelf.all()) == 1


def test_numbers_that_count_by_themselves(shelf):
    shelf.write({"city": "a"}, {"id": 40, "city": "b"}, {"city": "c"})
    assert [row["id"] for row in shelf.all()] == [1, 40, 41]
    last = shelf.write({"id": 2**31 - 1}, {"city": "d"})
    assert outcomes(last) == ["created", "refused"] and last[1].reason == "id: has no numbers left"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({}, "the record is empty"),
        ({"colour": 1}, "there is no column 'colour'"),
        ({"email": "x"}, "email: is no address: no @ in it"),
        ({"note": ["x"]}, "note: must be one value, not a list or an object"),
    ],
)
def test_a_refused_record_says_why_and_stops_no_other(shelf, record, reason):
    results = shelf.write(record, {"city": "Rome"})
    assert outcomes(results) == ["refused", "created"] and results[0].reason == reason


def test_what_must_not_be_null(account_id):
    columns = [ColumnDraft("code", "String", primary_key=True), ColumnDraft("n", "Integer", allow_null=False)]
    with account_scope(account_id):
        table = create_table(account_id=account_id, name="strict", columns=columns)
    strict = Shelf(account_id, table.pk)
    reasons = [
        one.reason for one in strict.write({"code": "a"}, {"n": 1}, {"code": "b", "n": 1}, {"code": "b", "n": ""})
    ]
    assert reasons == ["n: can't be blank", "code: can't be blank", "", "n: can't be blank"]


def test_limits(shelf, monkeypatch):
    with pytest.raises(ValueError, match="at most 1,000"):
        shelf.write(*[{"city": "x"}] * (ROWS_MAX + 1))
    monkeypatch.setattr(writing, "RECORD_BYTES_MAX", 30)
    monkeypatch.setattr(writing, "TABLE_ROWS_MAX", 1)
    reasons = [one.reason for one in shelf.write({"city": "x" * 40}, {"city": "x"}, {"city": "y"})]
    assert reasons == ["the record is larger than 30 bytes", "", "the table has 1 rows, which is the limit"]


def test_a_thousand_records_are_a_handful_of_statements(shelf):
    for city, most in (("Rome", 6), ("Oslo", 8)):  # made, then changed
        with CaptureQueriesContext(connection) as queries:
            results = shelf.write(*({"email": f"p{n}@x.example", "city": city} for n in range(ROWS_MAX)))
        assert len(results) == ROWS_MAX
        said = [
            one["sql"] for one in queries if not one["sql"].startswith(("BEGIN", "COMMIT", "SET", "SAVE", "RELEASE"))
        ]
        assert len(said) <= most, [text[:80] for text in said]
    assert shelf.table().row_count == ROWS_MAX


def test_of_many_who_want_a_value_at_once_one_gets_it(shelf):
    results, start = [], threading.Barrier(8)

    def go(who: int) -> None:
        try:
            start.wait()
            for turn in range(5):
                results.append(shelf.write({"email": f"t{turn}@x.example", "city": str(who)}, change=False)[0].outcome)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["created"] * 5 + ["refused"] * 35
    assert sorted(row["id"] for row in shelf.all()) == [1, 2, 3, 4, 5]


def test_the_database_itself_lets_a_unique_value_in_once(shelf):
    """Whoever forgets the lock is stopped by the key."""
    shelf.write({"email": "a@x.example"})
    where = {"account_id": shelf.account_id, "store_id": shelf.table().store_id}
    entry = entry_of(shelf.table().structure[1], "A@x.example", 9)
    with pytest.raises(IntegrityError), account_scope(shelf.account_id), connection.cursor() as cursor:
        add_entries(cursor, where, {entry: 9})


def test_charlie_reaches_no_table_of_alices(shelf, other_id):
    shelf.write({"email": "a@x.example"})
    with account_scope(other_id):
        assert not IndexEntry.objects.filter(account_id=shelf.account_id).exists()
        with pytest.raises(Table.DoesNotExist):
            writing.write_rows(account_id=other_id, table_id=shelf.table_id, records=[{"city": "x"}], zone=None)
