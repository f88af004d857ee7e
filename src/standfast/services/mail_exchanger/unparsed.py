"""Mail that no rule understood: kept for a person to read, up to a limit, and counted by reason."""

import os
import re
import time
from pathlib import Path

FILES_MAX = 10_000
MESSAGE_BYTES_MAX = 256 * 1024
_UNSAFE = re.compile(r"[^a-z0-9_]+")


class UnparsedFolder:
    """A folder with one file a message, named after the time and the reason."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._count = sum(1 for _ in directory.iterdir())
        self.dropped_count = 0

    def keep(self, raw: bytes, *, reason: str) -> None:
        """Keep the beginning of a message on disk, synchronised. Over the limit it is only counted. Raises OSError."""
        if self._count >= FILES_MAX:
            self.dropped_count += 1
            return
        path = self._directory / f"{time.time_ns()}.{_UNSAFE.sub('_', reason.lower())}.eml"
        try:
            with path.open("xb") as file:
                file.write(raw[:MESSAGE_BYTES_MAX])
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)  # the sender comes again, and half a message helps nobody
            raise
        self._count += 1
