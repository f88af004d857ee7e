"""Stop an upload at the limit while it arrives, before all of it lies on the disk."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload

UPLOAD_BYTES_MAX = 1024**3
TOO_LARGE = "The file is larger than 1 GB. Pack it with gzip, or split it."
_FORM_BYTES = 64 * 1024
"""What the form's other fields may add to a request that says its length."""


class UploadLimit(FileUploadHandler):
    """The first of FILE_UPLOAD_HANDLERS; sets `upload_too_large` on the request, for the page to say so.

    Who is not signed in has no file to bring: nothing of it is stored. What came before the file (the form's token, for one) is
    kept. The rest is not read: the connection is closed after the answer.
    """

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: str | None = None
    ) -> None:
        self._too_large = content_length > UPLOAD_BYTES_MAX + _FORM_BYTES
        self._read = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        user = getattr(self.request, "user", None)  # none where keys are asked for, before anything is read
        if user is not None and not user.is_authenticated:
            raise StopUpload(connection_reset=True)
        if self._too_large:
            self._stop()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._read += len(raw_data)
        if self._read > UPLOAD_BYTES_MAX:
            self._stop()
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None

    def _stop(self) -> None:
        self.request.upload_too_large = True  # type: ignore[union-attr]
        raise StopUpload(connection_reset=True)
