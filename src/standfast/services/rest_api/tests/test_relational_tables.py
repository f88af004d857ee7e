"""Relational tables and their rows through the reference product's interface."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = [
    {"name": "id", "data_type": "Integer", "primary_key": True, "auto_increment": True, "field_length": 11},
    {"name": "email", "data_type": "Email", "key": "Unique", "sendable": True},
    {"name": "city", "data_type": "String", "key": "Index", "field_length": "40"},
    {"name": "bought_on", "data_type": "DateTime"},
    {"name": "price", "data_type": "Float", "field_length": "24,5"},
    {"name": "paid", "data_type": "Boolean", "primary_key": "false", "allow_null": "1"},
]
ANN = {"email": "ann@x.example", "city": "Rome", "bought_on": "07/04/2024", "price": "9.5", "paid": "true"}
SHOWN = {
    "id": 1,
    "email": "ann@x.example",
    "city": "Rome",
    "bought_on": "2024-07-04T00:00:00.000-04:00",
    "price": 9.5,
    "paid": 1,
}


@pytest.fixture
def table(alice):
    answer = alice.post("relational_tables", {"relational_table": {"name": "orders", "columns": COLUMNS}})
    assert answer.status_code == 201, answer.content
    return answer.json()


def rdb(caller, method, path, body=None, **more):
    return caller.call(method, path, body, host="/rdb", **more)


def records(caller, **more):
    return rdb(caller, "GET", "orders", **more).json()["records"]


def test_a_structure_is_made_listed_shown_changed_and_deleted(alice, table):
    assert set(table) == {"id", "account_id", "name", "columns", "created_at", "updated_at"}
    assert [set(column) for column in table["columns"]] == [
        {"name", "key", "data_type", "primary_key", "field_length", "auto_increment", "allow_null", "sendable"}
    ] * 6
    assert [column["field_length"] for column in table["columns"]] == [11, 254, 40, None, "24,5", 1]
    assert [column["key"] for column in table["columns"]] == ["None", "Unique", "Index", "None", "None", "None"]
    where = f"relational_tables/{table['id']}"
    assert alice.get(where).json() == table
    (listed,) = alice.get("relational_tables").json()
    assert listed == {**table, "total_pages": 1}
    assert alice.get("relational_tables", query="page=2").json() == []
    changes = [
        {"name": "city", "key": None, "field_length": 80},
        {"name": "paid", "_destroy": True},
        {"name": "qty", "data_type": "integer"},
    ]
    changed = alice.put(where, {"relational_table": {"name": "sales", "columns": changes}})
    assert (changed.status_code, changed.json()["name"]) == (200, "sales")
    assert [column["name"] for column in changed.json()["columns"]] == [
        "id",
        "email",
        "city",
        "bought_on",
        "price",
        "qty",
    ]
    assert changed.json()["columns"][2]["field_length"] == 80
    gone = alice.delete(where)
    assert (gone.status_code, gone.content) == (204, b"")
    for method, path in (("GET", where), ("PUT", where), ("DELETE", where), ("GET", f"{where}/truncate")):
        miss = alice.call(method, path, {"name": "x"} if method == "PUT" else None)
        assert (miss.status_code, miss.json()) == (404, {"message": "Relational table is not present!"})


def test_a_structure_that_cannot_be_says_why(alice, table):
    def refused(body, method="POST", path="relational_tables"):
        answer = alice.call(method, path, {"relational_table": body})
        assert answer.status_code == 422
        return answer.json()

    assert refused({"columns": COLUMNS}) == {"name": ["can't be blank"]}
    assert refused({"name": "orders", "columns": COLUMNS}) == {"name": ["has already been taken"]}
    assert refused({"name": "Big Orders", "columns": COLUMNS}) == {"name": ["must be 1 to 64 of a-z, 0-9 and _"]}
    assert refused({"name": "t"}) == {"columns": ["exactly one column must be the primary key; 0 are"]}
    assert refused({"name": "t", "columns": "id"}) == {"columns": ["must be a list of columns"]}
    assert (
        "is not a data type" in refused({"name": "t", "columns": [{"name": "a", "data_type": "Money"}]})["columns"][0]
    )
    rdb(alice, "POST", "orders/create", {"record": ANN})
    where = f"relational_tables/{table['id']}"
    assert "cannot change" in refused({"columns": [{"name": "city", "data_type": "UID"}]}, "PUT", where)["columns"][0]


def test_rows_are_created_and_read(alice, table):
    assert rdb(alice, "GET", "orders").json() == {"records": []}
    assert rdb(alice, "POST", "orders/create", {"record": ANN}).json() == {"result": {"created": 1}}
    others = [
        {"email": "bob@x.example", "bought_on": "2024-01-02"},
        {"email": "cy@x.example", "bought_on": "2024-01-02T03:04:05.006Z"},
    ]
    answer = rdb(alice, "POST", "orders/create", {"record": others})
    assert (answer.status_code, answer.json()) == (200, {"result": {"created": 2}})
    assert records(alice)[0] == SHOWN
    assert [row["bought_on"] for row in records(alice)[1:]] == [
        "2024-01-02T00:00:00.000-05:00",
        "2024-01-01T22:04:05.006-05:00",
    ]
    assert [row["id"] for row in records(alice, query="page=2&per=2")] == [3]
    assert records(alice, query="page=3&per=2") == []
    # as each client writes the address, on the host of its own too
    for path in (
        f"/{alice.account_id}/orders.json",
        f"/{alice.account_id}/orders/.json",
        f"/rdb/{alice.account_id}/orders",
    ):
        bare = alice.client.get(f"{path}?auth_token={alice.key}", headers={"host": "rdb.standfast.example"})
        assert len(bare.json()["records"]) == 3, path
    assert b"<city>Rome</city>" in rdb(alice, "GET", "orders", suffix=".xml").content


def test_one_row_is_shown(alice, table):
    rdb(alice, "POST", "orders/create", {"record": [ANN, {"email": "bob@x.example", "city": "Rome"}]})
    for where in ({"id": "1"}, {"email": "ANN@x.example"}, {"city": "Rome"}, {"city": "Rome", "price": 9.5}):
        answer = rdb(alice, "POST", "orders/show", {"record": where})
        assert (answer.status_code, answer.json()) == (200, {"result": {"record": SHOWN}}), where
    for where in ({"id": 9}, {"city": "Rome", "price": 1}):
        assert rdb(alice, "POST", "orders/show", {"record": where}).json() == {"result": {"error": "Record not found."}}
    unfit = rdb(alice, "POST", "orders/show", {"record": {"price": 9.5}})
    assert (
        unfit.status_code == 422 and "found by a column with a key: id, email, city" in unfit.json()["result"]["error"]
    )


def test_creating_writes_all_or_none(alice, table):
    answer = rdb(alice, "POST", "orders/create", {"record": [ANN, {"email": "no"}, {"colour": 1}, ANN]})
    assert answer.status_code == 422
    text = answer.json()["error"]
    assert answer.json() == {"result": {"error": text}, "error": text}
    assert text.startswith(
        "Nothing was written. record 2: email: is no address: no @ in it. record 3: there is no column"
    )
    assert records(alice) == []


def test_rows_are_updated(alice, table):
    rdb(alice, "POST", "orders/create", {"record": ANN})
    answer = rdb(alice, "PUT", "orders/update", {"record": {"id": 1, "city": "Oslo", "paid": 0}})
    assert (answer.status_code, answer.json()) == (200, {"result": {"updated": 1}})
    both = [{"email": "ann@x.example", "price": None}, {"id": 9, "city": "x"}]
    assert rdb(alice, "PUT", "orders/update", {"record": both}).json() == {"result": {"updated": 1}}
    assert records(alice) == [{**SHOWN, "city": "Oslo", "paid": 0, "price": None}]
    assert rdb(alice, "PUT", "orders/update", {"record": {"id": 1, "price": "much"}}).status_code == 422


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_rows_are_upserted(alice, table, method):
    answer = rdb(alice, method, "orders/upsert", {"record": [ANN, {"email": "bob@x.example"}]})
    assert answer.json() == {"result": {"updated": {"success": 2, "failed": 0, "errors": []}}}
    answer = rdb(
        alice, method, "orders/upsert", {"record": [{"id": 1, "city": "Oslo"}, {"id": 1, "email": "bob@x.example"}]}
    )
    errors = ["record 2: email: has already been taken"]
    assert answer.json() == {"result": {"updated": {"success": 1, "failed": 1, "errors": errors}}}
    assert [row["city"] for row in records(alice)] == ["Oslo", None]


def test_rows_are_deleted_and_all_at_once(alice, table):
    rdb(alice, "POST", "orders/create", {"record": [ANN, {"email": "bob@x.example"}, {"city": "Bern"}]})
    answer = rdb(alice, "DELETE", "orders/delete", {"record": {"email": "ann@x.example"}})
    assert (answer.status_code, answer.json()) == (200, {"record": {}})
    assert rdb(alice, "DELETE", "orders/delete", query="record[id]=2").json() == {"record": {}}
    assert rdb(alice, "DELETE", "orders/delete", {"record": {"id": 2}}).json() == {
        "result": {"error": "Record not found."}
    }
    assert rdb(alice, "DELETE", "orders/delete", {"record": {"city": "Bern"}}).status_code == 422
    assert [row["id"] for row in records(alice)] == [3]
    head = alice.call("HEAD", f"relational_tables/{table['id']}/truncate")
    assert head.status_code == 405 and head.headers["Allow"] == "GET", "HEAD never acts"
    assert alice.get(f"relational_tables/{table['id']}/truncate").json()["id"] == table["id"]
    assert records(alice) == []


def test_records_come_in_many_ways(alice, table):
    for n, body in enumerate((
        {"email": "a0@x.example"}, [{"email": "a1@x.example"}], {"records": [{"email": "a2@x.example"}]},
        b"<record><email>a3@x.example</email><bought-on>2024-01-02</bought-on></record>",
    )):  # fmt: skip
        kind = {"content_type": "application/xml", "suffix": ".xml"} if isinstance(body, bytes) else {}
        assert rdb(alice, "POST", "orders/create", body, **kind).status_code == 200, body
        assert records(alice)[n]["email"] == f"a{n}@x.example"


def test_limits(alice, table, monkeypatch):
    many = rdb(alice, "POST", "orders/upsert", {"record": [{"city": "x"}] * 1001})
    assert many.status_code == 422 and "at most 1,000" in many.json()["error"]
    rdb(alice, "POST", "orders/create", {"record": [ANN] + [{"city": "x"}] * 3})
    monkeypatch.setattr("standfast.components.tables.reading.PAGE_BYTES_MAX", 110)
    large = rdb(alice, "GET", "orders")
    assert large.status_code == 422 and "of these rows fit" in large.json()["per"][0]
    assert len(records(alice, query="per=2")) == 2


def test_charlie_and_who_may_only_read(alice, charlie, people, table):
    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["tables:read"]))
    stranger = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["contacts:write"]))
    rdb(alice, "POST", "orders/create", {"record": ANN})
    where = f"relational_tables/{table['id']}"
    assert charlie.get("relational_tables").json() == [] and len(reader.get("relational_tables").json()) == 1
    assert charlie.get(where).status_code == 404 and reader.get(where).status_code == 200
    reading_calls = (("GET", "orders"), ("POST", "orders/show"))
    for method, path in reading_calls:
        assert rdb(charlie, method, path, {"record": {"id": 1}}).status_code == 404
        assert rdb(reader, method, path, {"record": {"id": 1}}).status_code == 200
        assert rdb(stranger, method, path, {"record": {"id": 1}}).status_code == 403
    for method, verb in (
        ("POST", "create"),
        ("PUT", "update"),
        ("PUT", "upsert"),
        ("POST", "upsert"),
        ("DELETE", "delete"),
    ):
        assert rdb(charlie, method, f"orders/{verb}", {"record": {"id": 1}}).status_code == 404
        assert rdb(reader, method, f"orders/{verb}", {"record": {"id": 1}}).status_code == 403
    for method, path in (("PUT", where), ("DELETE", where), ("GET", f"{where}/truncate")):
        assert charlie.call(method, path, {}).status_code == 404
        assert reader.call(method, path, {}).status_code == 403
    assert records(alice) == [SHOWN]
    # a table of the same name is another table
    charlie.post("relational_tables", {"relational_table": {"name": "orders", "columns": COLUMNS}})
    assert records(charlie) == []


VALUE = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=300)
    | st.sampled_from([10**400, "\x00", "9999-12-31T23:59:59-12:00", "1e999", [], [[]], {"a": {"b": 1}}, [{"name": "id"}]])
)  # fmt: skip
NAME = st.sampled_from(
    ["id", "email", "city", "bought_on", "price", "paid", "name", "columns", "record[id]", "\x00", "é"]
)
COLUMN = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("name", "key", "data_type", "primary_key", "field_length"), VALUE)
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAME, VALUE, max_size=5), st.lists(COLUMN, max_size=2), st.booleans())
def test_whatever_is_sent_is_answered(alice, record, columns, wrapped):
    made = alice.post("relational_tables", {"relational_table": {"name": "orders", "columns": COLUMNS}}).json()
    where = f"relational_tables/{made['id']}" if "id" in made else "relational_tables/1"
    body = {"record": record} if wrapped else record
    calls = [("GET", "orders"), ("POST", "orders/show"), ("POST", "orders/create"), ("PUT", "orders/update"),
             ("POST", "orders/upsert"), ("DELETE", "orders/delete"), ("POST", "%00/show")]  # fmt: skip
    for method, path in calls:
        answer = rdb(alice, method, path, body)
        assert answer.status_code < 500, (method, path, body, answer.content)
    for method, path in (("POST", "relational_tables"), ("PUT", where)):
        for given_body in ({**record, "columns": columns}, {"relational_table": {"name": "t", "columns": columns}}):
            answer = alice.call(method, path, given_body)
            assert answer.status_code < 500, (method, path, given_body, answer.content)


def test_bodies_that_are_no_records(alice, table):
    for body in (None, [], [1], {"record": []}, {"record": [[]]}, {"record": "x"}, {"record": {}}, b"nonsense"):
        for method, verb in (("POST", "create"), ("PUT", "update"), ("POST", "show"), ("DELETE", "delete")):
            answer = rdb(alice, method, f"orders/{verb}", body)
            assert 400 <= answer.status_code < 500, (verb, body, answer.content)
            assert json.loads(answer.content)
