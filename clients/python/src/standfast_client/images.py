"""Images that contents show."""

from __future__ import annotations

import base64
from os import PathLike
from pathlib import Path
from typing import BinaryIO, TypedDict, Unpack

from standfast_client.calls import Group
from standfast_client.operations import operation
from standfast_client.paging import Page, Pages
from standfast_client.values import Moment, Reading, Writing, parameters

BYTES_MAX = 5 * 1024 * 1024


class Image(TypedDict):
    """url: for the src of an img; it never means another image."""

    digest: str
    url: str
    kind: str
    size_bytes: int
    created_at: Moment


class Images(Group):
    @operation("GET", "/content-images")
    def all(self, *, limit: int = 500, **more: Unpack[Reading]) -> Pages[Image]:
        def read(cursor: str | None) -> Page[Image]:
            return self._calls.get(Page[Image], "/content-images", parameters(cursor=cursor, limit=limit), **more)

        return Pages(read)

    @operation("POST", "/content-images")
    def keep(self, image: str | PathLike[str] | BinaryIO | bytes, **more: Unpack[Writing]) -> Image:
        """Keep a PNG, JPEG, GIF or WebP of up to 5 MB: a path, an open file or the bytes."""
        # As base64 and not as a form: a form's boundary differs each time, and the idempotency key stands for one body.
        data = base64.b64encode(_bytes_of(image)).decode()
        return self._calls.write(Image, "POST", "/content-images", {"data": data}, **more)

    def keep_from(self, url: str, **more: Unpack[Writing]) -> Image:
        """Keep an image that the service fetches once, now, from the public internet."""
        return self._calls.write(Image, "POST", "/content-images", {"url": url}, **more)


def _bytes_of(image: str | PathLike[str] | BinaryIO | bytes) -> bytes:
    if isinstance(image, bytes):
        data = image
    elif isinstance(image, str | PathLike):
        with Path(image).open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    else:
        data = image.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise ValueError(f"The image is larger than {BYTES_MAX // 1024**2} MB. Make it smaller.")
    return data
