"""Independent clients submit over STARTTLS, TLS from the first byte and AUTH: curl, swaks, smtplib."""

import asyncio
import base64
import shutil
import smtplib
import ssl
import subprocess
from pathlib import Path

import pytest
from django.db import connection

from standfast.components.accounts.api import make_key
from standfast.components.delivery.api import add_domain
from standfast.platform.tenancy import account_scope
from standfast.protocols.smtp_server import serve
from standfast.protocols.smtp_submission import SubmissionSession
from standfast.services.smtp_api.acceptance import Acceptance
from standfast.services.smtp_api.dialects import DIALECTS
from standfast.services.smtp_api.session import Submission

pytestmark = pytest.mark.django_db(transaction=True)
TOOLS = Path(__file__).resolve().parents[5] / "var/tools/mail-clients"


def program(name: str) -> str:
    found = shutil.which(name, path=f"{TOOLS}/bin") or shutil.which(name)
    assert found, f"{name} is not here: scripts/mail-clients.sh brings it"
    return found


@pytest.fixture
def key(transactional_db, cast) -> str:
    with account_scope(cast.account.pk):
        add_domain(account_id=cast.account.pk, domain="shop.example")
        return make_key(cast.account, name="k", scopes=["transactional:write"], by=cast.alice)[1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    pem = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", pem.with_suffix(".key"), "-out", pem],
        check=True, capture_output=True,
    )  # fmt: skip
    return pem


@pytest.fixture
async def ports(key, certificate):
    acceptance = Acceptance()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    servers = [
        await serve(
            host="127.0.0.1", port=0, hooks=lambda: Submission(acceptance, DIALECTS), session=SubmissionSession,
            ssl_context=context, implicit_tls=implicit,
        )
        for implicit in (False, True)
    ]  # fmt: skip
    yield [server.port for server in servers]
    for server in servers:
        await server.close()
    await asyncio.to_thread(acceptance.close)


def letter(number: int) -> bytes:
    image = base64.encodebytes(bytes(range(256)) * 20).replace(b"\n", b"\r\n")
    return (
        f"From: Shop <receipts@shop.example>\r\nTo: alice@people.example\r\nSubject: {number}\r\n"
        f"Message-ID: <{number}@shop.example>\r\nX-CampaignName: Receipts\r\nMIME-Version: 1.0\r\n"
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + image


def run(*arguments: object) -> str:
    done = subprocess.run([str(one) for one in arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


async def bodies(cast) -> list[bytes]:
    def read() -> list[bytes]:
        with account_scope(cast.account.pk), connection.cursor() as cursor:
            cursor.execute(
                "SELECT raw FROM delivery_submission WHERE account_id = %s ORDER BY send_id, seq", [cast.account.pk]
            )
            return [bytes(raw) for (raw,) in cursor.fetchall()]

    return await asyncio.to_thread(read)


def check(raws: list[bytes], number: int) -> None:
    [raw] = raws
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"X-CampaignName" not in head and body.rstrip() == letter(number).partition(b"\r\n\r\n")[2].rstrip()


@pytest.mark.parametrize("implicit", [False, True])
async def test_curl(cast, key, ports, certificate, tmp_path, implicit):
    file = tmp_path / "letter.eml"
    file.write_bytes(letter(1))
    url = f"smtps://localhost:{ports[1]}/client" if implicit else f"smtp://localhost:{ports[0]}/client"
    await asyncio.to_thread(
        run, program("curl"), "-4", "-sS", "--ssl-reqd", "--cacert", certificate, "--url", url, "--user", f"key:{key}",
        "--login-options", "AUTH=LOGIN" if implicit else "AUTH=PLAIN", "--mail-from", "receipts@shop.example",
        "--mail-rcpt", "alice@people.example", "--upload-file", file,
    )  # fmt: skip
    check(await bodies(cast), 1)


@pytest.mark.parametrize("way", ["smtp", "tls", "tlsc"])
async def test_swaks(cast, key, ports, tmp_path, way):
    file = tmp_path / "letter.eml"
    file.write_bytes(letter(2).replace(b"\r\n", b"\n"))
    tls = {"smtp": [], "tls": ["--tls"], "tlsc": ["--tls-on-connect"]}[way]
    said = await asyncio.to_thread(
        run, program("swaks"), "--server", "127.0.0.1", "--port", ports[way == "tlsc"], *tls,
        "--auth", "LOGIN" if way == "smtp" else "PLAIN", "--auth-user", "key", "--auth-password", key,
        "--from", "receipts@shop.example", "--to", "alice@people.example", "--data", f"@{file}",
    )  # fmt: skip
    assert "250 2.0.0 taken" in said
    check(await bodies(cast), 2)


async def test_smtplib_by_starttls(cast, key, ports, certificate):
    def go() -> None:
        with smtplib.SMTP("localhost", ports[0]) as client:
            client.starttls(context=ssl.create_default_context(cafile=str(certificate)))
            client.login("key", key)
            client.sendmail("receipts@shop.example", ["alice@people.example"], letter(3))

    await asyncio.to_thread(go)
    check(await bodies(cast), 3)
