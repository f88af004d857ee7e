"""The release that stands, as answers: read once, kept while unchanged, each request from exactly one release."""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote

FILE_BYTES_MAX = 8 * 1024 * 1024
KEPT_FILES_MAX = 2000  # answers kept in memory; beyond it all are dropped and read again
GZIP_BYTES_MIN = 600
STALE_AFTER_SECONDS = 60.0  # where the release does not say
FRESH, STALE = b'data-age="fresh"', b'data-age="stale"'
HEARTBEAT = "heartbeat.json"
TYPES = {
    ".atom": "application/atom+xml", ".rss": "application/rss+xml", ".ics": "text/calendar; charset=utf-8",
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8", ".txt": "text/plain; charset=utf-8", ".svg": "image/svg+xml",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """Ready to send: `plain` and `packed` (gzip, or the same) are body and headers without the date."""

    etag: str
    modified: str
    plain: bytes
    plain_head: bytes
    packed: bytes
    packed_head: bytes
    not_modified: bytes


@dataclass(slots=True)
class _Kept:
    seen: tuple[int, int, int]  # inode, size, time: a file is replaced, never written over
    stale: bool
    answer: Answer


class Files:
    """Look up answers under folder/current. Not for several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._current = str(folder / "current")
        self._kept: dict[tuple[str, HTTPStatus], _Kept] = {}
        self._release = ""
        self._headers: Mapping[str, Mapping[str, str]] = {}
        self._stale_after = STALE_AFTER_SECONDS
        self._judged = -1.0
        self._stale = False

    def find(self, target: str) -> tuple[HTTPStatus, Answer | None]:
        """The answer for a request target such as /history.html?x=1; for 404 the page that says so, if there is one."""
        try:
            release = os.path.join(self._folder, os.readlink(self._current))  # noqa: PTH115, PTH118  # each request
        except OSError:
            return HTTPStatus.SERVICE_UNAVAILABLE, None
        if release != self._release:
            self._turn(release)
        path = _path(target)
        if path is not None:
            answer = self._answer(release, path, HTTPStatus.OK)
            if answer is not None:
                return HTTPStatus.OK, answer
        return HTTPStatus.NOT_FOUND, self._answer(release, "404.html", HTTPStatus.NOT_FOUND)

    def stale(self) -> bool:
        """Whether the release's sign of life is too old; judged once a second."""
        now = time.time()
        if not 0 <= now - self._judged < 1.0:
            self._judged = now
            try:
                beat = os.stat(os.path.join(self._release, HEARTBEAT)).st_mtime  # noqa: PTH116, PTH118  # each request
            except OSError:
                beat = 0.0
            self._stale = now - beat > self._stale_after
        return self._stale

    def _turn(self, release: str) -> None:
        """Another release stands: forget the answers of the one before."""
        self._kept.clear()
        self._release, self._judged = release, -1.0
        self._headers = _table(Path(release) / ".headers.json")
        self._stale_after = float(_table(Path(release) / HEARTBEAT).get("stale_after_seconds", STALE_AFTER_SECONDS))

    def _answer(self, release: str, path: str, status: HTTPStatus) -> Answer | None:
        full = f"{release}/{path}"
        try:
            found = os.stat(full)  # noqa: PTH116  # each request
        except (OSError, ValueError):
            return None
        seen, stale = (found.st_ino, found.st_size, found.st_mtime_ns), path.endswith(".html") and self.stale()
        kept = self._kept.get((path, status))
        if kept is not None and kept.seen == seen and kept.stale == stale:
            return kept.answer
        body = _read(full)
        if body is None:
            return None
        if len(self._kept) >= KEPT_FILES_MAX:
            self._kept.clear()
        answer = _made(
            path, body.replace(FRESH, STALE, 1) if stale else body, found.st_mtime, status, self._extra(path)
        )
        self._kept[path, status] = _Kept(seen, stale, answer)
        return answer

    def _extra(self, path: str) -> dict[str, str]:
        headers = dict(self._headers.get("*", {}))
        for prefix, more in self._headers.items():
            if prefix != "*" and f"/{path}".startswith(prefix):
                headers.update(more)
        return {name: value for name, value in headers.items() if value}


def _path(target: str) -> str | None:
    """A path below the release, or None for what cannot be one: hidden files, ways out, other things than paths."""
    path = unquote(target.partition("?")[0].partition("#")[0], errors="replace")
    if not path.startswith("/") or "\\" in path or "\0" in path or "//" in path:
        return None
    parts = path[1:].split("/")
    if parts[-1] == "":
        parts[-1] = "index.html"
    if any(part == "" or part.startswith(".") for part in parts):
        return None
    return "/".join(parts) if "." in parts[-1] else "/".join(parts) + ".html"


def _read(path: str) -> bytes | None:
    """The file's content; None for folders, links that lead elsewhere and what is too large."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        with os.fdopen(handle, "rb") as file:
            body = file.read(FILE_BYTES_MAX + 1)
    except OSError:
        return None
    return body if len(body) <= FILE_BYTES_MAX else None


def _made(path: str, body: bytes, modified_at: float, status: HTTPStatus, extra: Mapping[str, str]) -> Answer:
    suffix = os.path.splitext(path)[1]  # noqa: PTH122
    kind = TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    packed = gzip.compress(body, 6, mtime=0) if len(body) >= GZIP_BYTES_MIN else body
    # Weak, because both encodings share it (RFC 9110, 8.8.1).
    etag, modified = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"', formatdate(modified_at, usegmt=True)
    # Scripts and styles are asked for with a digest in the query; what tells the state is never older than seconds.
    lasting = "public, max-age=86400" if suffix in (".css", ".js") else "public, max-age=5"
    common = {
        "etag": etag,
        "last-modified": modified,
        "cache-control": lasting if status is HTTPStatus.OK else "no-store",
        "vary": "accept-encoding",
        **extra,
    }
    known = "".join(f"{name}: {value}\r\n" for name, value in common.items()).encode()
    first = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: {kind}\r\n".encode()
    coding = b"content-encoding: gzip\r\n" if packed is not body else b""
    return Answer(
        etag, modified,
        plain=body, plain_head=first + known + b"content-length: %d\r\n" % len(body),
        packed=packed, packed_head=first + known + coding + b"content-length: %d\r\n" % len(packed),
        not_modified=b"HTTP/1.1 304 Not Modified\r\n" + known,
    )  # fmt: skip


def _table(path: Path) -> dict[str, Any]:  # what a file of ours holds; empty when it cannot be read
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
