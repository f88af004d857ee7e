"""A real tracker in a process of its own, on a free port."""

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from standfast.platform.spool_reader import read_batch
from standfast.protocols.event_record import EventRecord, decode_event
from standfast.protocols.keys import derive
from standfast.protocols.tokens import RecipientRef, seal_recipient, sign_link
from standfast.services.tracker.main import TOKEN_KEY_PURPOSE

SECRET = b"s" * 32
KEY = derive(SECRET, TOKEN_KEY_PURPOSE)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SHOP = "https://shop.example.com/summer?utm_source=news&name=J%C3%BCrgen"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Tracker:
    """The process and how to talk to it."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.spool_dir = var / "spool" / "tracker"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        self.var.mkdir(exist_ok=True)
        (self.var / "secret.key").write_bytes(SECRET)
        names = {
            "STANDFAST_VAR": str(self.var),
            "STANDFAST_TRACKER_PORT": str(self.port),
            "STANDFAST_HOST": "127.0.0.1",
        }
        outside = {name: value for name, value in os.environ.items() if not name.startswith("STANDFAST")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "standfast.services.tracker.main"], env={**outside, **names, **environment}
        )
        while True:
            try:
                assert self.ask("GET", "/healthz").status == 200
                return
            except ConnectionError:
                assert self.process.poll() is None, "the tracker ended at its start"
                time.sleep(0.05)

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        return self.process.wait(timeout=20)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            given = {"user-agent": FIREFOX, **{name.replace("_", "-"): value for name, value in headers.items()}}
            connection.request(method, path, body=body, headers=given)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def events(self) -> list[EventRecord]:
        found: list[EventRecord] = []
        position = 0
        while (batch := read_batch(self.spool_dir, position=position)).after != batch.before:
            found += [decode_event(payload) for _, payload in batch.records]
            position = batch.after
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def token(**change: int) -> str:
    given = {"account_id": 1, "send_id": 2, "seq": 3, "contact_id": 4, "sent_at": int(time.time()) - 600, **change}
    return seal_recipient(KEY, RecipientRef(**given))


def click_path(recipient: str, *, link: int = 1, url: str = SHOP, **change: Any) -> str:
    signature = sign_link(KEY, **{"account_id": 1, "send_id": 2, "link_id": link, "url": url, **change})
    return f"/c/{recipient}/{link}?u={quote(url, safe='')}&s={signature}"
