"""The files of the repository as the walls see them."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "src" / "standfast"

# Top to bottom, as in ARCHITECTURE.md; neighbours share a line.
FLOORS = (
    ("journeys", "data_journeys"),
    ("campaigns", "transactional", "landing_pages"),
    ("tracking", "webhooks", "commerce", "live_content"),
    ("delivery", "mobile"),
    ("content",),
    ("audience",),
    ("tables",),
    ("accounts", "clusters"),
)
HEIGHT = {name: len(FLOORS) - level for level, line in enumerate(FLOORS) for name in line}


@functools.cache
def files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, part of the repository; what git ignores is left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return tuple(path for name in sorted(set(listed.split("\0"))) if name and (path := ROOT / name).is_file())


def python_files() -> list[Path]:
    """The package's own modules, tests beside them included."""
    return [path for path in files() if path.suffix == ".py" and path.is_relative_to(PACKAGE)]


def component_of(path: Path) -> str | None:
    """`audience` for a file of components/audience, None elsewhere."""
    parts = path.relative_to(PACKAGE).parts
    return parts[1] if parts[0] == "components" and len(parts) > 2 else None


def service_of(path: Path) -> str | None:
    """`tracker` for a file of services/tracker, None elsewhere."""
    parts = path.relative_to(PACKAGE).parts
    return parts[1] if parts[0] == "services" and len(parts) > 2 else None


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
