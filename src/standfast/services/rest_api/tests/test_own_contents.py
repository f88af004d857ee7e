"""Contents and images over our own API: written, changed by two at once, checked, seen as a contact."""

import base64

import pytest

from standfast.components.content.api import Content
from standfast.platform.tenancy import account_scope
from standfast.services.rest_api.tests.caller import Caller, key_of

pytestmark = pytest.mark.django_db(transaction=True)
LETTER = (
    "<p>Hello {{ contact.first_name }}</p>\n<p>{{ campaign.address }}</p>"
    '<a href="{{ campaign.unsubscribe_url }}">Leave</a>'
)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def test_a_content_is_written_changed_seen_copied_and_deleted(alice, charlie, people):
    answer = alice.v1("POST", "/contents", {"name": "  Spring \n letter ", "subject": "Hi", "source": LETTER})
    assert answer.status_code == 201, answer.content
    made, first = answer.json(), answer.headers["ETag"]
    assert (made["name"], made["source_kind"], made["source"]) == ("Spring letter", "html", LETTER)
    where = f"/contents/{made['id']}"
    assert alice.v1("GET", where).headers["ETag"] == first

    changed = alice.v1("PATCH", where, {"subject": "Hello"}, **{"if-match": first})
    assert changed.status_code == 200
    assert (changed.json()["subject"], changed.json()["source"]) == ("Hello", LETTER), "the rest stays"
    late = alice.v1("PATCH", where, {"subject": "Lost"}, **{"if-match": first})
    assert late.status_code == 412
    assert late.headers["ETag"] == changed.headers["ETag"] == alice.v1("GET", where).headers["ETag"]
    assert alice.v1("DELETE", where, **{"if-match": first}).status_code == 412
    assert alice.v1("GET", where).json()["subject"] == "Hello"

    ann = alice.v1("POST", "/contacts", {"email": "ann@example.net", "first_name": "Ann"}).json()
    seen = alice.v1("GET", f"{where}/preview?contact_id={ann['id']}&theme=dark").json()
    assert "Hello Ann" in seen["html"] and "Hello Ann" in seen["text"]
    assert (seen["subject"], seen["contact_id"], seen["may_send"]) == ("Hello", ann["id"], True)
    assert "first_name" in seen["fields"]
    assert "Sam" in alice.v1("GET", f"{where}/preview").json()["html"]
    broken = alice.v1("PATCH", where, {"source": LETTER + "\n\n{% if %}"}, **{"if-match": "*"})
    assert broken.status_code == 200, "a draft may have mistakes"
    found = alice.v1("GET", f"{where}/checks").json()
    assert found["may_send"] is False
    assert (found["problems"][0]["severity"], found["problems"][0]["line"]) == ("error", 4)
    mjml = {"source": "<mjml><mj-body></mj-section></mj-body></mjml>", "source_kind": "mjml", "tag": {"a": 1}}
    assert "closes nothing" in alice.v1("POST", "/content-previews", mjml).json()["problems"][0]["what"]

    copy = alice.v1("POST", f"{where}/duplicate").json()
    assert copy["name"] == "Copy of Spring letter"
    listed = alice.v1("GET", "/contents?limit=1").json()
    assert [row["id"] for row in listed["data"]] == [made["id"]] and "source" not in listed["data"][0]
    assert [row["id"] for row in alice.v1("GET", f"/contents?cursor={listed['next']}").json()["data"]] == [copy["id"]]
    assert [row["id"] for row in alice.v1("GET", "/contents?name=COPY").json()["data"]] == [copy["id"]]

    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["content:read"]))
    assert reader.v1("GET", where).status_code == 200
    assert reader.v1("PATCH", where, {"name": "x"}).status_code == 403
    assert reader.v1("DELETE", where).status_code == 403
    assert charlie.v1("GET", "/contents").json()["data"] == []
    assert charlie.v1("PATCH", where, {"name": "x"}).status_code == 404
    assert charlie.v1("POST", "/content-previews", {"source": LETTER, "contact_id": ann["id"]}).status_code == 422

    receipts = {"name": "Receipts", "content_id": made["id"]}
    assert alice.v1("POST", "/transactional-campaigns", receipts).status_code == 201
    kept = alice.v1("DELETE", where)
    assert (kept.status_code, "Spring letter" in kept.json()["detail"]) == (409, True)
    assert alice.v1("DELETE", f"/contents/{copy['id']}").status_code == 204
    assert alice.v1("GET", f"/contents/{copy['id']}").status_code == 404


def test_what_cannot_be_written_names_the_field_and_nothing_stays(alice):
    bad = [
        ({}, "body.name"), ({"name": " "}, "body.name"), ({"name": None}, "body.name"), ({"name": 7}, "body.name"),
        ({"name": "x" * 256}, "body.name"), ({"name": "a\0b"}, "body.name"),
        ({"name": "x", "source": "x" * 500_001}, "body.source"), ({"name": "x", "source_kind": "pdf"}, "body.source_kind"),
        ({"name": "x", "sauce": ""}, "body.sauce"), ({"name": "x", "inline_css": "perhaps"}, "body.inline_css"),
    ]  # fmt: skip
    for body, field in bad:
        answer = alice.v1("POST", "/contents", body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), (body, answer.content)
    assert alice.v1("POST", "/contents", {"name": "\ud800"}).status_code == 400
    for path in (f"/contents/{10**40}", f"/contents/{2**63}", "/contents/-1", "/contents/0"):
        assert alice.v1("GET", path).status_code == 404, path
        assert alice.v1("PATCH", path, {}).status_code == 404, path
    assert alice.v1("GET", "/contents?name=%00").status_code == 422
    with account_scope(alice.account_id):
        assert not Content.objects.filter(account_id=alice.account_id).exists()


def test_an_answer_under_a_key_has_its_version_again(alice):
    first, again = (alice.v1("POST", "/contents", {"name": "One"}, **{"idempotency-key": "c1"}) for _ in range(2))
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["ETag"] == again.headers["ETag"]
    assert len(alice.v1("GET", "/contents").json()["data"]) == 1


def test_images_come_as_json_or_as_a_form_and_are_listed(alice, charlie):
    kept = alice.v1("POST", "/content-images", {"data": base64.b64encode(PNG).decode()})
    assert kept.status_code == 201, kept.content
    image = kept.json()
    assert (image["kind"], image["size_bytes"]) == ("png", len(PNG))
    shown = alice.client.get("/images/" + image["url"].partition("/images/")[2])
    assert (shown.status_code, shown.content) == (200, PNG)

    def form(name, data):
        mark = "xyz"
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="a.gif"\r\n\r\n'.encode()
        return alice.client.generic(
            "POST", "/api/v1/content-images", head + data + f"\r\n--{mark}--\r\n".encode(),
            content_type=f"multipart/form-data; boundary={mark}", headers={"authorization": f"Bearer {alice.key}"},
        )  # fmt: skip

    assert form("image", b"GIF89a" + b"1" * 20).json()["kind"] == "gif"
    assert form("picture", b"GIF89a").json()["errors"][0]["field"] == "body.image"
    assert form("image", b"<svg/>").status_code == 422
    cut = alice.client.generic("POST", "/api/v1/content-images", b"nothing", content_type="multipart/form-data",
                               headers={"authorization": f"Bearer {alice.key}"})  # fmt: skip
    assert cut.status_code == 400
    for body, field in (
        ({}, "body"), ({"data": "AA==", "url": "http://x.example/"}, "body"), ({"data": "%"}, "body.data"),
        ({"data": base64.b64encode(b"<svg/>").decode()}, "body.data"), ({"url": "http://127.0.0.1/a.png"}, "body.url"),
        ({"url": "ftp://shop.example/a.png"}, "body.url"), ({"data": 5}, "body.data"),
    ):  # fmt: skip
        answer = alice.v1("POST", "/content-images", body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), (body, answer.content)
    page = alice.v1("GET", "/content-images?limit=1").json()
    rest = alice.v1("GET", f"/content-images?cursor={page['next']}").json()
    assert {row["kind"] for row in page["data"] + rest["data"]} == {"png", "gif"} and rest["next"] is None
    assert charlie.v1("GET", "/content-images").json()["data"] == []


def test_a_person_is_shown_to_keys_that_may_read_people_alone(alice, people):
    ann = alice.v1("POST", "/contacts", {"email": "ann@people.example", "phone": "555"}).json()
    keys = {scopes: Caller(alice.client, people.account.pk, key_of(people.account, people.alice, scopes=scopes))
            for scopes in (("content:read",), ("content:write", "contacts:read"))}  # fmt: skip
    draft = {"source": "<p>{{ contact.phone }}</p>", "contact_id": ann["id"]}
    where = f"/contents/{alice.v1('POST', '/contents', {'name': 'x', 'source': draft['source']}).json()['id']}/preview"
    few, both = keys.values()
    for answer in (few.v1("POST", "/content-previews", draft), few.v1("GET", f"{where}?contact_id={ann['id']}")):
        assert answer.status_code == 403 and "contacts:read" in answer.json()["detail"]
    assert few.v1("POST", "/content-previews", {"source": draft["source"]}).status_code == 200
    assert "555" in both.v1("POST", "/content-previews", draft).json()["html"]
