"""A desk of its own process for each test module: the suite's Django has other settings."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from standfast.operations.log import Log
from standfast.operations.status_page.tests import scenes

PASSWORD = "a long password 17"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    text: str
    url: str


class Browser:
    """A person at the desk: keeps cookies, follows redirects, fills the CSRF field in from the page before."""

    def __init__(self, url: str) -> None:
        self.url, self.token = url, ""
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str, **headers: str) -> Answer:
        return self._open(urllib.request.Request(self.url + path, headers=headers))

    def post(self, path: str, fields: Any = (), *, csrf: bool = True, **headers: str) -> Answer:
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
        if csrf:
            pairs.append(("csrfmiddlewaretoken", self.token))
        data = urlencode(pairs).encode()
        return self._open(urllib.request.Request(self.url + path, data=data, headers=headers))

    def _open(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=30) as answer:
                found = Answer(answer.status, answer.headers, answer.read().decode(), answer.url)
        except HTTPError as error:
            found = Answer(error.code, error.headers, error.read().decode(), error.url)
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', found.text)
        self.token = token[1] if token else self.token
        return found


class Desk:
    """A running desk over a log with a story in it."""

    def __init__(self, folder: Path, *, like: Desk | None = None, **status_page: Any) -> None:
        """`like`: begin with the people and sessions of another desk, which is faster than enrolling anew."""
        self.folder, self.cookies = folder, like.cookies if like else []
        for name in ("desk.sqlite", "desk.key") if like else ():
            shutil.copy(like.folder / name, folder / name)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.map_path = folder / "map.toml"
        mail = status_page.pop("mail", {"host": "127.0.0.1", "port": 9})
        table = scenes.table(desk_url=self.url, desk_port=self.port, **status_page)
        table["mail"] = mail
        table["pools"] = [
            {"id": "root", "record": "example.com.", "primary": ["192.0.2.1"], "standby": ["198.51.100.1"]}
        ]
        table["providers"] = [
            {
                "id": "one",
                "name": "One",
                "server": "192.0.2.9",
                "zone": "example.com.",
                "key_name": "k",
                "key_file": "k",
            }
        ]
        self.map_path.write_text("\n".join(f"{key} = {_toml(value)}" for key, value in table.items()))
        self.log = Log(folder / "operations.sqlite")
        self.now = datetime.now(UTC)
        self.log.append("started", {"version": "0", "map": "x"}, at=self.now - timedelta(days=2))
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "standfast.operations.desk", "--map", str(self.map_path), *options]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=_environment())

    def start(self) -> None:
        command = [sys.executable, "-m", "standfast.operations.desk", "--map", str(self.map_path)]
        self._process = subprocess.Popen(
            command, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(self.url + "/healthz", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the desk did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)

    def browser(self) -> Browser:
        return Browser(self.url)

    def enrol(self, name: str = "alice") -> Browser:
        """The first person, logged in."""
        if self.cookies:
            browser = self.browser()
            for cookie in self.cookies:
                browser.jar.set_cookie(cookie)
            assert browser.get("/").url == self.url + "/"
            return browser
        link = self.run("--first-link").stdout.strip()
        browser = self.browser()
        browser.get(link.removeprefix(self.url))
        answer = browser.post(link.removeprefix(self.url), {"name": name, "password": PASSWORD, "again": PASSWORD})
        assert answer.status == 200 and answer.url == self.url + "/", answer.text
        return browser

    def entries(self, kind: str) -> list[dict[str, Any]]:
        return [dict(entry.data) for entry in self.log.after() if entry.kind == kind]

    def fail(self, incident: str = "2026-01-01-1") -> None:
        """The REST API of CA1 goes down, with votes and an automatic incident."""
        votes = [
            {"vantage": "cloud", "reason": "refused", "detail": "connect: refused", "failures": 2, "age_seconds": 1}
        ]
        squares = [["rest-api", "ca1"]]
        for kind, data in (
            ("check_down", {"check": "rest-api-ca1", "votes": votes}),
            ("incident_opened", {"incident": incident, "title": "REST API in CA1", "checks": ["rest-api-ca1"],
                                 "squares": squares, "impact": "minor"}),
            ("post", {"incident": incident, "update": f"{incident}-1", "status": "investigating", "body": "It refuses.",
                      "squares": [[*squares[0], "major_outage"]], "author": "automatic", "notify": True,
                      "next_update_at": (self.now + timedelta(minutes=20)).isoformat()}),
        ):  # fmt: skip
            self.log.append(kind, data, at=self.now)

    def recover(self, incident: str = "2026-01-01-1") -> None:
        self.log.append("check_up", {"check": "rest-api-ca1", "votes": []}, at=datetime.now(UTC))
        self.log.append("incident_recovered", {"incident": incident}, at=datetime.now(UTC))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk that was started once: its tables are there, nobody can log in."""
    one = Desk(tmp_path_factory.mktemp("empty"))
    one.run("--first-link")
    return one


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, empty: Desk) -> Desk:
    """A desk, stopped, at which Alice is logged in."""
    one = Desk(tmp_path_factory.mktemp("model"), like=empty)
    one.start()
    one.cookies = list(one.enrol().jar)
    one.stop()
    return one


@pytest.fixture
def desk(tmp_path: Path, empty: Desk) -> Iterator[Desk]:
    """A running desk of its own at which nobody can log in yet."""
    yield from _running(Desk(tmp_path, like=empty))


@pytest.fixture
def staffed(tmp_path: Path, model: Desk) -> Iterator[Desk]:
    """A running desk of its own at which Alice is logged in."""
    yield from _running(Desk(tmp_path, like=model))


def _running(one: Desk) -> Iterator[Desk]:
    one.start()
    yield one
    one.stop()


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO_", "STANDFAST_"))}


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
