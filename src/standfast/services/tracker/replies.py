"""What the tracker answers with: closed forms, made once where they never change."""

from base64 import b64decode
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

from standfast.platform.spool import SpoolError
from standfast.services.tracker import pages

RETRY_AFTER_SECONDS = 30
# One transparent pixel, GIF89a, 43 bytes.
PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
_URL_CHARS = "!#$%&'()*+,/:;=?@[]~-._"

Headers = list[tuple[str, str]]
NO_STORE = ("cache-control", "no-store, max-age=0")


class Reply:
    """An answer, with its head written once: most answers are given a million times.

    `outcome` is the word under which it is counted. `head` is everything up to the Date header's value, `tail` what
    follows it; a HEAD request gets them without the body.
    """

    __slots__ = ("body", "head", "headers", "outcome", "status", "tail")

    def __init__(self, status: int, headers: Headers, body: bytes, outcome: str) -> None:
        self.status, self.headers, self.body, self.outcome = status, headers, body, outcome
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *[f"{name}: {value}" for name, value in headers]]
        lines += [f"content-length: {len(body)}", "date: "]
        self.head = "\r\n".join(lines).encode("latin-1")
        self.tail = b"\r\n\r\n" + body

    def wire(self, date: bytes, *, bodiless: bool = False, connection: bytes = b"") -> bytes:
        """The bytes to send. `connection` is the value of that header, empty for none."""
        head = self.head + date
        if connection:
            head += b"\r\nconnection: " + connection
        return head + (b"\r\n\r\n" if bodiless else self.tail)


Refusal = Callable[[SpoolError], Reply]
# An event, the answer once it is on disk, and the one when it cannot be written.
Durable = tuple[bytes, Reply, Refusal]
Answer = Reply | Durable


def page(status: int, html: bytes, outcome: str, *extra: tuple[str, str]) -> Reply:
    """An HTML page that nobody may store, frame or index."""
    return Reply(status, [*pages.HEADERS, NO_STORE, *extra], html, outcome)


def text(status: int, words: str, outcome: str, *extra: tuple[str, str]) -> Reply:
    """A line of plain text, for programs."""
    headers = [("content-type", "text/plain; charset=utf-8"), NO_STORE, *extra]
    return Reply(status, headers, words.encode(), outcome)


def busy_with(letter: pages.Letter) -> Reply:
    """503 for a wish about a sender's mail."""
    return page(503, pages.busy(letter), "refused", _RETRY)


def unhealthy(error: SpoolError) -> Reply:
    """503 for those who watch the tracker."""
    return text(503, f"the spool does not take events: {error}\n", "unhealthy")


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
TOO_LARGE = text(413, "The request is too large.\n", "body_too_large")
TOO_SLOW = text(408, "The request did not come to its end.\n", "body_too_slow")
ROBOTS = text(200, "User-agent: *\nDisallow: /\n", "robots")
HEALTHY = text(200, "ok\n", "healthy")
_RETRY = ("retry-after", str(RETRY_AFTER_SECONDS))
BUSY = page(503, pages.BUSY, "refused", _RETRY)
HEAD_TOO_LARGE = text(431, "The head of the request is too large.\n", "head_too_large")
MALFORMED = text(400, "This is not an HTTP request.\n", "malformed")
NO_HOST = text(400, "The request must name one host.\n", "malformed")
FAILED = page(500, pages.BUSY, "failed", _RETRY)


def busy(error: SpoolError) -> Reply:
    """503 for what could not be written down."""
    return BUSY


def busy_on_the_way_to(url: str) -> Reply:
    """503 for a click that could not be written down: says so, and lets the person go on by themselves."""
    return page(503, pages.busy_on_the_way_to(url), "refused", _RETRY)
