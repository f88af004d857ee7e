"""Relational tables in our own API."""

import pytest

from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = [
    {"name": "code", "data_type": "String", "primary_key": True},
    {"name": "email", "data_type": "Email", "key": "Index"},
    {"name": "at", "data_type": "DateTime"},
    {"name": "paid", "data_type": "Boolean"},
]


@pytest.fixture
def table(alice):
    answer = alice.v1("POST", "/tables", {"name": "orders", "columns": COLUMNS})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_table_is_made_changed_emptied_and_deleted(alice, table):
    where = f"/tables/{table['id']}"
    assert table["row_count"] == 0 and [column["length"] for column in table["columns"]] == [255, 254, None, None]
    assert alice.v1("GET", where).json() == table
    assert [one["id"] for one in alice.v1("GET", "/tables").json()] == [table["id"]]
    changes = {"name": "sales", "columns": [{"name": "note", "data_type": "Text"}], "drop": ["paid"]}
    changed = alice.v1("PATCH", where, changes).json()
    assert changed["name"] == "sales" and [one["name"] for one in changed["columns"]] == ["code", "email", "at", "note"]
    alice.v1("POST", f"{where}/rows/upsert", {"rows": [{"code": "a"}]})
    assert alice.v1("GET", where).json()["row_count"] == 1
    assert alice.v1("POST", f"{where}/truncate").json()["row_count"] == 0
    assert alice.v1("GET", f"{where}/rows").json() == {"data": [], "next": None}
    assert alice.v1("DELETE", where).status_code == 204
    assert alice.v1("GET", where).status_code == 404
    bad = alice.v1(
        "POST", "/tables", {"name": "t", "columns": [{"name": "a", "data_type": "String", "sendable": True}]}
    )
    assert bad.status_code == 422 and bad.json()["errors"][0]["field"] == "body.columns.0"


def test_rows_are_written_paged_found_and_deleted(alice, table, monkeypatch):
    where = f"/tables/{table['id']}/rows"
    rows = [{"code": f"c{n}", "email": f"P{n % 2}@x.example", "at": "2024-05-01T10:00", "paid": 1} for n in range(5)]
    results = alice.v1("POST", f"{where}/upsert", {"rows": [*rows, {"code": "c1", "paid": False}, {"paid": 1}]}).json()[
        "results"
    ]
    assert [one["outcome"] for one in results] == ["created"] * 5 + ["updated", "refused"]
    assert results[6] == {"outcome": "refused", "id": None, "reason": "code: can't be blank"}
    again = alice.v1("POST", f"{where}/upsert", {"rows": rows[:1]}).json()["results"]
    assert again[0]["outcome"] == "unchanged" and again[0]["id"] == results[0]["id"]

    def walk(query):
        seen, cursor = [], ""
        while cursor is not None:
            page = alice.v1("GET", f"{where}?{query}&cursor={cursor}").json()
            assert page["data"] or page["next"] is None
            seen += page["data"]
            cursor = page["next"]
        return [row["values"]["code"] for row in seen]

    assert walk("limit=2") == ["c0", "c1", "c2", "c3", "c4"]
    assert walk("limit=1&column=email&value=p0@x.example") == ["c0", "c2", "c4"]
    assert walk("limit=1&column=code&value=c3") == ["c3"]
    monkeypatch.setattr("standfast.components.tables.reading.PAGE_BYTES_MAX", 10)
    assert walk("limit=500") == ["c0", "c1", "c2", "c3", "c4"]
    (first,) = alice.v1("GET", f"{where}?column=code&value=c0").json()["data"]
    assert first["values"] == {
        "code": "c0",
        "email": "P0@x.example",
        "at": "2024-05-01T10:00:00.000+00:00",
        "paid": True,
    }
    assert alice.v1("POST", f"{where}/delete", {"keys": ["c0", "c0", "none"]}).json() == {"deleted": 1}
    assert walk("limit=2&column=email&value=p0@x.example") == ["c2", "c4"]
    for query in (
        "column=at&value=2024-05-01",
        "column=nothing&value=x",
        "column=email&value=x",
        "column=email",
        "cursor=WzEuNV0",
    ):
        assert alice.v1("GET", f"{where}?{query}").status_code == 422, query


def test_a_key_makes_one_effect(alice, table):
    body = {"rows": [{"code": "a"}]}
    where = f"/tables/{table['id']}/rows/upsert"
    first = alice.v1("POST", where, body, **{"idempotency-key": "k1"})
    assert first.json() == alice.v1("POST", where, body, **{"idempotency-key": "k1"}).json()


def test_charlie_and_who_may_only_read(alice, charlie, people, table):
    where = f"/tables/{table['id']}"
    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["tables:read"]))
    rows = {"rows": [{"code": "a"}]}
    alice.v1("POST", f"{where}/rows/upsert", rows)
    assert charlie.v1("GET", "/tables").json() == []
    for method, path, body in (
        ("GET", where, None), ("GET", f"{where}/rows", None), ("PATCH", where, {"name": "x"}), ("DELETE", where, None),
        ("POST", f"{where}/truncate", None), ("POST", f"{where}/rows/upsert", rows),
        ("POST", f"{where}/rows/delete", {"keys": ["a"]}),
    ):  # fmt: skip
        assert charlie.v1(method, path, body).status_code == 404, path
        assert reader.v1(method, path, body).status_code == (200 if method == "GET" else 403), path
    assert alice.v1("GET", where).json()["row_count"] == 1
