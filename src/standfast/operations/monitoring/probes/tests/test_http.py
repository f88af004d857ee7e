"""The HTTP probe: status, body, budget, address and Host, no redirects, bounded reading."""

from __future__ import annotations

import pytest

from standfast.operations.monitoring.probes.tests.looking import look, patience
from standfast.operations.monitoring.report import Reason
from standfast.operations.simulation.certificates import Authority
from standfast.operations.simulation.peers import HTTP_200, HTTP_503, NameServer, Service

OTHER = {
    "5xx": HTTP_503,
    "moved": b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n",
    "chunked": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"ok"\r\n7\r\n: true}\r\n0\r\n\r\n',
    "unframed": b'HTTP/1.0 200 OK\r\n\r\n{"ok": true}',
    "large": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000,
    "endless": b"HTTP/1.1 200 OK\r\n" + b"X-Header: y\r\n" * 20_000,
    "lines": b"HTTP/1.1 500 Oh\r\nContent-Length: 19\r\n\r\nfirst\nsecond\x00\x1bthird",
}


@pytest.fixture
async def service():
    service = Service(HTTP_200, other=OTHER)
    await service.become("good")
    yield service
    await service.close()


def spec(service: Service, **more: object) -> dict:
    return {"url": f"http://127.0.0.1:{service.port}/healthz?deep=1", "contains": '"ok": true', **more}


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("good", Reason.GOOD),
        ("chunked", Reason.GOOD),
        ("5xx", Reason.STATUS),
        ("moved", Reason.STATUS),
        ("large", Reason.BODY),
        ("endless", Reason.PROTOCOL),
        ("lines", Reason.STATUS),
        ("refused", Reason.REFUSED),
        ("reset", Reason.RESET),
        ("closed", Reason.RESET),
        ("hang", Reason.TIMEOUT),
        ("half", Reason.TIMEOUT),
        ("drip", Reason.TIMEOUT),
        ("cut", Reason.PROTOCOL),
        ("garbage", Reason.PROTOCOL),
    ],
)
async def test_reasons(service, mode, reason):
    await service.become(mode)
    outcome = await look("http", **spec(service), timeout_seconds=patience(reason))
    if mode == "closed" and outcome.reason is Reason.PROTOCOL:
        return  # the polite end may be read before the reset that follows our request
    assert outcome.reason is reason, outcome.detail


async def test_a_body_that_ends_with_the_connection(service):
    await service.become("unframed")
    assert (await look("http", **spec(service))).good


async def test_slow_is_complete_but_over_the_budget(service):
    service.slow_seconds = 0.15
    await service.become("slow")
    outcome = await look("http", **spec(service, budget_ms=100))
    assert outcome.reason is Reason.SLOW


async def test_the_request(service):
    url = f"http://shop.example:{service.port}/a/b?c=d"
    assert (await look("http", url=url, address="127.0.0.1", headers={"X-Probe": "1"})).good
    assert service.heard[0] == b"GET /a/b?c=d HTTP/1.1\r\n"
    assert f"Host: shop.example:{service.port}\r\n".encode() in service.heard
    assert b"X-Probe: 1\r\n" in service.heard


async def test_statuses_and_texts(service):
    await service.become("5xx")
    assert (await look("http", **spec(service, status=[200, 503], contains=["ok", "false"]))).good
    outcome = await look("http", **spec(service))
    assert "503 Service Unavailable instead of 200" in outcome.detail
    assert outcome.seen == ("503",)


async def test_the_name_is_resolved_by_the_given_server_each_time(service):
    names = NameServer("shop.example.", "127.0.0.1")
    await names.become("good")
    given = {"url": f"http://shop.example:{service.port}/", "resolver": f"127.0.0.1:{names.port}"}
    assert (await look("http", **given)).good
    await names.become("nxdomain")
    outcome = await look("http", **given)
    assert outcome.reason is Reason.UNRESOLVED
    assert "NXDOMAIN" in outcome.detail
    await names.close()


async def test_https(service, tmp_path):
    authority = Authority(tmp_path)
    await service.become("good", authority.context("shop.example"))
    given = {"address": "127.0.0.1", "ca_file": str(authority.ca_file)}
    assert (await look("http", url=f"https://shop.example:{service.port}/", **given)).good
    assert (await look("http", url=f"https://other.example:{service.port}/", **given)).reason is Reason.TLS_NAME
    await service.become("good", authority.context("shop.example", days=-1))
    assert (await look("http", url=f"https://shop.example:{service.port}/", **given)).reason is Reason.TLS_EXPIRED


@pytest.mark.parametrize(
    "wrong", [{"url": "ftp://x/"}, {"url": "http://x:99999/"}, {"headers": {"a": "b\r\nc"}}, {"body_max": -1}]
)
async def test_a_check_that_cannot_be_run(service, wrong):
    assert (await look("http", **spec(service, **wrong))).reason is Reason.MISCONFIGURED
