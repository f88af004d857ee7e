"""The TCP, SMTP and FTP probes."""

from __future__ import annotations

import pytest

from standfast.operations.monitoring.probes.tests.looking import look, patience
from standfast.operations.monitoring.report import Reason
from standfast.operations.simulation.peers import Service

SMTP = (b"220 mail.example ESMTP ready\r\n", b"250-mail.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n")
FTP = (b"220-Welcome\r\nto this server\r\n220 files.example ready\r\n",)
OTHER = {
    "full": b"421 too many connections\r\n",
    "other": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "endless": b"220-again\r\n" * 500,
    "long": b"220 " + b"x" * 100_000,
}


@pytest.fixture
async def service(request):
    service = Service(*(SMTP if request.param == "smtp" else FTP), greets=True, other=OTHER)
    service.kind = request.param
    await service.become("good")
    yield service
    await service.close()


@pytest.mark.parametrize("service", ["smtp", "ftp"], indirect=True)
@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("good", Reason.GOOD),
        ("full", Reason.GREETING),
        ("closed", Reason.GREETING),
        ("other", Reason.PROTOCOL),
        ("endless", Reason.PROTOCOL),
        ("long", Reason.PROTOCOL),
        ("garbage", Reason.PROTOCOL),
        ("hang", Reason.TIMEOUT),
        ("drip", Reason.TIMEOUT),
        ("half", Reason.TIMEOUT),
        ("reset", Reason.RESET),
        ("refused", Reason.REFUSED),
    ],
)
async def test_reasons(service, mode, reason):
    await service.become(mode)
    outcome = await look(service.kind, host="127.0.0.1", port=service.port, timeout_seconds=patience(reason))
    if mode == "half" and service.kind == "ftp":
        assert outcome.reason in (Reason.TIMEOUT, Reason.PROTOCOL)
        return
    assert outcome.reason is reason, outcome.detail


@pytest.mark.parametrize("service", ["smtp", "ftp"], indirect=True)
async def test_the_text_of_the_greeting(service):
    given = {"host": "127.0.0.1", "port": service.port}
    assert (await look(service.kind, contains=".example", **given)).good
    assert (await look(service.kind, contains="elsewhere", **given)).reason is Reason.GREETING


@pytest.mark.parametrize("service", ["smtp"], indirect=True)
async def test_ehlo_is_refused(service):
    service.replies = (SMTP[0], b"550 not you\r\n")
    outcome = await look("smtp", host="127.0.0.1", port=service.port)
    assert outcome.reason is Reason.GREETING
    assert "550 not you" in outcome.detail


@pytest.mark.parametrize("service", ["smtp"], indirect=True)
async def test_tls_is_wanted_and_not_offered(service):
    outcome = await look("smtp", host="127.0.0.1", port=service.port, starttls=True)
    assert outcome.reason is Reason.TLS_OTHER


@pytest.mark.parametrize("service", ["ftp"], indirect=True)
async def test_tcp(service):
    assert (await look("tcp", host="127.0.0.1", port=service.port)).good
    await service.become("hang")
    assert (await look("tcp", host="127.0.0.1", port=service.port)).good
    await service.become("refused")
    assert (await look("tcp", host="127.0.0.1", port=service.port)).reason is Reason.REFUSED


async def test_a_name_that_does_not_exist():
    outcome = await look("tcp", host="nowhere.invalid", port=1, resolver="127.0.0.1:9", timeout_seconds=1)
    assert outcome.reason is Reason.UNRESOLVED


@pytest.mark.parametrize("wrong", [{"host": ""}, {"port": 0}, {"port": "many"}, {"unknown": 1}])
async def test_a_check_that_cannot_be_run(wrong):
    outcome = await look("tcp", **{"host": "127.0.0.1", "port": 1, **wrong})
    assert outcome.reason is Reason.MISCONFIGURED


async def test_starttls(tmp_path):
    """Against the server of the protocols: greeting, EHLO, STARTTLS, EHLO again, the certificate examined."""
    aiosmtpd = pytest.importorskip("aiosmtpd.smtp")
    import asyncio

    from standfast.operations.simulation.certificates import Authority

    authority = Authority(tmp_path)
    context = authority.context("mail.example")
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: aiosmtpd.SMTP(object(), tls_context=context), "127.0.0.1", 0)
    given = {"address": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "starttls": True}
    given["ca_file"] = str(authority.ca_file)
    outcome = await look("smtp", host="mail.example", **given)
    assert outcome.good, outcome.detail
    assert "over TLS" in outcome.detail
    assert (await look("smtp", host="other.example", **given)).reason is Reason.TLS_NAME
    server.close()
