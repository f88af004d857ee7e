"""Tables are made, changed while they have rows, emptied and deleted."""

import datetime as dt

import psycopg
import pytest

from standfast.components.tables import structure
from standfast.components.tables.clearing import clear_ended
from standfast.components.tables.columns import COLUMNS_MAX, KEYS_MAX, ColumnDraft, TableInvalid, restructured
from standfast.components.tables.deleting import delete_rows
from standfast.components.tables.models import IndexEntry, Row, Store, Table
from standfast.components.tables.reading import NotFindable, page_with
from standfast.components.tables.structure import change_table, create_table, delete_table, empty_table
from standfast.platform import postgres
from standfast.platform.tenancy import account_scope

pytestmark = pytest.mark.django_db(transaction=True)
ID = ColumnDraft("id", "Integer", primary_key=True)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ([], "exactly one column must be the primary key; 0 are"),
        ([ID, ColumnDraft("b", "UID", primary_key=True)], "exactly one column must be the primary key; 2 are"),
        ([ID, ColumnDraft("ID", "String")], "'ID': is given twice"),
        ([ID, ColumnDraft("a b", "String")], "'a b': a name is"),
        ([ID, ColumnDraft("\ud800", "String")], "a name is"),
        ([ID, ColumnDraft("a")], "'a': a data type is missing"),
        ([ID, ColumnDraft("a", "Money")], "'Money' is not a data type"),
        ([ID, ColumnDraft("a", "String", "Some")], "'Some' is not a key"),
        ([ID, ColumnDraft("a", "Text", "Index")], "Text can have no key"),
        ([ID, ColumnDraft("a", "Float", "Unique")], "Float can have no key"),
        ([ColumnDraft("a", "Boolean", primary_key=True)], "Boolean cannot be the primary key"),
        ([ID, ColumnDraft("a", "String", "Unique", auto_increment=True)], "only Integer and Bigint can count"),
        ([ID, ColumnDraft("a", "Bigint", auto_increment=True)], "must be the primary key or unique"),
        ([ID._replace(auto_increment=True), ColumnDraft("a", "Bigint", "Unique", auto_increment=True)], "one column at most"),
        ([ID, ColumnDraft("a", "String", sendable=True)], "only Email and UID can be sendable"),
        ([ID, ColumnDraft("a", "String", length=256)], "the length of String is 1 to 255"),
        ([ID, *(ColumnDraft(f"c{n}", "String") for n in range(COLUMNS_MAX))], "at most 100 columns"),
        ([ID, *(ColumnDraft(f"c{n}", "UID", "Index") for n in range(KEYS_MAX))], "at most 20 columns with a key"),
    ],
)  # fmt: skip
def test_a_structure_that_cannot_be(columns, reason):
    with pytest.raises(TableInvalid) as caught:
        restructured((), columns, drop=(), next_id=1, has_rows=False)
    assert reason in caught.value.text


def test_names_of_tables(account_id, other_id, monkeypatch):
    with account_scope(account_id):
        create_table(account_id=account_id, name="t", columns=[ID])
        for name in ("", "T", "a-b", "é", "x" * 65, "t\n"):
            with pytest.raises(TableInvalid, match="1 to 64 of a-z"):
                create_table(account_id=account_id, name=name, columns=[ID])
        with pytest.raises(TableInvalid, match="already been taken"):
            create_table(account_id=account_id, name="t", columns=[ID])
        monkeypatch.setattr(structure, "TABLES_MAX", 1)
        with pytest.raises(TableInvalid, match="has 1 tables"):
            create_table(account_id=account_id, name="u", columns=[ID])
    with account_scope(other_id):
        assert create_table(account_id=other_id, name="t", columns=[ID]).pk


def change(shelf, *columns, **more):
    with account_scope(shelf.account_id):
        return change_table(account_id=shelf.account_id, table_id=shelf.table_id, columns=columns, **more)


def found(shelf, **where):
    with account_scope(shelf.account_id):
        return [row.number for row in page_with(shelf.table(), where, zone=dt.UTC, size=10).rows]


def test_a_column_gets_a_key_over_the_rows_that_are_there(shelf):
    kinds = {"s": "String", "b": "Boolean", "i": "Integer", "d": "DateTime", "e": "Email", "u": "UID"}
    change(shelf, *(ColumnDraft(name, kind) for name, kind in kinds.items()))
    record = {"s": "x", "b": "1", "i": -7, "d": "2024-01-02T03:04:05Z", "e": "Ann@X.example", "u": "u1"}
    shelf.write(record, {"s": "y", "b": 0}, {"s": "x"})
    with pytest.raises(NotFindable, match="found by a column with a key: id, email, city"):
        found(shelf, s="x")
    change(shelf, *(ColumnDraft(name, key="Index") for name in kinds))
    assert found(shelf, s="x") == [1, 3]
    for name, value in {**record, "e": "ann@x.example"}.items():
        assert 1 in found(shelf, **{name: value}), name
    # SQL makes the entries that writing expects
    assert shelf.entries() == shelf.entries_due() and len(shelf.entries()) > 9


def test_a_column_becomes_unique_only_where_it_is(shelf):
    shelf.write({"city": "Rome"}, {"city": "Rome"}, {"city": "Oslo"})
    with pytest.raises(TableInvalid, match="cannot be unique, 1 rows"):
        change(shelf, ColumnDraft("city", key="Unique"))
    assert found(shelf, city="Rome") == [1, 2]
    shelf.write({"id": 2, "city": "Bern"})
    change(shelf, ColumnDraft("city", key="Unique"))
    assert shelf.write({"id": 3, "city": "Rome"})[0].reason == "city: has already been taken"
    change(shelf, ColumnDraft("city", key="None"))
    assert shelf.write({"id": 3, "city": "Rome"})[0].outcome == "updated"
    assert shelf.entries() == shelf.entries_due()


def test_what_cannot_change_while_there_are_rows(shelf):
    change(shelf, ColumnDraft("note", "Integer"))
    change(shelf, ColumnDraft("note", "Text"))
    shelf.write({"city": "Rome"})
    for draft, reason in (
        (ColumnDraft("note", "String"), "data_type cannot change"),
        (ColumnDraft("id", primary_key=False), "primary_key cannot change|must be the primary key or unique"),
        (ColumnDraft("city", length=3), "cannot shrink"),
        (ColumnDraft("note", allow_null=False), "rows without a value"),
        (ColumnDraft("new", "String", allow_null=False), "allow null"),
    ):
        with pytest.raises(TableInvalid, match=reason):
            change(shelf, draft)
    change(shelf, ColumnDraft("city", allow_null=False), ColumnDraft("new", "Integer"), name="renamed")
    assert shelf.all() == [{"id": 1, "email": None, "city": "Rome", "note": None, "new": None}]


def test_a_dropped_column_is_forgotten(shelf):
    shelf.write({"city": "Rome", "note": "secret"})
    change(shelf, drop=["note", "city"])
    change(shelf, ColumnDraft("note", "Text"))
    assert shelf.all() == [{"id": 1, "email": None, "note": None}]
    assert shelf.entries() == shelf.entries_due() and len(shelf.entries()) == 1
    for name in ("nothing", "id"):
        with pytest.raises(TableInvalid, match=r"no such column|primary key cannot"):
            change(shelf, drop=[name])


def test_rows_go_and_what_they_were_found_by(shelf):
    def delete(*wheres):
        with account_scope(shelf.account_id):
            return delete_rows(account_id=shelf.account_id, table_id=shelf.table_id, wheres=wheres, zone=dt.UTC)

    shelf.write(*({"email": f"p{n}@x.example", "city": "Rome"} for n in range(4)))
    assert delete({"id": 1}, {"id": "1"}, {"email": "P2@x.example"}, {"id": 99}, {"id": 4, "city": "Oslo"}) == 2
    assert [row["id"] for row in shelf.all()] == [2, 4] and found(shelf, city="Rome") == [2, 4]
    with pytest.raises(NotFindable, match="by a unique column: id, email"):
        delete({"city": "Rome"})
    assert shelf.write({"email": "p0@x.example"})[0].outcome == "created"
    assert shelf.table().row_count == 3
    assert shelf.entries() == shelf.entries_due()


def test_emptied_and_deleted_tables_leave_nothing(shelf, database, monkeypatch):
    monkeypatch.setattr("standfast.components.tables.clearing.BATCH_ROWS", 2)
    shelf.write(*({"city": str(n)} for n in range(5)))
    with account_scope(shelf.account_id):
        empty_table(account_id=shelf.account_id, table_id=shelf.table_id)
    assert shelf.all() == [] and shelf.table().row_count == 0
    assert shelf.write({"city": "0"})[0].outcome == "created" and shelf.all()[0]["id"] == 1
    with psycopg.connect(postgres.dsn(database, "loader"), autocommit=True) as connection:
        assert clear_ended(connection) >= 5
        assert len(shelf.all()) == 1
        with account_scope(shelf.account_id):
            delete_table(account_id=shelf.account_id, table_id=shelf.table_id)
        clear_ended(connection)
    with account_scope(shelf.account_id):
        for model in (Row, IndexEntry, Store, Table):
            assert not model.objects.filter(account_id=shelf.account_id).exists(), model
