"""The whole way in a real browser: the first link, people, a letter, a campaign, the inbox, a click, a goodbye, the report.

Twice: at a desk in light colours by somebody new, on a phone in dark colours by the same person a second time. Every page on
the way is looked at: no error in the console, no answer of 4xx or 5xx, nothing wider than the window, one heading, a title.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from tests.flows.browser import SHOP_URL, Installation, Watch, chromium, installation, person, shop

EMAIL, PASSWORD = "alice@acme.example", "correct horse battery staple"
SIZES = [pytest.param(1440, 900, False, id="desk"), pytest.param(390, 844, True, id="phone")]
RECEIVED_MS_MIN = 3_000
"""A click sooner than this after the sending is a machine's to the tracker."""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with shop() as port, chromium(port) as running:
        yield running


@pytest.fixture(scope="module")
def entered() -> list[str]:
    """The account's address, once somebody has been let in."""
    return []


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("width", "height", "dark"), SIZES)
def test_the_whole_way(ours, browser, entered, tmp_path, width, height, dark):
    watch = person(browser, ours, size={"width": width, "height": height}, dark=dark)
    page = watch.context.new_page()
    mark = f"{width}"
    if not entered:
        be_the_first(watch, page, ours)
        entered.append(page.url)
    else:
        sign_in(watch, page, ours)
    home = page.url
    import_people(watch, page, home, people_file(tmp_path, mark), list_name=f"Readers {mark}")
    write(watch, page, home, name=f"Spring {mark}")
    prepare(watch, page, home, name=f"Campaign {mark}", list_name=f"Readers {mark}", content=f"Spring {mark}")
    sent_ms = send(watch, page, people=3)
    campaign_url = page.url
    read_and_click(watch, page, home, mark=mark, sent_ms=sent_ms)
    unsubscribe(watch, page, home, mark=mark)
    read_report(watch, page, campaign_url)
    connect_programs(watch, page, home, mark=mark)
    look_around(watch, page, home)
    sign_out(watch, page)
    watch.context.close()


def be_the_first(watch: Watch, page: Page, ours: Installation) -> None:
    """Through the link that the start printed, to a dashboard that says what comes next."""
    page.goto(ours.first_link)
    watch.seen(page)
    page.get_by_label("Your name").fill("Alice Archer")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Account").fill("Acme Shop")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    page.get_by_label("Postal address").fill("1 High Street, Toronto, Canada")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome")
    expect(page.get_by_role("link", name="Import people")).to_be_visible()
    watch.seen(page)


def sign_in(watch: Watch, page: Page, ours: Installation) -> None:
    page.goto(ours.url)
    watch.seen(page)
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    watch.seen(page)


def people_file(directory: Path, mark: str) -> Path:
    """Three good rows, one without an address that could be one."""
    path = directory / f"readers-{mark}.csv"
    rows = ["email,first name,last name,city", f"anna@{mark}.example,Anna,Abel,Bremen", f"ben@{mark}.example,Ben,Brown,Oslo",
            f"cleo@{mark}.example,Cleo,Cole,Porto", "not an address,Dora,Dale,Rome"]  # fmt: skip
    path.write_text("\n".join(rows) + "\n")
    return path


def import_people(watch: Watch, page: Page, home: str, path: Path, *, list_name: str) -> None:
    """Upload, columns, what would happen, what happened, and the refused rows as a file."""
    page.goto(f"{home}people/imports/")
    watch.seen(page)
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text(path.name)).to_be_visible()
    page.get_by_label("new list").fill(list_name)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What is in the columns?")
    expect(page.get_by_label("email becomes")).to_have_value("email")
    expect(page.get_by_label("first name becomes")).to_have_value("first_name")
    watch.seen(page)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="This would happen")).to_be_visible()
    expect(ledger(page, "New people")).to_have_text("3")
    expect(ledger(page, "Refused")).to_have_text("1")
    watch.seen(page)
    page.get_by_role("button", name="Import now").click()
    expect(page.get_by_role("heading", name="This happened")).to_be_visible()
    expect(ledger(page, "Newly subscribed")).to_have_text("3")
    watch.seen(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Refused rows").click()
    assert "not an address" in Path(download.value.path()).read_text()


def ledger(page: Page, label: str) -> Locator:
    """The figure behind a label."""
    return page.locator(".sf-ledger li").filter(has_text=label).locator("b, span:last-child").last


def write(watch: Watch, page: Page, home: str, *, name: str) -> None:
    """A letter from a starter, with a link to the shop, seen before it is saved."""
    page.goto(f"{home}content/new/")
    watch.seen(page)
    page.get_by_role("button", name="Announcement").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Announcement"))
    preview = page.frame_locator("iframe[data-preview]")
    expect(preview.get_by_role("link").first).to_be_visible()
    watch.seen(page)
    mark = name.rsplit(maxsplit=1)[-1]
    page.get_by_label("Subject").fill(f"Hello from {mark}")
    page.get_by_label("Name", exact=True).fill(name)
    source = page.get_by_role("textbox", name="Source").or_(page.locator(".cm-content")).first
    source.click()
    source.press("Control+End")
    text = page.locator("textarea[name=source]").input_value()
    link = f'<mj-text><a href="{SHOP_URL}">To the shop of {mark}</a></mj-text>'
    source.press("Control+a")
    page.keyboard.insert_text(text.replace("</mj-column>", f"{link}</mj-column>", 1))
    expect(preview.get_by_role("link", name=f"To the shop of {mark}")).to_be_visible()
    expect(page.locator("[data-preview-subject]").first).to_have_text(f"Hello from {mark}")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    watch.seen(page)


def prepare(watch: Watch, page: Page, home: str, *, name: str, list_name: str, content: str) -> None:
    """The four steps of a campaign; the checks have nothing to mend at the end."""
    page.goto(f"{home}campaigns/new/")
    watch.seen(page)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Next: contacts").click()
    page.get_by_label(list_name, exact=False).first.check()
    expect(page.locator(".sf-bignumber")).to_have_text("3")
    watch.seen(page)
    page.get_by_role("button", name="Next: content").click()
    page.get_by_role("radio", name=content).check()
    watch.seen(page)
    page.get_by_role("button", name="Next: schedule").click()
    expect(page.get_by_text("Ready to send")).to_be_visible()
    watch.seen(page)


def send(watch: Watch, page: Page, *, people: int) -> float:
    """Now, after one more look; returns when it had been sent, in unix milliseconds."""
    page.get_by_role("button", name="Send …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"It goes to {people} people")
    dialog.get_by_role("button", name="Send it now").click()
    expect(page.locator(".sf-head .badge, .sf-head .sf-badge").filter(has_text=re.compile("^Sent$"))).to_be_visible()
    sent_ms = time.time() * 1000
    watch.seen(page)
    return sent_ms


def open_letter(watch: Watch, page: Page, home: str, *, mark: str, to: str) -> FrameLocator:
    page.goto(f"{home}inbox/?q={to}")
    watch.seen(page)
    page.get_by_role("link", name=f"Hello from {mark}").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello from {mark}")
    expect(page.get_by_text("DKIM pass")).to_be_visible()
    watch.seen(page)
    return page.frame_locator("iframe.sf-mailview")


def read_and_click(watch: Watch, page: Page, home: str, *, mark: str, sent_ms: float) -> None:
    """Anna opens her letter and follows its link to the shop."""
    letter = open_letter(watch, page, home, mark=mark, to=f"anna@{mark}.example")
    page.wait_for_function("after => Date.now() > after", arg=sent_ms + RECEIVED_MS_MIN)
    with watch.context.expect_page() as opened:
        letter.get_by_role("link", name=f"To the shop of {mark}").click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("The shop")
    assert opened.value.url == SHOP_URL
    watch.seen(opened.value)
    opened.value.close()


def unsubscribe(watch: Watch, page: Page, home: str, *, mark: str) -> None:
    """Ben has enough: the link at the letter's foot asks once, and then it is done."""
    letter = open_letter(watch, page, home, mark=mark, to=f"ben@{mark}.example")
    with watch.context.expect_page() as opened:
        letter.get_by_role("link", name="Unsubscribe").click()
    goodbye = opened.value
    expect(goodbye.get_by_role("heading", level=1)).to_have_text(re.compile("^Stop e-mails from .+"))
    watch.seen(goodbye)
    goodbye.get_by_role("button", name="Unsubscribe").click()
    expect(goodbye.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    watch.seen(goodbye)
    goodbye.close()


def read_report(watch: Watch, page: Page, campaign_url: str) -> None:
    """The campaign's page shows both, by itself, as soon as the tracker's journal has been read."""
    page.goto(campaign_url)
    expect(figure(page, "Delivered")).to_have_text(re.compile("^3 of 3"))
    expect(figure(page, "Clicked")).to_have_text("1 person, 1 time")
    expect(figure(page, "Unsubscribed")).to_have_text("1 person")
    watch.seen(page)


def figure(page: Page, label: str) -> Locator:
    """The note under a share in the report."""
    return page.locator(".sf-stat").filter(has_text=re.compile(f"^\\s*{label}")).locator(".sf-stat-note")


def connect_programs(watch: Watch, page: Page, home: str, *, mark: str) -> None:
    """A transactional campaign with its commands, and an endpoint whose test says that private addresses are refused."""
    page.goto(f"{home}transactional/new/")
    watch.seen(page)
    page.get_by_label("Name", exact=True).fill(f"Receipts {mark}")
    page.get_by_role("button", name="Make the campaign").click()
    expect(page.locator("#smtp")).to_contain_text(f"X-CampaignName: Receipts {mark}")
    watch.seen(page)
    page.get_by_role("link", name="Messages").click()
    expect(page.get_by_text("No message yet")).to_be_visible()
    watch.seen(page)
    page.goto(f"{home}webhooks/new/")
    page.get_by_label("Address").fill(f"http://127.0.0.1:9/{mark}")
    page.get_by_label("Only what I choose").check()
    page.get_by_label("Bounced").check()
    watch.seen(page)
    page.get_by_role("button", name="Add the endpoint").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("#outcome")).to_contain_text("private network")
    page.locator("#secret").get_by_role("button", name="Show").click()
    expect(page.locator("#endpoint-secret")).to_contain_text("whsec_")
    watch.seen(page)


PLACES = ("", "campaigns/", "content/", "reports/", "inbox/", "people/", "people/new/", "people/lists/", "people/lists/new/",
          "people/imports/", "people/do-not-mail/", "people/fields/", "settings/", "settings/domains/", "settings/relay/",
          "team/", "developers/", "transactional/", "webhooks/", "keys/")  # fmt: skip


def look_around(watch: Watch, page: Page, home: str) -> None:
    """Every other place of the sidebar, and the pages of single things."""
    for place in PLACES:
        page.goto(f"{home}{place}")
        watch.seen(page)
    for place in ("content/", "reports/", "people/", "people/lists/", "settings/domains/"):
        page.goto(f"{home}{place}")
        page.locator("a.sf-rowlink").first.click()
        page.wait_for_url(lambda url, before=f"{home}{place}": url != before)
        watch.seen(page)
    page.goto(f"{home}people/do-not-mail/")
    expect(page.get_by_text(re.compile(r"ben@\d+\.example")).first).to_be_visible()


def sign_out(watch: Watch, page: Page) -> None:
    page.get_by_role("button", name="You: ").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    watch.seen(page)
