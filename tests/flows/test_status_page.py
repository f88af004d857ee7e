"""The status page in a browser: nothing refused by its own policy, no width that overflows, its age told, a new state shown."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from standfast.operations.status_page.render import render
from standfast.operations.status_page.serve import serve
from standfast.operations.status_page.tests import scenes
from tests.chromium import executable

PAGES = ("", "history.html", "uptime.html", "maintenance.html", "subscribe.html", "embed.html", "nothing")
SIZES = ((1440, "light"), (390, "dark"), (320, "light"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        yield one
        one.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The serving process's own code, in a thread."""
    loop, port = asyncio.new_event_loop(), threading.Event()
    found: list[int] = []

    async def run() -> None:
        ready: asyncio.Future[int] = loop.create_future()
        ready.add_done_callback(lambda one: (found.append(one.result()), port.set()))
        await serve(folder, ready=ready)

    task = loop.create_task(run())
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.gather(task, return_exceptions=True)))
    thread.start()
    try:
        assert port.wait(10)
        yield f"http://127.0.0.1:{found[0]}"
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
        loop.close()


def made(folder: Path, scene: str, **page: object) -> None:
    the_map = scenes.a_map(watched=scene == "outage", **page)
    render(the_map, scenes.fold(the_map, scenes.SCENES[scene](the_map)), folder, now=datetime.now(UTC))


@pytest.mark.parametrize("scene", scenes.SCENES)
def test_every_page_fits_and_obeys_its_own_policy(scene: str, browser: Browser, tmp_path: Path) -> None:
    made(tmp_path, scene)
    incidents = [f"incidents/{path.name}" for path in (tmp_path / "current" / "incidents").glob("*.html")]
    with served(tmp_path) as url:
        for width, scheme in SIZES:
            context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
            page, said = context.new_page(), []
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            for path in (*PAGES, *incidents):
                page.goto(f"{url}/{path}")
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
            assert [text for text in said if "404" not in text] == []
            context.close()


def test_without_script_it_says_all_and_even_that_it_is_old(browser: Browser, tmp_path: Path) -> None:
    made(tmp_path, "outage")
    os.utime(tmp_path / "current" / "heartbeat.json", (1, 1))
    with served(tmp_path) as url:
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(url)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Major system outage")
        expect(page.get_by_text("This page may be out of date")).to_be_visible()
        expect(page.get_by_text("Next update by")).to_be_visible()
        expect(page.get_by_role("row", name="REST API Service").get_by_role("cell", name="Major outage")).to_have_count(
            5
        )


def test_an_open_page_shows_what_happens_and_its_age(browser: Browser, tmp_path: Path) -> None:
    made(tmp_path, "empty")
    with served(tmp_path) as url:
        page: Page = browser.new_page()
        page.goto(url)
        expect(page.locator("#age")).to_contain_text("ago")
        expect(page.get_by_text("This page may be out of date")).to_be_hidden()
        made(tmp_path, "partial")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Minor service outage", timeout=30_000)
        page.close()
