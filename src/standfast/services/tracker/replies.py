"""What the tracker answers with: closed forms, made once where they never change."""

from base64 import b64decode
from typing import NamedTuple
from urllib.parse import quote

from standfast.services.tracker import pages

RETRY_AFTER_SECONDS = 30
# One transparent pixel, GIF89a, 43 bytes.
PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
_URL_CHARS = "!#$%&'()*+,/:;=?@[]~-._"

Headers = list[tuple[str, str]]
NO_STORE = ("cache-control", "no-store, max-age=0")


class Reply(NamedTuple):
    """An answer. `outcome` is the word under which it is counted."""

    status: int
    headers: Headers
    body: bytes
    outcome: str


def page(status: int, html: bytes, outcome: str, *extra: tuple[str, str]) -> Reply:
    """An HTML page that nobody may store, frame or index."""
    return Reply(status, [*pages.HEADERS, NO_STORE, *extra], html, outcome)


def text(status: int, words: str, outcome: str, *extra: tuple[str, str]) -> Reply:
    """A line of plain text, for programs."""
    headers = [("content-type", "text/plain; charset=utf-8"), NO_STORE, *extra]
    return Reply(status, headers, words.encode(), outcome)


def redirect(url: str) -> Reply:
    """302 to a destination whose signature was checked."""
    location = url if url.isascii() and url.isprintable() and " " not in url else quote(url, safe=_URL_CHARS)
    headers = [("location", location), NO_STORE, ("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex")]
    return Reply(302, headers, b"", "redirected")


def not_allowed(methods: str) -> Reply:
    """405 with the methods that work here."""
    return page(405, pages.NOT_FOUND, "method_refused", ("allow", methods))


OPENED = Reply(200, [("content-type", "image/gif"), NO_STORE, ("x-content-type-options", "nosniff")], PIXEL, "opened")
NOT_FOUND = page(404, pages.NOT_FOUND, "not_found")
BAD_TOKEN = page(404, pages.BAD_LINK, "bad_token")
BAD_SIGNATURE = page(400, pages.BAD_LINK, "bad_signature")
BAD_DESTINATION = page(400, pages.BAD_LINK, "bad_destination")
TRAPPED = page(200, pages.NOTHING_HERE, "honeypot")
TOO_LONG = text(414, "The address is too long.\n", "url_too_long")
TOO_LARGE = text(413, "The request is too large.\n", "body_too_large", ("connection", "close"))
TOO_SLOW = text(408, "The request did not come to its end.\n", "body_too_slow", ("connection", "close"))
ROBOTS = text(200, "User-agent: *\nDisallow: /\n", "robots")
HEALTHY = text(200, "ok\n", "healthy")
_RETRY = ("retry-after", str(RETRY_AFTER_SECONDS))
BUSY = page(503, pages.BUSY, "refused", _RETRY)


def busy_on_the_way_to(url: str) -> Reply:
    """503 for a click that could not be written down: says so, and lets the person go on by themselves."""
    return page(503, pages.busy_on_the_way_to(url), "refused", _RETRY)
