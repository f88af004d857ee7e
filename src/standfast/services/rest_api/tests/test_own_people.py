"""People and what belongs to them through our own API: changes, tags, fields, do-not-mail, brands; Charlie sees nothing of it."""

import pytest

pytestmark = pytest.mark.django_db(transaction=True)


def person(caller, email="ann@example.net", **more):
    return caller.v1("POST", "/contacts", {"email": email, **more}).json()


def faults(answer) -> list[str]:
    return [one["field"] for one in answer.json()["errors"]]


def test_a_person_is_changed_by_id_the_address_too(alice, charlie):
    ann = person(alice, first_name="Ann", uid="7")
    person(alice, "ben@example.net", uid="8")
    where = f"/contacts/{ann['id']}"
    changed = alice.v1("PATCH", where, {"email": "Anna@Example.net", "first_name": None}).json()
    assert (changed["email"], changed["first_name"], changed["uid"]) == ("Anna@example.net", "", "7")
    assert alice.v1("PATCH", where, {"uid": None}).json()["uid"] is None
    taken = alice.v1("PATCH", where, {"email": "ben@example.net"})
    assert taken.status_code == 409 and faults(taken) == ["body.email"]
    assert faults(alice.v1("PATCH", where, {"uid": "8"})) == ["body.uid"]
    assert faults(alice.v1("PATCH", where, {"email": "nonsense"})) == ["body.email"]
    assert charlie.v1("PATCH", where, {"first_name": "Eve"}).status_code == 404
    assert alice.v1("GET", where).json()["email"] == "Anna@example.net"


def test_a_person_is_shown_alike_wherever_they_are_shown(alice):
    """Some answers are written by the database, others by the response model."""
    alice.v1("POST", "/fields", {"key": "size", "label": "Size", "field_type": "number"})
    odd = {"email": "odd@example.net", "first_name": 'Ann "\u00e9\\', "uid": "u 1", "fields": {"size": 1.5}}
    made = alice.v1("POST", "/contacts", odd)
    assert made.status_code == 201, made.content
    person = made.json()
    chosen = alice.v1("POST", "/lists", {"name": "News"}).json()["id"]
    tag = alice.v1("POST", "/tags", {"name": "vip"}).json()["id"]
    alice.v1("POST", f"/lists/{chosen}/subscribe", {"contact_ids": [person["id"]]})
    assert alice.v1("PUT", f"/contacts/{person['id']}/tags", {"tag_ids": [tag]}).status_code == 200
    [listed] = alice.v1("GET", f"/lists/{chosen}/contacts").json()["data"]
    for query in ("", "?email=ODD@example.net", "?uid=u 1", "?updated_after=2020-01-01T00:00:00Z"):
        assert alice.v1("GET", f"/contacts{query}").json() == {"data": [listed], "next": None}, query
    assert alice.v1("GET", f"/contacts/{person['id']}").json() == listed
    assert alice.v1("PATCH", f"/contacts/{person['id']}", {"first_name": odd["first_name"]}).json() == listed
    assert listed["first_name"] == odd["first_name"] and listed["fields"] == {"size": 1.5}
    assert alice.v1("GET", "/contacts?updated_after=2099-01-01T00:00:00Z").json()["data"] == []
    few = alice.v1("GET", f"/contacts/{person['id']}?fields=uid,fields")
    assert few.json() == {"uid": "u 1", "fields": {"size": 1.5}}


def test_custom_fields_are_typed_and_null_takes_a_value_away_one_or_many(alice, charlie):
    age = alice.v1("POST", "/fields", {"label": "Age", "field_type": "number"}).json()
    assert alice.v1("POST", "/fields", {"label": "AGE"}).status_code == 409
    ann = person(alice, fields={"age": "41"})
    assert ann["fields"] == {"age": 41}
    bad = alice.v1("PATCH", f"/contacts/{ann['id']}", {"fields": {"age": "old"}})
    assert bad.status_code == 422 and faults(bad) == ["body.fields.age"] and bad.json()["errors"][0]["remedy"]
    assert faults(alice.v1("POST", "/contacts", {"email": "x@example.net", "fields": {"no": 1}})) == ["body.fields.no"]
    crowd = [{"email": f"p{n}@example.net", "fields": {"age": n}} for n in range(60)]
    assert {row["outcome"] for row in bulk(alice, [*crowd, {"email": "ann@example.net", "fields": {"age": None}}])} == {
        "created", "updated",
    }  # fmt: skip
    assert alice.v1("GET", f"/contacts/{ann['id']}").json()["fields"] == {}
    refused = bulk(alice, [{"email": "q@example.net", "fields": {"age": "x"}}, {"email": "r@example.net"}])
    assert [row["outcome"] for row in refused] == ["refused", "created"] and "age" in refused[0]["reason"]
    where = f"/fields/{age['id']}"
    assert charlie.v1("PATCH", where, {"label": "Mine"}).status_code == charlie.v1("DELETE", where).status_code == 404
    assert charlie.v1("GET", "/fields").json() == []
    assert alice.v1("PATCH", where, {"label": "Years"}).json()["key"] == "age"
    assert alice.v1("DELETE", where).status_code == 204


def bulk(caller, contacts):
    return caller.v1("POST", "/contacts/bulk", {"contacts": contacts}).json()["results"]


def test_tags_are_put_on_many_and_taken_off(alice, charlie):
    ids = [person(alice, f"p{n}@example.net")["id"] for n in range(3)]
    red, blue = (alice.v1("POST", "/tags", {"name": name}).json()["id"] for name in ("red", "blue"))
    assert alice.v1("POST", "/tags", {"name": "red"}).status_code == 409
    apply = {"contact_ids": ids, "add": [red, blue]}
    assert alice.v1("POST", "/tags/apply", apply).json() == {"changed": 3}
    assert alice.v1("POST", "/tags/apply", apply).json() == {"changed": 0}
    assert alice.v1("POST", "/tags/apply", {"contact_ids": ids[:1], "remove": [red]}).json() == {"changed": 1}
    assert [one["name"] for one in alice.v1("GET", f"/contacts/{ids[0]}/tags").json()] == ["blue"]
    assert [one["id"] for one in alice.v1("PUT", f"/contacts/{ids[0]}/tags", {"tag_ids": [red]}).json()] == [red]
    assert alice.v1("PUT", f"/contacts/{ids[0]}/tags", {"tag_ids": []}).json() == []
    for wrong in (
        {"contact_ids": ids},
        {"contact_ids": ids, "add": [red], "remove": [red]},
        {"contact_ids": [1], "add": [red]},
    ):
        assert alice.v1("POST", "/tags/apply", wrong).status_code == 422
    assert charlie.v1("POST", "/tags/apply", apply).status_code == 422
    assert charlie.v1("PUT", f"/contacts/{ids[0]}/tags", {"tag_ids": []}).status_code == 404
    assert charlie.v1("PATCH", f"/tags/{red}", {"name": "x"}).status_code == 404
    assert alice.v1("PATCH", f"/tags/{red}", {"name": "crimson"}).json()["name"] == "crimson"
    assert alice.v1("DELETE", f"/tags/{red}").status_code == 204


def test_a_persons_lists_block_and_events(alice, charlie):
    ann = person(alice)
    chosen = alice.v1("POST", "/lists", {"name": "News"}).json()
    alice.v1("POST", f"/lists/{chosen['id']}/subscribe", {"contact_ids": [ann["id"]]})
    where = f"/contacts/{ann['id']}"
    assert [(one["name"], one["status"]) for one in alice.v1("GET", f"{where}/lists").json()] == [
        ("News", "subscribed")
    ]
    assert alice.v1("GET", f"{where}/do-not-mail").json()["stopped"] is False
    brand = alice.v1("POST", "/brands", {"name": "Shoes"}).json()
    assert alice.v1("POST", f"/brands/{brand['id']}/do-not-mail", {"email": "ann@example.net"}).json() == {"changed": 1}
    alice.v1("POST", "/do-not-mail", {"emails": ["ann@example.net"]})
    block = alice.v1("GET", f"{where}/do-not-mail").json()
    assert block["stopped"] and block["reason"] == "api" and block["brand_ids"] == [brand["id"]]
    first = alice.v1("GET", f"{where}/events?limit=3").json()
    rest = alice.v1("GET", f"{where}/events?cursor={first['next']}").json()
    kinds = [one["kind"] for one in first["data"] + rest["data"]]
    assert kinds == ["do_not_mail_added", "brand_do_not_mail_added", "subscribed", "contact_created"]
    for part in ("lists", "tags", "do-not-mail", "events"):
        assert charlie.v1("GET", f"{where}/{part}").status_code == 404
    assert charlie.v1("GET", f"/brands/{brand['id']}/do-not-mail").status_code == 404
    assert (
        charlie.v1("DELETE", f"/brands/{brand['id']}").status_code == 404 and charlie.v1("GET", "/brands").json() == []
    )
    assert alice.v1("POST", f"/brands/{brand['id']}/do-not-mail/lift", {"email": "ann@example.net"}).json() == {
        "changed": 1
    }
    assert alice.v1("DELETE", f"/brands/{brand['id']}").status_code == 204


def test_a_list_is_changed_and_do_not_mail_paged(alice, charlie):
    one = alice.v1("POST", "/lists", {"name": "News"}).json()
    alice.v1("POST", "/lists", {"name": "Offers"})
    where = f"/lists/{one['id']}"
    changed = alice.v1("PATCH", where, {"from_name": "Shop", "add_to_unsubscribe_page": True}).json()
    assert (changed["name"], changed["from_name"], changed["add_to_unsubscribe_page"]) == ("News", "Shop", True)
    assert alice.v1("PATCH", where, {"name": "Offers"}).status_code == 409
    assert alice.v1("GET", where).json()["subscribers"] == 0
    assert charlie.v1("GET", where).status_code == charlie.v1("PATCH", where, {"name": "x"}).status_code == 404
    alice.v1("POST", "/do-not-mail", {"emails": [f"p{n}@example.net" for n in range(3)]})
    page = alice.v1("GET", "/do-not-mail?limit=2").json()
    more = alice.v1("GET", f"/do-not-mail?limit=2&cursor={page['next']}").json()
    assert [one["email"] for one in page["data"] + more["data"]] == [f"p{n}@example.net" for n in range(3)]
    assert more["next"] is None
    assert charlie.v1("GET", "/do-not-mail").json()["data"] == []
    assert alice.v1("POST", "/do-not-mail", {"emails": ["new@example.net", "no"]}).status_code == 422
    assert alice.v1("GET", "/do-not-mail?email=new@example.net").json()["data"] == [], "all or none"


def test_secure_lists(alice, charlie):
    one = alice.v1("POST", "/secure-lists", {"name": "Partner"}).json()
    where = f"/secure-lists/{one['id']}"
    assert alice.v1("POST", "/secure-lists", {"name": "Partner"}).status_code == 409
    added = alice.v1("POST", f"{where}/entries", {"entries": ["ann@example.net", "d" * 64, "nonsense"]}).json()
    assert added == {"added": 2, "refused": 1}
    assert alice.v1("GET", where).json()["size"] == 2
    assert charlie.v1("POST", f"{where}/entries", {"entries": ["x@example.net"]}).status_code == 404
    assert charlie.v1("DELETE", where).status_code == 404 and charlie.v1("GET", "/secure-lists").json() == []
    assert alice.v1("DELETE", where).status_code == 204


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/contacts", {"email": "a\0@example.net"}),
        ("/contacts", {"email": "a@example.net", "first_name": "x" * 300}),
        ("/contacts", b'{"email": "a@example.net", "fields": {"a": 1e400}}'),
        ("/contacts", {"email": ["a@example.net"]}),
        ("/contacts/bulk", {"contacts": [{"email": "a@example.net"}] * 10_001}),
        ("/contacts/bulk", {"contacts": [{"email": "a@example.net"}], "list_ids": [10**400]}),
        ("/lists", {"name": "\0"}),
        ("/lists", {"name": "  "}),
        ("/tags", {"name": None}),
        ("/fields", {"label": "x", "field_type": "blob"}),
        ("/tags/apply", {"contact_ids": [2**63], "add": [1]}),
    ],
)
def test_bad_input_is_refused_with_the_field(alice, path, body):
    answer = alice.v1("POST", path, body)
    assert answer.status_code == 422, answer.content[:300]
    place = answer.json()["errors"][0]["field"].split(".")
    assert place[0] == "body" and place[1] in {*body} if isinstance(body, dict) else place[1]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/contacts", 405)])
def test_an_address_that_is_none_is_a_problem_too(alice, method, path, status):
    answer = alice.v1(method, path)
    assert answer.status_code == status and answer.headers["Content-Type"] == "application/problem+json"
