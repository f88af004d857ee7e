"""Who calls, of a WSGI request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


def caller_address(environ: Mapping[str, Any]) -> str:
    """The caller's IP address; behind a proxy of ours the one that it saw."""
    if os.environ.get("STANDFAST_BEHIND_TLS") == "1":
        forwarded: str = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded
    return str(environ.get("REMOTE_ADDR", ""))
