"""Certificates, edge answers and the parent's delegation against what is declared, on real sockets."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from standfast.operations.failover import served
from standfast.operations.failover.declared import Certificate, Delegation, Edge
from standfast.operations.replay import name_servers

EXPIRY = datetime(2040, 1, 1, tzinfo=UTC)
PARENT = """$TTL 3600
@ IN SOA ns hostmaster 1 3600 600 86400 5
@ IN NS ns
ns IN A 127.0.0.1
shop IN NS ns1.north.test.
shop IN NS ns2.south.test.
"""


def make_certificate(folder: Path) -> tuple[Path, str]:
    """A self-signed one; its file and the digest of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Edge CA")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(EXPIRY - timedelta(days=9000))
        .not_valid_after(EXPIRY)
        .sign(key, hashes.SHA256())
    )
    path = folder / "edge.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return path, hashlib.sha256(public).hexdigest()


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[tuple[int, int, str]]:
    """A plain and a TLS port, and the digest of the key."""
    path, digest = make_certificate(tmp_path)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="fine", headers={"X-Edge": request.host})

    application = web.Application()
    application.router.add_get("/healthz", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    plain, secure = name_servers.free_port(), name_servers.free_port()
    await web.TCPSite(runner, "127.0.0.1", plain).start()
    await web.TCPSite(runner, "127.0.0.1", secure, ssl_context=context).start()
    yield plain, secure, digest
    await runner.cleanup()


async def test_edge(edge: tuple[int, int, str]) -> None:
    url = f"http://127.0.0.1:{edge[0]}/healthz"
    good = Edge(provider="north", url=url, host="shop.test", headers={"X-Edge": "shop.test"})
    assert await served.edge(good) == []
    other = await served.edge(good.model_copy(update={"status": 204, "headers": {"X-Edge": "else", "X-Gone": "1"}}))
    assert [(one.before, one.after) for one in other] == [
        (("204",), ("200",)),
        (("else",), ("shop.test",)),
        (("1",), ()),
    ]
    with pytest.raises(served.Unreadable, match="connection refused"):
        await served.edge(Edge(provider="north", url="http://127.0.0.1:1/"))


async def test_certificate(edge: tuple[int, int, str]) -> None:
    good = Certificate(
        provider="north", host="127.0.0.1", port=edge[1], server_name="shop.test",
        spki_sha256=(edge[2],), issuer="CN=Edge CA", not_after=EXPIRY,
    )  # fmt: skip
    assert await served.certificate(good) == []
    wanted = {"spki_sha256": ("00",), "issuer": "CN=Other", "not_after": EXPIRY + timedelta(days=1)}
    other = await served.certificate(good.model_copy(update=wanted))
    assert [one.subject.partition(": ")[2] for one in other] == ["key", "issuer", "valid until"]
    assert other[0].after == (edge[2],)
    with pytest.raises(served.Unreadable):
        await served.certificate(good.model_copy(update={"port": edge[0]}))


async def test_delegation(tmp_path: Path) -> None:
    parent = name_servers.bind(tmp_path / "parent", {"test.": PARENT}, keys=[])
    with name_servers.running(parent):
        good = Delegation(
            provider="registry", zone="shop.test.", server="127.0.0.1", port=parent.port,
            nameservers=("ns2.south.test.", "NS1.north.test."),
        )  # fmt: skip
        assert await served.delegation(good) == []
        other = await served.delegation(good.model_copy(update={"nameservers": ("ns1.north.test.",)}))
        assert other[0].after == ("ns1.north.test.", "ns2.south.test.")
        with pytest.raises(served.Unreadable, match="REFUSED"):
            await served.delegation(good.model_copy(update={"zone": "elsewhere.example."}))
