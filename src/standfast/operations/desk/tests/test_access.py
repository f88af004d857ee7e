"""Who gets in: nobody without a password that they chose by a link; nobody who guesses; nothing that may be framed or kept."""

import psutil

from standfast.operations.desk.tests.conftest import PASSWORD

PAGES = (
    "/", "/checks", "/incidents", "/incidents/open", "/incidents/x", "/incidents/x/edit/y", "/incidents/x/veto",
    "/incidents/x/postmortem", "/maintenance", "/maintenance/x", "/changes", "/failover", "/subscribers", "/log", "/team",
)  # fmt: skip


def test_every_page_asks_to_log_in(desk):
    browser = desk.browser()
    for path in PAGES:
        assert browser.get(path).url.startswith(desk.url + "/login?next="), path
    browser.get("/login")
    for path in PAGES:
        assert "/login" in browser.post(path, {"title": "x"}).url, path
    assert not desk.entries("incident_opened")


def test_the_first_link_works_once_and_only_for_the_first(desk):
    link = desk.run("--first-link").stdout.strip().removeprefix(desk.url)
    assert desk.browser().get("/welcome/" + "x" * 40).status == 410
    browser = desk.browser()
    assert browser.get(link).status == 200
    assert browser.post(link, {"name": "alice", "password": "short", "again": "short"}).status == 422
    assert browser.post(link, {"name": "alice", "password": PASSWORD, "again": "another"}).status == 422
    assert browser.post(link, {"name": "alice", "password": PASSWORD, "again": PASSWORD}).url == desk.url + "/"
    assert desk.browser().get(link).status == 410
    refused = desk.run("--first-link")
    assert refused.returncode == 1 and "already" in refused.stderr


def test_an_invited_person_and_a_forgotten_password(desk):
    alice = desk.enrol()
    alice.get("/team")
    text = alice.post("/team", {"invite": "1", "name": "bob"}).text
    link = text.split("<code>")[1].split("</code>")[0].removeprefix(desk.url)
    bob = desk.browser()
    bob.get(link)
    assert bob.post(link, {"password": PASSWORD, "again": PASSWORD}).url == desk.url + "/"
    assert desk.browser().get(link).status == 410
    alice.post("/team", {"remove": "bob"})
    assert "/login" in bob.get("/").url
    assert desk.browser().get(link).status == 410  # who was sent away does not come back by the link they came by
    link = alice.post("/team", {"invite": "1", "name": "bob"}).text.split("<code>")[1].split("</code>")[0]
    bob = desk.browser()
    bob.get(link.removeprefix(desk.url))
    assert bob.post(link.removeprefix(desk.url), {"password": PASSWORD, "again": PASSWORD}).url == desk.url + "/"
    assert desk.run("--link-for", "charlie").returncode == 1
    link = desk.run("--link-for", "bob").stdout.strip().removeprefix(desk.url)
    bob = desk.browser()
    bob.get(link)
    bob.post(link, {"password": PASSWORD + "8", "again": PASSWORD + "8"})
    assert "Log out bob" in bob.get("/").text and desk.browser().get(link).status == 410
    alice.get("/team")
    alice.post("/team", {"remove": "bob"})
    assert "/login" in bob.get("/").url


def test_guessing_is_stopped_even_with_the_right_password(staffed):
    browser = staffed.browser()
    browser.get("/login")
    statuses = [browser.post("/login", {"name": "alice", "password": f"wrong {n}"}).status for n in range(7)]
    assert statuses == [403] * 5 + [429] * 2
    assert browser.post("/login", {"name": "alice", "password": PASSWORD}).status == 429


def test_logging_in_and_out_and_where_it_leads(desk):
    desk.enrol()
    browser = desk.browser()
    for to, ends in (("/changes", "/changes"), ("https://evil.example/", "/"), ("//evil.example", "/")):
        browser.get("/login")
        assert browser.post(f"/login?next={to}", {"name": "alice", "password": PASSWORD}).url == desk.url + ends
        assert browser.post("/logout").url.startswith(desk.url + "/login")
        assert "/login" in browser.get("/").url


def test_a_post_without_our_token_is_refused(staffed):
    browser = staffed.enrol()
    assert browser.post("/changes", {"summary": "x"}, csrf=False).status == 403
    assert not staffed.entries("change_announced")


def test_answers_are_neither_kept_nor_framed_and_hold_nothing_inline(staffed):
    browser = staffed.enrol()
    for path in ("/", "/incidents/open", "/login"):
        answer = browser.get(path)
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "<script" not in answer.text and "style=" not in answer.text
    cookies = {cookie.name: cookie for cookie in browser.jar}
    assert all(one.has_nonstandard_attr("HttpOnly") for one in cookies.values()) and "desk_session" in cookies
    assert browser.get("/style/page.css").status == 200 and browser.get("/style/secret").status == 404


def test_another_host_is_refused(desk):
    assert desk.browser().get("/login", Host="evil.example").status == 400


def test_a_desk_that_is_killed_leaves_no_worker_behind(desk):
    process = psutil.Process(desk._process.pid)
    workers = process.children(recursive=True)
    assert workers
    process.kill()
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    desk.start()
    assert desk.browser().get("/login").status == 200
