"""Releases: a folder of files each, and `current`, a symbolic link that is switched to the new one in one step.

Whoever reads through `current` sees one whole release, before, during and after the switch, and after a power cut.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

KEPT = 5  # the last few: a reader that is slow, and a look back
CURRENT = "current"
RELEASES = "releases"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One writer at a time: the controller, or the command for when it is down."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def current(folder: Path) -> Path | None:
    """The release that stands, None before the first."""
    try:
        return folder / os.readlink(folder / CURRENT)  # noqa: PTH115  # Path.readlink would do; this says what it is
    except OSError:
        return None


def next_name(folder: Path, position: int) -> str:
    """<position>-<n>: which state of the log it shows, and the how-manieth release of that state."""
    counts = [path.name.rpartition("-")[2] for path in (folder / RELEASES).glob(f"{position}-*")]
    # Never a number again: an open page tells by the name whether another release stands.
    return f"{position}-{1 + max((int(count) for count in counts if count.isdigit()), default=0)}"


def publish(folder: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """Write a release, make sure that it is on the disk, switch to it, drop old ones. Raises OSError; then nothing changed."""
    before, target = current(folder), folder / RELEASES / name
    staged = folder / RELEASES / f".{name}.new"
    shutil.rmtree(staged, ignore_errors=True)
    try:
        for path, content in files.items():
            _write(staged / path, content, before / path if before else None)
        for part in (staged, *(path for path in staged.rglob("*") if path.is_dir())):
            _sync(part)
        staged.rename(target)
        _sync(target.parent)
        _switch(folder, Path(RELEASES) / name)
    except OSError:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    _prune(folder, keep=target)
    return target


def replace(release: Path, files: Mapping[str, bytes]) -> None:
    """Put small files of a standing release anew, each in one step; for the sign of life, so nothing is synced."""
    for path, content in files.items():
        target = release / path
        fresh = target.with_name(f".{target.name}.new")
        fresh.write_bytes(content)
        os.replace(fresh, target)  # noqa: PTH105


def _write(path: Path, content: bytes, before: Path | None) -> None:
    """A file that did not change is linked, not written: old incidents cost nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if before is not None and _same(before, content):
        os.link(before, path)
        return
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _same(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _switch(folder: Path, to: Path) -> None:
    fresh = folder / f".{CURRENT}.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(to)
    os.replace(fresh, folder / CURRENT)  # noqa: PTH105  # one step: no moment without a page
    _sync(folder)


def _prune(folder: Path, *, keep: Path) -> None:
    releases = [path for path in (folder / RELEASES).iterdir() if path != keep]
    for path in sorted(releases, key=lambda one: one.stat().st_mtime, reverse=True)[KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
