"""Whatever anybody writes into a name, an address, a header or a letter: no page runs it, shows it as markup, or breaks of it.

In a real browser, every page of an account whose every text is an attack.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from benchmarks.installation import free_ports, service
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from tests.flows.browser import Installation, chromium, person
from tests.flows.whole_account import Filled, fill
from tests.rules.test_doors import DOORS, PREFIX

ATTACK = (
    "\"'><img src=data: class=pwned onerror=alert(1)><script class=pwned>alert(2)</script></textarea></title></script>"
    "<svg class=pwned onload=alert(3)>--></style>{{7*7}}{% now %}`${alert(4)}"
)
URL = "javascript:alert(document.domain)//" + ATTACK
LETTER = (
    f"<html><head><meta http-equiv=refresh content='0;url=javascript:alert(5)'><base href=javascript:></head><body onload=alert(6)>"
    f"<p>Hello</p><script>parent.pwned = top.pwned = 1; alert(7)</script><img src=data: onerror=alert(8)>"
    f"<a href='{URL[:40]}'>go</a><iframe srcdoc='<script>top.pwned = 1</script>'></iframe><form action=javascript:alert(9)>"
    "<input autofocus onfocus=alert(10)></form><style>@import 'javascript:alert(11)';</style></body></html>"
)
KEPT_OUT = "[class=pwned], body script:not([src]):not([type='application/json']):not([nonce])"
MANY = {"campaign_id", "import_id", "message_id"}  # each in another state: its own page is looked at for each
pytestmark = pytest.mark.django_db(transaction=True)


def words(what: str) -> str:
    return URL if what in {"url", "host"} else f"{what} {ATTACK}"


@pytest.fixture(scope="module")
def application(database) -> Iterator[Installation]:
    """The application alone, on the tests' own database."""
    call_command("collectstatic", interactive=False, verbosity=0)
    port = free_ports(1)[0]
    os.environ["STANDFAST_PORT"] = str(port)
    try:
        with service("application", port=port):
            yield Installation(f"http://127.0.0.1:{port}", "http://127.0.0.1:9", "")
    finally:
        os.environ.pop("STANDFAST_PORT")


@pytest.mark.timeout(400)
def test_no_page_runs_what_people_wrote(cast, application):
    made = fill(cast.account, cast.alice, words=words, mail_html=LETTER)
    client = _client(cast.alice)
    pages = [path for path in paths(made) if _is_page(client, path)]
    with chromium(0) as browser:  # not before: Django refuses the database where an event loop runs
        watch = person(browser, application, size={"width": 1440, "height": 900}, dark=False)
        watch.context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": application.url}]
        )
        page = watch.context.new_page()
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: (dialogs.append(f"{page.url}: {dialog.message}"), dialog.dismiss()))
        for path in pages:
            page.goto(application.url + path, wait_until="load")
            _judge(page, path)
        # a part of a page has no icon of its own; a letter's picture without an address is the letter's affair
        troubles = [each for each in watch.troubles if not each.endswith(("/favicon.ico)", "(data:)"))]
        assert not dialogs and not troubles, (dialogs, troubles)
    assert len(pages) > 80, f"only {len(pages)} pages were found"


def _is_page(client: Client, path: str) -> bool:
    answer = client.get(path)
    assert answer.status_code < 500, path
    return answer.status_code == 200 and answer["Content-Type"].startswith("text/html")


def _judge(page: Page, path: str) -> None:
    assert page.evaluate("window.pwned") is None, path
    assert page.locator(KEPT_OUT).count() == 0, f"{path}: {page.locator(KEPT_OUT).first.evaluate('e => e.outerHTML')}"
    links = page.locator("a[href], form[action], iframe[src]").evaluate_all(
        "all => all.map(e => e.href || e.action || e.src).filter(to => !/^(https?:|mailto:)/.test(to))"
    )
    assert not links, f"{path} leads to {links}"
    loose = page.locator("iframe").evaluate_all(
        "all => all.filter(e => !e.hasAttribute('sandbox') || /allow-(scripts|same-origin|top-navigation)/.test(e.sandbox.value))"
        ".map(e => e.outerHTML.slice(0, 200))"
    )
    assert not loose, f"{path} shows a letter outside its sandbox: {loose}"


def paths(made: Filled) -> Iterator[str]:
    """Every address of the account, with the numbers that were made; then those of people and the ways in."""
    for route in DOORS:
        names = re.findall(r"<int:(\w+)>", route.removeprefix(PREFIX))
        numbers = [made.of.get(name, [1])[: None if name in MANY and route.endswith(">/") else 2] for name in names]
        if "<str:" not in route:
            for chosen in itertools.product(*numbers):
                filled = iter((made.account_id, *chosen))
                yield "/" + re.sub(r"<int:\w+>", lambda _, filled=filled: str(next(filled)), route)
    for number in made.of["message_id"]:
        for view in ("text", "headers", "source"):
            yield f"{reverse('inbox:show', args=[made.account_id, number])}?view={view}"
    for name in ("accounts:profile", "new_account", "account_change_password", "mfa_index", "usersessions_list"):
        yield reverse(name)
    yield made.invitation_path
    yield f"/login/?next={quote(URL)}"


def _client(user: Any) -> Client:
    """Signed in with a browser whose name is an attack too: the list of sessions shows it."""
    client = Client(headers={"user-agent": ATTACK})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.get(reverse("accounts:profile"))
    return client
