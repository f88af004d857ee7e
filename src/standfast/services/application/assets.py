"""What the islands' build left: scripts, styles and icons, found by name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

DIST = Path(__file__).parent / "static" / "dist"


class AssetsMissing(Exception):
    """The islands are not built, or the build has no entry of this name. `make setup` builds them."""


@dataclass(frozen=True)
class Entry:
    """One entry of the build: paths below STATIC_URL."""

    script: str
    styles: tuple[str, ...]
    preload: tuple[str, ...]


def entry(name: str) -> Entry:
    """The files of the entry `src/<name>.ts`.

    Raises:
        AssetsMissing: the build is not there or has no such entry.
    """
    manifest = _manifest(_built_at())
    try:
        chunk = manifest[f"src/{name}.ts"]
    except KeyError:
        raise AssetsMissing(f"The islands' build has no entry {name!r}; run `make setup`.") from None
    imported = [manifest[key] for key in chunk.get("imports", [])]
    styles = [style for part in [*imported, chunk] for style in part.get("css", [])]
    return Entry(
        script=f"dist/{chunk['file']}",
        styles=tuple(f"dist/{style}" for style in dict.fromkeys(styles)),
        preload=tuple(f"dist/{part['file']}" for part in imported),
    )


def _built_at() -> int:
    try:
        return (DIST / "manifest.json").stat().st_mtime_ns
    except FileNotFoundError:
        raise AssetsMissing("The islands are not built yet; run `make setup`.") from None


@lru_cache(maxsize=2)
def _manifest(built_at: int) -> dict[str, dict[str, list[str]]]:  # keyed by time, so that a new build is seen
    return json.loads((DIST / "manifest.json").read_text())


def icon(name: str) -> str | None:
    """The drawing (inside of the svg element) of a Tabler icon that islands/icons.txt names, or None."""
    drawing = _icon(name)
    if drawing is None:
        _icon.cache_clear()  # the islands may be built while we run
    return drawing


@lru_cache(maxsize=512)
def _icon(name: str) -> str | None:
    if not name.replace("-", "").isalnum():
        return None
    try:
        return (DIST / "icons" / f"{name}.svg").read_text()
    except FileNotFoundError:
        return None
