"""Who sends bodies and does not end them keeps some threads, and never all of them."""

import threading
from typing import Any

import pytest

from standfast.platform.body_places import BodyPlaces


class Silent:
    """A client that has sent nothing yet."""

    def __init__(self) -> None:
        self.reading, self.ended = threading.Event(), threading.Event()

    def read(self, size: int = -1) -> bytes:
        self.reading.set()
        assert self.ended.wait(20)
        return b"x" * 10


class Service:
    def __init__(self) -> None:
        self.places = BodyPlaces(self.application, most=3, of_address=2)
        self.threads: list[threading.Thread] = []

    def application(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            environ["wsgi.input"].read(10)
        if environ["PATH_INFO"] == "/broken":
            raise ValueError
        start("200 OK", [])
        return [b"ok"]

    def call(self, method: str, address: str, stream: Any = None, path: str = "/", length: str = "10") -> str:
        said: list[str] = []
        environ = {"REQUEST_METHOD": method, "REMOTE_ADDR": address, "PATH_INFO": path, "wsgi.input": stream}
        self.places(
            environ | ({"CONTENT_LENGTH": length} if stream else {}), lambda status, headers: said.append(status)
        )
        return said[0][:3]

    def begin(self, address: str) -> Silent:
        stream = Silent()
        thread = threading.Thread(target=self.call, args=("POST", address, stream))
        thread.start()
        assert stream.reading.wait(20)
        self.threads.append(thread)
        return stream


@pytest.fixture
def service():
    return Service()


def ready() -> Silent:
    stream = Silent()
    stream.ended.set()
    return stream


def test_one_address_keeps_its_share_and_all_together_not_everything(service):
    begun = [service.begin("a"), service.begin("a")]
    assert service.call("POST", "a", ready()) == "503"
    assert service.call("POST", "b", ready()) == "200"
    begun.append(service.begin("b"))
    assert service.call("POST", "c", ready()) == "503"
    assert service.call("GET", "a") == "200"
    for stream in begun:
        stream.ended.set()
    for thread in service.threads:
        thread.join(20)
    assert service.call("POST", "a", ready()) == service.call("POST", "c", ready()) == "200"


def test_a_place_is_left_whatever_becomes_of_the_request(service):
    for _ in range(5):
        with pytest.raises(ValueError):
            service.call("POST", "a", ready(), path="/broken")
        assert service.call("POST", "a", ready(), length="99") == "200"
        assert service.call("PUT", "a", ready()) == "200"  # nobody reads it


def test_behind_a_proxy_of_ours_the_address_is_the_one_that_it_saw(service, monkeypatch):
    monkeypatch.setenv("STANDFAST_BEHIND_TLS", "1")
    begun = [service.begin("proxy"), service.begin("proxy")]
    seen: list[str] = []
    environ = {"REQUEST_METHOD": "POST", "REMOTE_ADDR": "proxy", "HTTP_X_FORWARDED_FOR": "x, 203.0.113.7", "PATH_INFO": "/",
               "CONTENT_LENGTH": "10", "wsgi.input": ready()}  # fmt: skip
    service.places(environ, lambda status, headers: seen.append(status))
    assert seen == ["200 OK"]
    for stream in begun:
        stream.ended.set()
