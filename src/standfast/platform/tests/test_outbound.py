"""What a user may make this installation connect to."""

from __future__ import annotations

import asyncio

import pytest

from standfast.platform import config, outbound
from standfast.protocols.public_address import is_public

# fmt: off
PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:1::",
    "2001:db8::1", "fec0::1", "::127.0.0.1", "::ffff:0:127.0.0.1",
]
# fmt: on
PUBLIC = ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "::ffff:0:8.8.8.8"]


@pytest.fixture(autouse=True)
def not_allowed(monkeypatch):
    monkeypatch.delenv(outbound.ALLOW_PRIVATE, raising=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_of_the_internet(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0", "2130706433", "0x7f.1", "::1", "[::1]", "169.254.169.254"]
)
def test_no_spelling_leads_into_the_private_network(host):
    with pytest.raises(outbound.OutboundRefused):
        asyncio.run(outbound.addresses(host, 25))


def test_the_bundled_inbox_is_allowed_and_no_other_port_of_its_host():
    settings = config.load()
    assert asyncio.run(outbound.addresses(settings.host, settings.inbox_port)) == ["127.0.0.1"]
    with pytest.raises(outbound.OutboundRefused, match="private network"):
        asyncio.run(outbound.addresses(settings.host, 5432))


def test_the_installation_may_allow_private_addresses(monkeypatch):
    monkeypatch.setenv(outbound.ALLOW_PRIVATE, "1")
    assert asyncio.run(outbound.addresses("127.0.0.1", 25)) == ["127.0.0.1"]


def test_public_addresses_alone_are_given_where_a_name_has_both(monkeypatch):
    async def both(host, port):
        return ["10.0.0.1", "8.8.8.8"]

    monkeypatch.setattr(outbound, "_resolve", both)
    assert asyncio.run(outbound.addresses("both.example", 25)) == ["8.8.8.8"]


def test_a_host_that_cannot_be_one_is_refused_not_raised():
    for host in ("a" * 300, "no such host", "x..y"):
        with pytest.raises(outbound.OutboundRefused):
            asyncio.run(outbound.addresses(host, 25))
