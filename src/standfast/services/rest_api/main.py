"""Serve the REST API with granian: WSGI threads in one process, so that an account's calls are counted in one place."""

from __future__ import annotations

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings

from standfast.platform.config import Config

THREADS = 24
BACKLOG = 1024


def main(config: Config) -> None:
    """Serve until SIGTERM or SIGINT."""
    static = config.var / "static"
    static.mkdir(parents=True, exist_ok=True)
    Granian(
        "standfast.services.rest_api.wsgi:application",
        address=config.host,
        port=config.rest_port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        backlog=BACKLOG,
        http1_settings=HTTP1Settings(max_buffer_size=64 * 1024, header_read_timeout=10_000),
        static_path_route=["/static"],
        static_path_mount=[static],
        static_path_expires=86400,
        respawn_failed_workers=True,
        log_access=False,
    ).serve()
