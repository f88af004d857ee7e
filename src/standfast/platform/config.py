"""Where this installation keeps its things and on what it listens: read once from the environment.

Nothing here is for taste: a setting exists only where two installations must differ.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

PORT_VARIABLES = (
    "STANDFAST_PORT",
    "STANDFAST_TRACKER_PORT",
    "STANDFAST_INBOX_PORT",
    "STANDFAST_EXCHANGER_PORT",
    "STANDFAST_REST_PORT",
    "STANDFAST_SUBMISSION_PORT",
    "STANDFAST_SUBMISSION_TLS_PORT",
)
"""A second installation on the same machine sets them all."""


@dataclass(frozen=True)
class Config:
    """The installation's environment. Ports are TCP ports on `host`; paths are absolute."""

    var: Path
    host: str
    application_port: int
    tracker_port: int
    inbox_port: int
    exchanger_port: int
    rest_port: int
    submission_port: int
    submission_tls_port: int
    database_url: str | None
    tracker_url: str
    application_url: str
    rest_url: str
    bounce_domain: str
    debug: bool

    @property
    def secret_file(self) -> Path:
        return Path(os.environ.get("STANDFAST_SECRET_FILE") or self.var / "secret.key")

    @property
    def submission_host(self) -> str:
        """How programs reach the SMTP service: by the name it gives itself, where it was given one."""
        return os.environ.get("STANDFAST_SUBMISSION_NAME") or _shown(self.host)

    @property
    def submission_tls(self) -> bool:
        """Whether the SMTP service has a certificate."""
        return bool(os.environ.get("STANDFAST_TLS_CERTIFICATE"))

    @property
    def spool_dir(self) -> Path:
        return self.var / "spool"

    @property
    def journal_dir(self) -> Path:
        return self.var / "journal"

    @property
    def inbox_dir(self) -> Path:
        return self.var / "inbox"

    @property
    def upload_dir(self) -> Path:
        return self.var / "uploads"

    def secret(self) -> bytes:
        """The installation's 32-byte secret; made at the first call. Losing it breaks links already sent."""
        try:
            found = self.secret_file.read_bytes()
        except FileNotFoundError:
            return _make_secret(self.secret_file)
        if len(found) < 32:
            raise SystemExit(
                f"{self.secret_file} is damaged: 32 bytes expected, {len(found)} found. Restore it from a backup."
            )
        return found[:32]


def _make_secret(path: Path) -> bytes:
    """Write the secret so that a second process started at the same moment reads the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_bytes()[:32]


def load() -> Config:
    """Read the environment. Raises SystemExit with a sentence where a value cannot be used."""
    env = os.environ
    host = env.get("STANDFAST_HOST", "127.0.0.1")
    application_port = _port(env, "STANDFAST_PORT", 8000)
    tracker_port = _port(env, "STANDFAST_TRACKER_PORT", 8001)
    return Config(
        var=Path(env.get("STANDFAST_VAR", "var")).absolute(),
        host=host,
        application_port=application_port,
        tracker_port=tracker_port,
        inbox_port=_port(env, "STANDFAST_INBOX_PORT", 8025),
        exchanger_port=_port(env, "STANDFAST_EXCHANGER_PORT", 8026),
        rest_port=_port(env, "STANDFAST_REST_PORT", 8002),
        submission_port=_port(env, "STANDFAST_SUBMISSION_PORT", 8587),
        submission_tls_port=_port(env, "STANDFAST_SUBMISSION_TLS_PORT", 8465),
        database_url=env.get("DATABASE_URL") or None,
        tracker_url=env.get("STANDFAST_TRACKER_URL", f"http://{_shown(host)}:{tracker_port}").rstrip("/"),
        application_url=env.get("STANDFAST_URL", f"http://{_shown(host)}:{application_port}").rstrip("/"),
        rest_url=env.get(
            "STANDFAST_REST_URL", f"http://{_shown(host)}:{_port(env, 'STANDFAST_REST_PORT', 8002)}"
        ).rstrip("/"),
        bounce_domain=env.get("STANDFAST_BOUNCE_DOMAIN", "bounces.standfast.test"),
        debug=env.get("STANDFAST_DEBUG", "") in {"1", "true", "yes"},
    )


def _shown(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound


def _port(env: os._Environ[str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SystemExit(f"{name}={text!r} is not a port. Use a number from 1 to 65535.")
    return int(text)
