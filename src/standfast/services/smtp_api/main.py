"""Listen for submissions: STARTTLS on the submission port and on 2525's like, TLS from the first byte on the other."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import sys
from pathlib import Path

import structlog
import uvloop

from standfast.platform.config import Config
from standfast.protocols.smtp_server import Limits, serve
from standfast.protocols.smtp_submission import SubmissionSession
from standfast.services.smtp_api.acceptance import Acceptance
from standfast.services.smtp_api.dialects import DIALECTS
from standfast.services.smtp_api.order import RECIPIENTS_MAX
from standfast.services.smtp_api.session import Submission

log = structlog.get_logger("smtp_api")
MESSAGE_BYTES_MAX = 10 * 1024 * 1024  # the reference product's limit
LIMITS = Limits(
    message_bytes=MESSAGE_BYTES_MAX, recipients=RECIPIENTS_MAX, connections=1000, connections_of_address=500,
    idle_seconds=120,
)  # fmt: skip


def main(config: Config) -> None:
    """Serve until SIGTERM or SIGINT; what was answered for is committed then. Django is set up already."""
    uvloop.run(_serve(config))


async def _serve(config: Config) -> None:
    acceptance = Acceptance()
    context = tls_context()
    hostname = os.environ.get("STANDFAST_SUBMISSION_NAME", config.bounce_domain.split(",")[0].strip())
    common = {
        "host": config.host, "hooks": lambda: Submission(acceptance, DIALECTS), "hostname": hostname, "limits": LIMITS,
        "ssl_context": context, "session": SubmissionSession,
    }  # fmt: skip
    try:
        servers = [await serve(port=config.submission_port, **common)]  # type: ignore[arg-type]
        if context is not None and config.submission_tls_port:
            servers.append(await serve(port=config.submission_tls_port, implicit_tls=True, **common))  # type: ignore[arg-type]
    except OSError as error:
        sys.exit(f"The SMTP API cannot listen on {config.host}:{config.submission_port}: {error.strerror}. "
                 "Stop what uses the port, or set STANDFAST_SUBMISSION_PORT.")  # fmt: skip
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    log.info("taking submissions", ports=[server.port for server in servers], tls=context is not None)
    await stopping.wait()
    for server in servers:
        await server.close(grace_seconds=5)
    await asyncio.to_thread(acceptance.close)


def tls_context() -> ssl.SSLContext | None:
    """From STANDFAST_TLS_CERTIFICATE and STANDFAST_TLS_KEY (PEM files); None without them: then only this machine may AUTH."""
    certificate, key = os.environ.get("STANDFAST_TLS_CERTIFICATE"), os.environ.get("STANDFAST_TLS_KEY")
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(Path(certificate), Path(key) if key else None)
    return context
