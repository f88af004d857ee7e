"""Images that programs hand in: fetched from an address or given as bytes, checked, kept once, served for ever at one address.

Known by their first bytes, not by what a server says they are. SVG is refused: it may hold scripts.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from standfast.components.content.models import ContentImage
from standfast.platform import config, outbound

if TYPE_CHECKING:
    import aiohttp

BYTES_MAX = 5 * 1024 * 1024
ACCOUNT_BYTES_MAX = 1024 * 1024 * 1024
SECONDS_MAX = 10.0
REDIRECTS_MAX = 3
CHUNK_BYTES = 64 * 1024
TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
_REDIRECTS = (301, 302, 303, 307, 308)


class ImageRefused(ValueError):
    """The image is not taken; the text says why."""


def keep_image(*, account_id: int, data: bytes) -> ContentImage:
    """Keep an image; the same bytes are the same image. In the account's scope. Raises ImageRefused."""
    kind = kind_of(data)
    digest = hashlib.sha256(data).hexdigest()
    found = ContentImage.objects.filter(account_id=account_id, digest=digest).defer("data").first()
    if found is not None:
        return found
    used = sum(ContentImage.objects.filter(account_id=account_id).values_list("size", flat=True))
    if used + len(data) > ACCOUNT_BYTES_MAX:
        raise ImageRefused(f"the account's images would take more than {ACCOUNT_BYTES_MAX // 1024**2:,} MB")
    return ContentImage.objects.get_or_create(
        account_id=account_id, digest=digest, defaults={"kind": kind, "size": len(data), "data": data}
    )[0]


def address_of(image: ContentImage) -> str:
    """Where the image is served to whoever reads a message."""
    return f"{config.load().rest_url.rstrip('/')}/images/{image.account_id}/{image.digest}.{image.kind}"


def image_of(*, account_id: int, digest: str) -> tuple[str, bytes] | None:
    """(media type, bytes) of an image. In the account's scope."""
    found = ContentImage.objects.filter(account_id=account_id, digest=digest).first()
    return (TYPES[found.kind], bytes(found.data)) if found else None


def kind_of(data: bytes) -> str:
    """The kind by its first bytes. Raises ImageRefused."""
    if len(data) > BYTES_MAX:
        raise ImageRefused(f"the image is larger than {BYTES_MAX // 1024**2} MB")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    raise ImageRefused("this is no PNG, JPEG, GIF or WebP image")


def fetch_image(url: str) -> bytes:
    """What an address of the public internet answers, at most BYTES_MAX of it. Raises ImageRefused."""
    import aiohttp

    try:
        return asyncio.run(_fetched(url))
    except outbound.OutboundRefused as refused:
        raise ImageRefused(refused.text) from None
    except TimeoutError:
        raise ImageRefused(f"the server did not answer within {SECONDS_MAX:g} s") from None
    except (aiohttp.ClientError, ValueError, OSError) as error:
        refusal = error if isinstance(error, ImageRefused) else ImageRefused(f"the image could not be fetched: {error}")
        raise refusal from None


async def _fetched(url: str) -> bytes:
    from standfast.platform.outbound_http import open_session

    async with asyncio.timeout(SECONDS_MAX), open_session(connections=1) as session:
        for _ in range(REDIRECTS_MAX + 1):
            await _check(url)
            async with session.get(url, allow_redirects=False, headers={"Accept": "image/*"}) as answer:
                if answer.status in _REDIRECTS and "Location" in answer.headers:
                    url = urljoin(url, answer.headers["Location"])
                    continue
                if answer.status != 200:
                    raise ImageRefused(f"the server answered {answer.status}")
                return await _read(answer)
    raise ImageRefused(f"the server led on more than {REDIRECTS_MAX} times")


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
        data += chunk
        if len(data) > BYTES_MAX:
            raise ImageRefused(f"the image is larger than {BYTES_MAX // 1024**2} MB")
    return bytes(data)


async def _check(url: str) -> None:
    """http or https, nobody's password, and no address of a private network: numbers are not asked of the resolver."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ImageRefused("give an address that begins with http:// or https:// and names a host")
    await outbound.addresses(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
