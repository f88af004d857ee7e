"""Sparse fields: of a resource, of a page, of a bare list; names that do not exist; in the document."""

import pytest

from standfast.services.rest_api import mounted  # noqa: F401 - fills the API, whichever test is the first
from standfast.services.rest_api.own import api

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_resource_a_page_and_a_list_are_thinned_out(alice):
    person = alice.v1("POST", "/contacts", {"email": "ann@example.net"}).json()
    alice.v1("POST", "/contacts", {"email": "ben@example.net"})
    chosen = alice.v1("POST", "/lists", {"name": "News"}).json()
    assert alice.v1("GET", f"/contacts/{person['id']}?fields=email,id").json() == {
        "id": person["id"], "email": "ann@example.net",
    }  # fmt: skip
    page = alice.v1("GET", "/contacts?limit=1&fields=email").json()
    assert page["data"] == [{"email": "ann@example.net"}]
    assert alice.v1("GET", f"/contacts?fields=email&cursor={page['next']}").json()["data"] == [
        {"email": "ben@example.net"}
    ]
    assert alice.v1("GET", "/lists?fields=id").json() == [{"id": chosen["id"]}]


@pytest.mark.parametrize("asked", ["", "name,", "e-mail", "data", "%00", "x" * 3000])
def test_an_unknown_name_is_told_which_there_are(alice, asked):
    answer = alice.v1("GET", f"/lists?fields={asked}")
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert fault["field"] == "query.fields" and "description" in fault["remedy"] and len(fault["message"]) < 200


def test_the_document_says_which_fields_each_reading_operation_has():
    paths = api.get_openapi_schema(path_prefix="/api/v1")["paths"]
    for path, name in (("/contacts", "email"), ("/contacts/{contact_id}", "email"), ("/lists", "name")):
        [parameter] = [one for one in paths[f"/api/v1{path}"]["get"]["parameters"] if one["name"] == "fields"]
        assert name in parameter["schema"]["items"]["enum"]
    assert all(one["name"] != "fields" for one in paths["/api/v1/contacts"]["post"].get("parameters", []))
