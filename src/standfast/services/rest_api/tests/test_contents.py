"""Contents and their images over the reference product's interface."""

import base64
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from standfast.services.rest_api.tests.caller import Caller, key_of

CONTENT = {"name": "Receipt", "subject": "Order", "html_part": "<p>{{ tag.order }}</p>", "text_part": "Order"}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50
GIVEN = {"content_image": {"image_data": base64.b64encode(PNG).decode()}}


def test_a_content_is_made_changed_listed_and_deleted(alice, charlie):
    answer = alice.post("contents", {"content": CONTENT})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert {name: made[name] for name in CONTENT} == CONTENT
    path = f"contents/{made['id']}"
    assert alice.put(path, {"content": {"subject": "New"}}).json()["html_part"] == CONTENT["html_part"]
    assert [(row["subject"], row["total_pages"]) for row in alice.get("contents").json()] == [("New", 1)]
    assert charlie.get("contents").json() == []
    for method in ("GET", "PUT", "DELETE"):
        assert charlie.call(method, path).status_code == 404
    assert alice.delete(path).status_code == 204
    assert alice.get(path).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": ""}, "name"), ({"html_part": "{% if %}"}, "base"), ({"content_type": "pdf"}, "content_type"),
     ({"subject": {"a": 1}}, "subject")],
)  # fmt: skip
def test_what_cannot_be_kept_is_said(alice, change, field):
    answer = alice.post("contents", {"content": {**CONTENT, **change}})
    assert (answer.status_code, list(answer.json())) == (422, [field]), answer.content


def test_an_image_is_kept_once_and_served_without_a_key(alice):
    [url, again] = [alice.post("content_images", GIVEN).json()["image_url"] for _ in range(2)]
    assert url == again
    answer = alice.client.get("/images/" + url.partition("/images/")[2])
    assert (answer.status_code, answer["Content-Type"], answer.content) == (200, "image/png", PNG)
    assert alice.client.get(f"/images/{alice.account_id}/{'0' * 64}.png").status_code == 404


@pytest.fixture
def site():
    """A web server on the loopback; every path but /image leads to it."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/image" else 302)
            self.send_header("Location", "/image")
            self.end_headers()
            self.wfile.write(PNG)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_image_is_fetched_from_its_address(alice, site, monkeypatch):
    monkeypatch.setenv("STANDFAST_ALLOW_PRIVATE", "1")
    answer = alice.post("content_images", {"content_image": {"image_url": f"{site}/elsewhere"}})
    assert answer.status_code == 201, answer.content
    assert answer.json()["image_url"].endswith(".png")


def test_an_image_of_a_private_network_is_refused(alice, site, monkeypatch):
    monkeypatch.delenv("STANDFAST_ALLOW_PRIVATE", raising=False)
    answer = alice.post("content_images", {"image_url": f"{site}/image"})
    assert (answer.status_code, list(answer.json())) == (422, ["image_url"])
    assert "private network" in answer.json()["image_url"][0]


@pytest.mark.parametrize(
    "body",
    [{}, {"image_url": "file:///etc/passwd"}, {"image_url": "http://"}, {"image_url": "http://[::"}, {"image_data": "??"},
     {"image_data": base64.b64encode(b"<svg/>").decode()}],
)  # fmt: skip
def test_what_is_no_image_is_refused(alice, body):
    assert alice.post("content_images", {"content_image": body}).status_code == 422


def test_a_reader_keeps_nothing(alice, people):
    reader = Caller(alice.client, alice.account_id, key_of(people.account, people.alice, scopes=["content:read"]))
    assert reader.get("contents").status_code == 200
    assert reader.post("contents", {"content": CONTENT}).status_code == 403
    assert reader.post("content_images", GIVEN).status_code == 403
