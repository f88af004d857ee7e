"""The SMTP API with TLS on two ports, a key of Alice's account, and what was written of her mail."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
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
from standfast.services.smtp_api.main import LIMITS
from standfast.services.smtp_api.session import Submission


@pytest.fixture
def key(transactional_db, cast) -> str:
    with account_scope(cast.account.pk):
        add_domain(account_id=cast.account.pk, domain="shop.example")
        return make_key(cast.account, name="k", scopes=["transactional:write"], by=cast.alice)[1]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    pem = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", pem.with_suffix(".key"), "-out", pem],
        check=True, capture_output=True,
    )  # fmt: skip
    return pem


@asynccontextmanager
async def serving(certificate: Path, submission: type[Submission] = Submission) -> AsyncIterator[list[int]]:
    """The ports: with STARTTLS, and with TLS from the first byte."""
    acceptance = Acceptance()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    servers = [
        await serve(
            host="127.0.0.1", port=0, hooks=lambda: submission(acceptance, DIALECTS), session=SubmissionSession,
            ssl_context=context, implicit_tls=implicit, limits=replace(LIMITS, auth_delay_seconds=0.01),
        )
        for implicit in (False, True)
    ]  # fmt: skip
    yield [server.port for server in servers]
    for server in servers:
        await server.close()
    await asyncio.to_thread(acceptance.close)


@pytest.fixture
async def ports(key, certificate):
    async with serving(certificate) as ports:
        yield ports


async def bodies(cast) -> list[bytes]:
    def read() -> list[bytes]:
        with account_scope(cast.account.pk), connection.cursor() as cursor:
            cursor.execute(
                "SELECT raw FROM delivery_submission WHERE account_id = %s ORDER BY send_id, seq", [cast.account.pk]
            )
            return [bytes(raw) for (raw,) in cursor.fetchall()]

    return await asyncio.to_thread(read)
