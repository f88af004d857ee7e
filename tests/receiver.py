"""Whoever is told by webhooks: keeps what came, and answers as it is bidden."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest


class Receiver(http.server.ThreadingHTTPServer):
    """got: headers and body of each call. statuses: what is answered next; then 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("STANDFAST_ALLOW_PRIVATE", "1")
    server = Receiver()
    yield server
    server.shutdown()
    server.server_close()
