"""A running installation and a browser that watches every page it is shown: the ground of the walks in test_browser.py."""

from __future__ import annotations

import dataclasses
import http.server
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import kept_database
from benchmarks.installation import free_ports
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    ViewportSize,
    expect,
    sync_playwright,
)

from standfast.platform import config
from standfast.platform.config import PORT_VARIABLES
from tests.chromium import executable

PERSON_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36"
QUIET = ("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
WAIT_MS = 30_000
SHOP_URL = "http://shop.example/spring"


@dataclass(frozen=True)
class Installation:
    """`standfast up`, and where its doors are."""

    url: str
    tracker_url: str
    first_link: str


@contextmanager
def installation(var: Path) -> Iterator[Installation]:
    """Everything on ports of its own in an empty directory, with readers of the inbox off."""
    ports = dict(zip(PORT_VARIABLES, map(str, free_ports(len(PORT_VARIABLES))), strict=True))
    cleared = {name: value for name, value in os.environ.items() if not name.startswith(("STANDFAST_", "DATABASE_"))}
    kept_database.lay(dataclasses.replace(config.load(), var=var, database_url=None), durable=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "standfast.cli", "up"], env={**cleared, **ports, "STANDFAST_VAR": str(var)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said: list[str] = []
        while "Ctrl-C stops everything" not in "".join(said[-1:]):
            said.append(process.stdout.readline())
            assert said[-1], f"it ended: {''.join(said)}"
        # Nobody reads further: drain the pipe, or a talkative supervisor would stop at a full one.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        link = next(line.strip() for line in said if "/welcome/" in line)
        tracker = f"http://127.0.0.1:{ports['STANDFAST_TRACKER_PORT']}"
        yield Installation(f"http://127.0.0.1:{ports['STANDFAST_PORT']}", tracker, link)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def shop() -> Iterator[int]:
    """Where the letters' links lead: one small page on a free port. Yields the port; the browser knows it as SHOP_URL,
    because a letter may not link into a private network."""

    class Shop(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = b'<!doctype html><html lang="en"><title>The shop</title><link rel="icon" href="data:,"><h1>The shop</h1>'
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            """Be silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def chromium(shop_port: int) -> Iterator[Browser]:
    """Debian's Chromium, for which the shop's name leads to `shop_port` of this machine."""
    rules = f"--host-resolver-rules=MAP shop.example:80 127.0.0.1:{shop_port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=[*QUIET, rules])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watch:
    """Listens to all pages of one browser context, and judges each page by `seen`."""

    context: BrowserContext
    origins: tuple[str, ...]
    troubles: list[str] = field(default_factory=list)
    seen_pages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(WAIT_MS)
        expect.set_options(timeout=WAIT_MS)
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.troubles.append(f"script: {error.error}"))
        self.context.on("response", self._receive)

    def _hear(self, message: ConsoleMessage) -> None:
        """Errors and broken policies; what a sandboxed letter may not do is the sandbox's work, not the page's."""
        if message.location.get("url") == "about:srcdoc":
            return
        if (
            message.type == "error"
            or "Content Security Policy" in message.text
            or "Content-Security-Policy" in message.text
        ):
            self.troubles.append(f"console: {message.text} ({message.location.get('url')})")

    def _receive(self, response: Response) -> None:
        if response.status >= 400 and response.url.startswith(self.origins):
            self.troubles.append(f"{response.status}: {response.request.method} {response.url}")

    def seen(self, page: Page) -> None:
        """What holds of every page: it has a title and one h1, fits the window, and nothing went wrong on the way."""
        page.wait_for_load_state("load")
        where = urlsplit(page.url).path
        self.seen_pages.append(where)
        headings = page.locator("h1")
        if headings.count() != 1 or not headings.inner_text().strip():
            self.troubles.append(f"{where}: {headings.count()} h1")
        if not page.title().strip(" ·"):
            self.troubles.append(f"{where}: no title")
        width, room = page.evaluate("[document.scrollingElement.scrollWidth, window.innerWidth]")
        if width > room:
            self.troubles.append(f"{where}: {width} px wide in a window of {room} px ({page.evaluate(WIDEST)})")
        assert not self.troubles, "\n".join(self.troubles)


WIDEST = """
[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 5).map(e => e.tagName.toLowerCase() + '.' + e.className).join(', ')
"""
"""Names the elements that stand out of the window, for whoever has to mend it."""


def person(browser: Browser, ours: Installation, *, size: ViewportSize, dark: bool) -> Watch:
    """A person at a screen of this size, with nothing remembered."""
    context = browser.new_context(
        viewport=size, color_scheme="dark" if dark else "light", user_agent=PERSON_AGENT, locale="en-GB",
        timezone_id="Europe/Berlin", accept_downloads=True, has_touch=size["width"] < 500,
    )  # fmt: skip
    return Watch(context, (ours.url, ours.tracker_url))
