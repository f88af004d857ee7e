"""The TLS probe tells apart what may be wrong with a certificate, verified against an authority or not."""

from __future__ import annotations

import pytest

from standfast.operations.monitoring.probes.tests.looking import look
from standfast.operations.monitoring.report import Reason
from standfast.operations.simulation.certificates import Authority
from standfast.operations.simulation.peers import Service

NAME = "www.shop.example"


@pytest.fixture
async def service():
    service = Service(b"")
    yield service
    await service.close()


@pytest.fixture
def authority(tmp_path) -> Authority:
    return Authority(tmp_path)


def spec(service: Service, authority: Authority, **more: object) -> dict:
    return {"host": NAME, "address": "127.0.0.1", "port": service.port, "ca_file": str(authority.ca_file), **more}


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize(
    ("name", "days", "reason"),
    [
        (NAME, 90, Reason.GOOD),
        ("*.shop.example", 90, Reason.GOOD),
        (NAME, -1, Reason.TLS_EXPIRED),
        (NAME, 3, Reason.TLS_EXPIRED),
        ("other.example", 90, Reason.TLS_NAME),
    ],
)
async def test_name_and_dates(service, authority, verify, name, days, reason):
    await service.become("good", authority.context(name, days=days))
    outcome = await look("tls", **spec(service, authority, verify=verify, days_min=7))
    assert outcome.reason is reason, outcome.detail


async def test_issuer(service, authority, tmp_path):
    await service.become("good", Authority(tmp_path, "Somebody Else").context(NAME))
    assert (await look("tls", **spec(service, authority))).reason is Reason.TLS_ISSUER
    other = await look("tls", **spec(service, authority, verify=False, issuer="O=Test Authority"))
    assert other.reason is Reason.TLS_ISSUER
    assert "Somebody Else" in other.detail


async def test_pinned_keys(service, authority):
    await service.become("good", authority.context(NAME))
    first = await look("tls", **spec(service, authority))
    pin = first.seen[0]
    assert (await look("tls", **spec(service, authority, pins=["00" * 32, pin.upper()]))).good
    await service.become("good", authority.context(NAME))
    again = await look("tls", **spec(service, authority, pins=[pin]))
    assert again.reason is Reason.TLS_PIN


async def test_one_who_speaks_no_tls(service, authority):
    service.greets, service.replies = True, (b"220 hello\r\n",)
    await service.become("good")
    assert (await look("tls", **spec(service, authority))).reason is Reason.TLS_OTHER


async def test_authorities_that_cannot_be_read(service, authority):
    await service.become("good", authority.context(NAME))
    outcome = await look("tls", **{**spec(service, authority), "ca_file": "/nowhere.pem"})
    assert outcome.reason is Reason.MISCONFIGURED
