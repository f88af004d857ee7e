"""Imports through our own API: a file as the body or in a form, followed to its end, refused rows fetched, never Charlie's."""

import gzip
import json

import pytest
from procrastinate.contrib.django import app
from procrastinate.testing import InMemoryConnector

from standfast.platform import config

pytestmark = pytest.mark.django_db(transaction=True)
CSV = b"Mail,First name,Town\nann@example.net,Ann,Oslo\nben@example.net,Ben,Rome\nnonsense,X,\n"


@pytest.fixture
def work():
    """Run the queued imports, as the worker does."""
    connector = InMemoryConnector()

    def go() -> None:
        rows = [(job["task_name"], job["args"]) for job in list(connector.jobs.values()) if job["status"] == "todo"]
        connector.jobs.clear()
        for name, args in rows:
            context = type("Context", (), {"job": type("Job", (), {"attempts": 0})()})()
            app.tasks[name].func(context, **args)

    with app.replace_connector(connector):
        yield go


def send(caller, data: bytes, query: str = "", kind: str = "text/csv", **headers):
    headers = {"authorization": f"Bearer {caller.key}", **headers}
    return caller.client.generic("POST", f"/api/v1/imports?{query}", data, content_type=kind, headers=headers)


def left_over(caller) -> list[str]:
    directory = config.load().upload_dir / str(caller.account_id)
    return sorted(path.name for path in directory.glob("import-*")) if directory.exists() else []


def test_a_file_is_taken_followed_to_its_end_and_its_refused_rows_fetched(alice, charlie, work):
    chosen = alice.v1("POST", "/lists", {"name": "News"}).json()
    taken = send(alice, CSV, f"list_id={chosen['id']}&file_name=people.csv")
    assert taken.status_code == 202, taken.content
    where = taken.headers["Location"].removeprefix("/api/v1")
    assert taken.json()["job"]["state"] == "waiting" and taken.json()["file_name"] == "people.csv"
    work()
    done = alice.v1("GET", where).json()
    assert (done["state"], done["job"]["state"], done["rows"]) == ("done", "done", 3)
    assert done["counts"]["created"] == done["counts"]["subscribed"] == 2 and sum(done["reasons"].values()) == 1
    assert done["mapping"]["Mail"] == "email" and done["job"]["done"] == done["job"]["total"] == len(CSV)
    rows = b"".join(alice.v1("GET", f"{where}/rejected").streaming_content).decode()
    assert "nonsense" in rows and rows.count("\n") == 2
    assert [one["id"] for one in alice.v1("GET", "/imports?fields=id").json()["data"]] == [done["id"]]
    for method, path in (("GET", ""), ("GET", "/rejected"), ("POST", "/retry"), ("POST", "/cancel"), ("POST", "/run")):
        assert charlie.v1(method, where + path).status_code == 404
        assert method == "GET" or alice.v1(method, where + path).status_code == 409
    assert charlie.v1("GET", "/imports").json()["data"] == []
    assert send(charlie, CSV, f"list_id={chosen['id']}").status_code == 404 and left_over(charlie) == []


def test_a_dry_run_writes_nothing_and_can_be_run_then(alice, work):
    taken = send(alice, gzip.compress(CSV), "dry_run=true", "application/gzip").json()
    work()
    where = f"/imports/{taken['id']}"
    checked = alice.v1("GET", where).json()
    assert checked["dry_run"] and checked["state"] == "checked" and checked["counts"]["created"] == 2
    assert alice.v1("GET", "/contacts").json()["data"] == []
    assert alice.v1("POST", f"{where}/run").status_code == 202
    work()
    assert alice.v1("GET", where).json()["state"] == "done"
    assert len(alice.v1("GET", "/contacts").json()["data"]) == 2


def test_a_form_with_options_and_a_mapping(alice, work):
    boundary, kind = "xyz", "multipart/form-data; boundary=xyz"
    tag = alice.v1("POST", "/tags", {"name": "new"}).json()["id"]
    mapping = json.dumps({"Mail": "email", "2": "new:text"})
    fields = {"mapping": mapping, "tag_ids": str(tag)}
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\nContent-Type: text/csv\r\n\r\n'
    body = "".join(parts).encode() + file.encode() + CSV + f"\r\n--{boundary}--\r\n".encode()
    taken = send(alice, body, kind=kind)
    assert taken.status_code == 202, taken.content
    assert taken.json()["mapping"] == {"Mail": "email", "Town": "field:town"} and taken.json()["file_name"] == "p.csv"
    work()
    [ann, _] = alice.v1("GET", "/contacts").json()["data"]
    assert ann["fields"] == {"town": "Oslo"} and ann["tag_ids"] == [tag] and ann["first_name"] == ""


def test_cancelled_before_it_began(alice, work):
    taken = send(alice, CSV).json()
    assert alice.v1("POST", f"/imports/{taken['id']}/cancel").json()["job"]["state"] == "cancelled"
    work()
    assert alice.v1("GET", "/contacts").json()["data"] == []


def test_a_key_makes_one_import_and_another_file_under_it_is_refused(alice, work):
    first = send(alice, CSV, **{"idempotency-key": "k"})
    again = send(alice, CSV, **{"idempotency-key": "k"})
    assert first.json() == again.json() and again.headers["Location"] == first.headers["Location"]
    assert send(alice, CSV + b"x@example.net,,\n", **{"idempotency-key": "k"}).status_code == 422
    assert len(left_over(alice)) == 1


@pytest.mark.parametrize(
    ("data", "query", "kind", "status"),
    [
        (b"", "", "text/csv", 422),
        (b"PK\x03\x04" + b"x" * 100, "", "text/csv", 422),
        (b"a,b\n1,2\n", "", "text/csv", 422),
        (CSV, "mapping={", "text/csv", 422),
        (CSV, "mapping=[]", "text/csv", 422),
        (CSV, 'mapping={"Nowhere":"email"}', "text/csv", 422),
        (CSV, 'mapping={"Mail":"field:nowhere"}', "text/csv", 422),
        (CSV, "tag_ids=x", "text/csv", 422),
        (CSV, "tag_ids=1", "text/csv", 422),
        (CSV, "list_id=0", "text/csv", 422),
        (CSV, "create_new=false&update_known=false", "text/csv", 422),
        (b"{}", "", "application/json", 415),
        (b"x", "", "multipart/form-data", 400),
        (b"--x--", "", "multipart/form-data; boundary=x", 422),
    ],
)
def test_what_is_no_import_is_refused_and_leaves_no_file(alice, data, query, kind, status):
    answer = send(alice, data, query, kind)
    assert answer.status_code == status, answer.content[:300]
    assert answer.headers["Content-Type"] == "application/problem+json" and left_over(alice) == []


def test_a_file_over_the_limit_is_stopped_while_it_arrives(alice, monkeypatch):
    from standfast.platform.rest import uploads

    monkeypatch.setitem(uploads.TAKING, "/imports", uploads.TAKING["/imports"]._replace(bytes_max=100))
    answer = send(alice, b"email\n" + b"x" * 200)
    assert answer.status_code == 413 and "gzip" in answer.json()["detail"] and left_over(alice) == []
