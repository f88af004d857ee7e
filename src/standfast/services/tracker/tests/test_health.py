"""/healthz/tracking shows that a response would be read and kept: tokens, and the disk."""

from __future__ import annotations

import json

from standfast.services.tracker import health
from standfast.services.tracker.tests.test_durability import full_disk
from standfast.services.tracker.tests.tracker_process import Tracker, token


def test_it_works_fails_with_the_disk_and_works_again(tracker: Tracker) -> None:
    answer = tracker.ask("GET", "/healthz/tracking")
    assert answer.status == 200
    body = json.loads(answer.body)
    assert body["component"] == "tracking" and body["ok"] is True
    assert [(check["name"], check["ok"]) for check in body["checks"]] == [("tokens", True), ("disk", True)]
    assert "no-store" in answer.headers["cache-control"]
    with full_disk(tracker):
        assert tracker.ask("GET", f"/o/{token()}.gif").status == 503  # from here on the spool is known to fail
        bad = tracker.ask("GET", "/healthz/tracking")
        assert bad.status == 503
        rows = json.loads(bad.body)["checks"]
        assert rows[1]["detail"] == "the spool does not take events"
    assert tracker.ask("GET", "/healthz/tracking").status == 200


def test_its_records_are_nobodys(tracker: Tracker) -> None:
    assert tracker.ask("GET", "/healthz/tracking").status == 200
    events = tracker.events()
    assert [(event.kind, event.account_id) for event in events] == [("checked", health.NO_ACCOUNT)]


def test_tokens_that_do_not_work(monkeypatch) -> None:
    class Spool:
        last_error = None

    monkeypatch.setattr(health, "verify_link", lambda *_, **__: False)
    answer = health.Tracking(token_key=b"k" * 32, spool=Spool()).answer()
    assert answer.status == 503
    assert json.loads(answer.body)["checks"][0]["ok"] is False
