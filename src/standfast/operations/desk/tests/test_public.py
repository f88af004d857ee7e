"""The public's forms over real sockets: a letter with a link, a challenge, leaving with one click."""

import json
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller

from standfast.operations.desk.tests.conftest import Desk


class Mailbox:
    """An SMTP sink."""

    def __init__(self):
        self.letters = []

    async def handle_DATA(self, server, session, envelope):
        self.letters.append((envelope.rcpt_tos[0], envelope.content.decode()))
        return "250 taken"


class Endpoint:
    """A webhook receiver that answers as `answer` says."""

    def __init__(self):
        self.bodies, self.answer = [], lambda body: body["data"]["challenge"]
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["content-length"]))
                endpoint.bodies.append(json.loads(raw))
                text = endpoint.answer(json.loads(raw)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def mailbox():
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        box.port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def endpoint():
    one = Endpoint()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def desk(tmp_path, mailbox, empty):
    one = Desk(
        tmp_path,
        like=empty,
        mail={"host": "127.0.0.1", "port": mailbox.port, "tls": "none"},
        allow_private_webhooks=True,
    )
    one.start()
    yield one
    one.stop()


def wait(what, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("nothing came")


def rows(desk):
    return [dict(row) for row in desk.log.connection.execute("select * from subscriber")]


def subscribe(desk, address, channel="email", **fields):
    return desk.browser().post("/subscribe", {"channel": channel, "address": address, **fields}, csrf=False)


def link_in(letter, page):
    return "/" + re.search(rf"/({page}/\S+)", letter.replace("=\r\n", "").replace("=\n", ""))[1]


def test_by_mail_from_asking_to_leaving(desk, mailbox):
    answer = subscribe(desk, "alice@example.com", component="login", cluster="eu1")
    assert answer.status == 200 and "Look at your mailbox" in answer.text and not list(desk.browser().jar)
    to, letter = wait(lambda: mailbox.letters)[0]
    assert to == "alice@example.com" and rows(desk)[0]["state"] == "pending"
    path, browser = link_in(letter, "confirm"), desk.browser()
    page = browser.get(path).text
    assert "Application Login" in page and "alice@" not in page and "a…@example.com" in page
    assert rows(desk)[0]["state"] == "pending"  # a scanner that follows the link confirms nothing
    assert "You are subscribed" in browser.post(path, csrf=False).text and rows(desk)[0]["state"] == "confirmed"

    again = subscribe(desk, "alice@example.com", component="ftp")
    assert again.text == answer.text
    _, second = wait(lambda: mailbox.letters[1:])[0]
    assert "subscribed already" in second and "/confirm/" not in second
    choose = link_in(second, "choose")
    assert 'value="login" checked' in browser.get(choose).text.replace("\n", "")
    browser.post(choose, [("component", "ftp"), ("component", "login")], csrf=False)
    assert json.loads(rows(desk)[0]["components"]) == ["login", "ftp"]

    leave = choose.replace("/choose/", "/unsubscribe/")
    assert browser.get(leave).status == 200 and rows(desk)[0]["state"] == "confirmed"
    assert browser.post(leave, {"List-Unsubscribe": "One-Click"}, csrf=False).status == 200
    assert rows(desk)[0]["state"] == "unsubscribed"
    assert browser.post(leave, {"List-Unsubscribe": "One-Click"}, csrf=False).status == 200


def test_a_webhook_answers_a_challenge_and_learns_its_secret(desk, endpoint):
    answer = subscribe(desk, endpoint.url, channel="webhook")
    assert answer.status == 200 and "whsec_" not in answer.text
    wait(lambda: rows(desk)[0]["state"] == "confirmed")
    body = endpoint.bodies[0]
    assert body["type"] == "webhook.challenge" and body["data"]["secret"] == rows(desk)[0]["secret"]
    assert subscribe(desk, endpoint.url, channel="webhook").text == answer.text


def test_an_endpoint_that_only_echoes_is_not_subscribed(desk, endpoint):
    endpoint.answer = json.dumps
    subscribe(desk, endpoint.url, channel="webhook")
    wait(lambda: endpoint.bodies)
    time.sleep(0.5)
    assert rows(desk)[0]["state"] == "pending"


def test_what_is_no_address_or_link_is_said(desk):
    assert subscribe(desk, "nonsense").status == 422
    assert subscribe(desk, "ftp://x.example/", channel="webhook").status == 422
    for path in ("/confirm/x", "/unsubscribe/x.y", "/choose/" + "z" * 300):
        assert desk.browser().get(path).status == 404
    assert desk.browser().get("/subscribe").status == 405
    assert rows(desk) == []


def test_asking_again_and_again_is_stopped(desk):
    statuses = [subscribe(desk, f"u{number}@example.com").status for number in range(22)]
    assert statuses[:20] == [200] * 20 and statuses[20:] == [429] * 2
