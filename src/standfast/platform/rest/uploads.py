"""Files that programs send: as the body itself, or in a form under `file`; on the disk before the call's transaction begins.

The operation says how large a file may be. It is counted while it arrives, so more than that never lies on the disk, and a slow
sender holds no transaction open.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from standfast.platform import config
from standfast.platform.rest.problems import FieldFault, Problem

FORM = "multipart/form-data"
_PIECE_BYTES = 256 * 1024
_OTHER = ("application/json", "application/x-www-form-urlencoded")


class Taking(NamedTuple):
    """An operation that takes a file."""

    scope: str
    bytes_max: int


TAKING: dict[str, Taking] = {}
"""By path under the API's prefix; all of them POST."""


@dataclass
class Upload:
    """A file that came. Unless the operation keeps it (moves it, or sets `kept`), it is deleted after the call."""

    path: Path
    name: str
    digest: bytes
    form: Mapping[str, str]
    kept: bool = False

    def forget(self) -> None:
        if not self.kept:
            self.path.unlink(missing_ok=True)


def upload_of(request: HttpRequest) -> Upload:
    """The call's file, which the service has taken before the operation runs."""
    upload: Upload = request.upload  # type: ignore[attr-defined]
    return upload


def take(request: HttpRequest, *, account_id: int, bytes_max: int) -> Upload:
    """Read the file onto the disk. Raises Problem: too large, none at all, not a file."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in _OTHER:
        raise Problem(415, "The body is not a file", detail=f"Send the file itself as text/csv, or a form of {FORM}.")
    said = request.headers.get("Content-Length", "")
    if said.isdigit() and len(said) < 20 and int(said) > bytes_max + _PIECE_BYTES:
        raise _too_large(bytes_max)
    if kind == FORM:
        return _of_form(request, account_id, bytes_max)
    return _stored(account_id, "upload", {}, iter(lambda: request.read(_PIECE_BYTES), b""), bytes_max)


def fingerprint(request: HttpRequest) -> bytes:
    """What a call's body is, for its idempotency key."""
    upload: Upload | None = getattr(request, "upload", None)
    if upload is None:
        return request.body
    fields = "\n".join(f"{name}={value}" for name, value in sorted(upload.form.items()))
    return upload.digest + fields.encode("utf-8", "surrogatepass")


def _of_form(request: HttpRequest, account_id: int, bytes_max: int) -> Upload:
    try:
        file = request.FILES.get("file")
    except MultiPartParserError as error:
        raise Problem(400, "The form cannot be read", detail=str(error)[:200]) from error
    if getattr(request, "upload_too_large", False):
        raise _too_large(bytes_max)
    if file is None:
        raise Problem(
            422, "The form has no file", faults=[FieldFault("form.file", "is missing", "send the file as `file`")]
        )
    form = {name: str(value)[:100_000] for name, value in request.POST.items()}
    return _stored(account_id, file.name or "upload", form, file.chunks(_PIECE_BYTES), bytes_max)


def _stored(account_id: int, name: str, form: Mapping[str, str], pieces: Iterable[bytes], bytes_max: int) -> Upload:
    directory = config.load().upload_dir / str(account_id)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"import-{secrets.token_hex(8)}"
    digest = hashlib.sha256()
    try:
        with path.open("xb") as out:
            path.chmod(0o600)
            for piece in _counted(pieces, bytes_max):
                digest.update(piece)
                out.write(piece)
        if not path.stat().st_size:
            raise Problem(
                422, "The file is empty", faults=[FieldFault("body", "is empty", "send the file, with its length")]
            )
    except BaseException:  # half a file is nobody's, and takes what room there is
        path.unlink(missing_ok=True)
        raise
    return Upload(path, name, digest.digest(), form)


def _counted(pieces: Iterable[bytes], bytes_max: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > bytes_max:
            raise _too_large(bytes_max)
        yield piece


def _too_large(bytes_max: int) -> Problem:
    detail = f"The file is larger than {bytes_max:,} bytes. Pack it with gzip, or split it."
    return Problem(413, "The file is too large", detail=detail)
