"""The real name servers start, take signed updates, transfer with the key, resolve, and die when killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update
import dns.zone
import pytest

from standfast.operations.replay import name_servers
from standfast.operations.replay.name_servers import Key, NameServer

KEY = Key.made("controller.", seed="test")
OTHER = Key.made("controller.", seed="another")
ZONE = """$TTL 30
@ 3600 IN SOA ns1 hostmaster 1 3600 600 86400 5
@ 3600 IN NS ns1
ns1 IN A 127.0.0.1
@ IN A 192.0.2.1
"""


def ask(server: NameServer, name: str, kind: str = "A") -> list[str]:
    answer = dns.query.udp(dns.message.make_query(name, kind), server.address, port=server.port, timeout=5)
    return sorted(item.to_text() for rrset in answer.answer for item in rrset)


def update(server: NameServer, key: Key, address: str) -> int:
    message = dns.update.UpdateMessage(
        "shop.test.", keyring=dns.tsigkeyring.from_text({key.name: key.secret}), keyalgorithm="hmac-sha256"
    )
    message.replace("@", 30, "A", address)
    return int(dns.query.tcp(message, server.address, port=server.port, timeout=5).rcode())


@pytest.fixture(params=[name_servers.bind, name_servers.knot])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> NameServer:
    make: Callable[..., NameServer] = request.param
    return make(tmp_path / "server", {"shop.test.": ZONE}, keys=[KEY])


def test_takes_a_signed_update_and_keeps_it_over_a_kill(server: NameServer) -> None:
    with name_servers.running(server):
        assert ask(server, "shop.test.") == ["192.0.2.1"]
        assert update(server, KEY, "192.0.2.2") == dns.rcode.NOERROR
        server.kill()
        assert not server.running
        server.start()
        assert ask(server, "shop.test.") == ["192.0.2.2"]


def test_refuses_a_wrong_key_and_a_transfer_without_one(server: NameServer) -> None:
    with name_servers.running(server):
        with pytest.raises((dns.tsig.PeerBadSignature, dns.tsig.PeerBadKey)):
            update(server, OTHER, "192.0.2.3")
        assert ask(server, "shop.test.") == ["192.0.2.1"]
        keyring = dns.tsigkeyring.from_text({KEY.name: KEY.secret})
        transfer = dns.query.xfr(
            server.address, "shop.test.", port=server.port, keyring=keyring, keyalgorithm="hmac-sha256"
        )
        assert dns.zone.from_xfr(transfer) is not None
        with pytest.raises(dns.query.TransferError):
            list(dns.query.xfr(server.address, "shop.test.", port=server.port))


def test_resolver_asks_both_and_answers_from_memory_when_both_are_dead(tmp_path: Path) -> None:
    zone = {"shop.test.": ZONE.replace("$TTL 30", "$TTL 1")}
    one = name_servers.bind(tmp_path / "bind", zone, keys=[KEY])
    two = name_servers.knot(tmp_path / "knot", zone, keys=[KEY])
    resolver = name_servers.unbound(
        tmp_path / "unbound", {"shop.test.": [(one.address, one.port), (two.address, two.port)]}
    )
    with name_servers.running(one, two, resolver):
        assert ask(resolver, "shop.test.") == ["192.0.2.1"]
        one.kill()
        two.kill()
        time.sleep(1.5)
        assert ask(resolver, "shop.test.") == ["192.0.2.1"]


def test_a_missing_program_says_how_to_bring_it() -> None:
    with pytest.raises(name_servers.ToolMissing, match="make replay-tools"):
        name_servers.program("no-such-name-server")
