"""Is there room on the disks? Said once when one is nearly full, and once when it has room again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

LOOK_SECONDS = 5.0
LOW_BYTES = 100 * 1024 * 1024
LOW_SHARE = 0.01
"""Low is what is less than either; a small disk of a few megabytes is low below the share alone."""


class Room:
    """Looks at the disks of some directories, those of one disk once."""

    def __init__(self, directories: Sequence[Path]) -> None:
        self._directories = directories
        self._low: dict[int, Path] = {}
        self._next_at = 0.0

    def look(self, tell: Callable[[str], None]) -> None:
        """Call it as often as you like."""
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + LOOK_SECONDS
        seen: set[int] = set()
        for directory in self._directories:
            try:
                device, usage = directory.stat().st_dev, shutil.disk_usage(directory)
            except OSError:
                continue  # not made yet
            if device in seen:
                continue
            seen.add(device)
            is_low = usage.free < max(usage.total * LOW_SHARE, min(LOW_BYTES, usage.total * 0.1))
            if is_low and device not in self._low:
                self._low[device] = directory
                tell(
                    f"The disk of {directory} is nearly full: {usage.free // 1024**2} MB are free. Make room on it; what was "
                    "accepted is kept, and what waits goes on by itself."
                )
            elif not is_low and self._low.pop(device, None) is not None:
                tell(f"The disk of {directory} has room again: {usage.free // 1024**2} MB.")
